//! The minimum that a logistic regression looks for, by Newton steps whose equations conjugate gradients solve.
//!
//! All classes go through the samples together: a pass is two matrix products however many classes there are.
//! Classes with a sigmoid each know nothing of each other, so each has its own step length and is left alone
//! when it is done; the classes of a softmax are one problem with one step length. The preconditioner is the
//! diagonal of the curvature, which is nearly all of it for coordinates along principal components.

use crate::{Link, LogisticOptions, Samples};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Samples of one task.
const ROWS: usize = 256;
/// Bounds of what takes far fewer.
const NEWTON_STEPS: usize = 100;
const GRADIENT_STEPS: usize = 250;
const HALVINGS: usize = 30;
/// Share of the promised decrease that a step must bring (Armijo).
const DECREASE: f64 = 1e-4;

/// `1 / (1 + exp(-score))`
pub(crate) fn sigmoid(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// `log(1 + exp(score))` in two parts without overflow: a summand, and a factor of at most 2 under the logarithm.
fn softplus(score: f64) -> (f64, f64) {
    (score.max(0.0), 1.0 + (-score.abs()).exp())
}

/// What is to be minimised.
pub(crate) struct Problem<'a> {
    /// `[samples, width]`, a 1 for the intercept at the end of each row.
    rows: Vec<f64>,
    width: usize,
    labels: &'a [usize],
    classes: usize,
    link: Link,
    cost: f64,
}

impl<'a> Problem<'a> {
    pub(crate) fn new(
        samples: &Samples,
        labels: &'a [usize],
        classes: usize,
        options: LogisticOptions,
    ) -> Self {
        let rows = samples.rows().flat_map(|row| row.iter().map(|&x| f64::from(x)).chain([1.0])).collect();
        let LogisticOptions { link, cost, .. } = options;
        Problem { rows, width: samples.width() + 1, labels, classes, link, cost }
    }

    fn samples(&self) -> usize {
        self.labels.len()
    }

    /// Classes that share a step length: each its own, or all one.
    fn groups(&self) -> usize {
        match self.link {
            Link::OneVsRest => self.classes,
            Link::Softmax => 1,
        }
    }

    /// The classes of a group.
    fn members(&self, group: usize) -> std::ops::Range<usize> {
        match self.link {
            Link::OneVsRest => group..group + 1,
            Link::Softmax => 0..self.classes,
        }
    }

    /// `X v^T`, `[samples, m]`, of `v` `[m, width]`.
    fn scores(&self, v: &[f64]) -> Vec<f64> {
        let (width, m) = (self.width, v.len() / self.width);
        let mut out = vec![0.0; self.samples() * m];
        let tasks = out.par_chunks_mut(ROWS * m).zip(self.rows.par_chunks(ROWS * width));
        tasks.for_each(|(out, rows)| multiply_rows(rows, v, width, out));
        out
    }

    /// `sum_i f(i)_c x_i` for every class `c` of `m`, where `f` turns what stands in row `i` of a block of
    /// `X v^T` (or zeros, without `v`) into its weights. The sums of blocks are added in order.
    fn gather(&self, m: usize, v: Option<&[f64]>, f: impl Fn(usize, &mut [f64]) + Sync) -> Vec<f64> {
        let width = self.width;
        let parts: Vec<Vec<f64>> = self
            .rows
            .par_chunks(ROWS * width)
            .enumerate()
            .map(|(block, rows)| {
                let count = rows.len() / width;
                let mut weights = vec![0.0; count * m];
                if let Some(v) = v {
                    multiply_rows(rows, v, width, &mut weights);
                }
                weights.chunks_exact_mut(m).enumerate().for_each(|(i, row)| f(block * ROWS + i, row));
                let mut sum = vec![0.0; m * width];
                let weights = MatRef::from_row_major_slice(&weights, count, m);
                let rows = MatRef::from_row_major_slice(rows, count, width);
                let out = MatMut::from_row_major_slice_mut(&mut sum, m, width);
                matmul(out, Accum::Replace, weights.transpose(), rows, 1.0, Par::Seq);
                sum
            })
            .collect();
        let mut sum = vec![0.0; m * width];
        for part in parts {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        sum
    }

    /// Probabilities `[samples, classes]` of scores `[samples, classes]`.
    fn probabilities(&self, scores: &[f64]) -> Vec<f64> {
        let mut out = scores.to_vec();
        out.par_chunks_mut(self.classes * ROWS)
            .flat_map_iter(|rows| rows.chunks_exact_mut(self.classes))
            .for_each(|row| match self.link {
                Link::OneVsRest => row.iter_mut().for_each(|z| *z = sigmoid(*z)),
                Link::Softmax => {
                    let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    row.iter_mut().for_each(|z| *z = (*z - highest).exp());
                    let sum: f64 = row.iter().sum();
                    row.iter_mut().for_each(|z| *z /= sum);
                }
            });
        out
    }

    /// The loss of each group at `scores` + `step` `along`, without the size of the weights.
    fn losses(&self, scores: &[f64], along: &[f64], step: &[f64]) -> Vec<f64> {
        let (classes, groups) = (self.classes, self.groups());
        let rows = scores.par_chunks(classes * ROWS).zip(along.par_chunks(classes * ROWS)).enumerate();
        let parts: Vec<Vec<f64>> = rows
            .map(|(block, (scores, along))| {
                let mut sums = vec![0.0; groups];
                // One logarithm for all rows: a product of ROWS factors of at most 2 is far from overflow.
                let mut products = vec![1.0f64; groups];
                let rows = scores.chunks_exact(classes).zip(along.chunks_exact(classes));
                for ((scores, along), &label) in rows.zip(&self.labels[block * ROWS..]) {
                    match self.link {
                        Link::OneVsRest => {
                            for class in 0..classes {
                                let score = scores[class] + step[class] * along[class];
                                let (summand, factor) = softplus(if class == label { -score } else { score });
                                sums[class] += summand;
                                products[class] *= factor;
                            }
                        }
                        Link::Softmax => {
                            let at = |class: usize| scores[class] + step[0] * along[class];
                            let highest = (0..classes).map(at).fold(f64::NEG_INFINITY, f64::max);
                            let sum: f64 = (0..classes).map(|class| (at(class) - highest).exp()).sum();
                            sums[0] += highest + sum.ln() - at(label);
                        }
                    }
                }
                sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product.ln());
                sums
            })
            .collect();
        let mut sums = vec![0.0; groups];
        parts.iter().for_each(|part| sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part));
        sums.iter().map(|sum| sum * self.cost).collect()
    }

    /// `w + cost sum (p - t) x`.
    fn gradient(&self, weights: &[f64], probabilities: &[f64]) -> Vec<f64> {
        let classes = self.classes;
        let mut sum = self.gather(classes, None, |i, row| {
            row.copy_from_slice(&probabilities[i * classes..][..classes]);
            row[self.labels[i]] -= 1.0;
        });
        sum.iter_mut().zip(weights).for_each(|(g, w)| *g = *g * self.cost + w);
        sum
    }

    /// The curvature at `probabilities` along `v`, `[m, width]`, which are directions of the classes `which`.
    fn curvature(&self, v: &[f64], which: &[usize], probabilities: &[f64]) -> Vec<f64> {
        let classes = self.classes;
        let mut sum = self.gather(which.len(), Some(v), |i, row| {
            let p = &probabilities[i * classes..][..classes];
            match self.link {
                Link::OneVsRest => row.iter_mut().zip(which).for_each(|(z, &c)| *z *= p[c] * (1.0 - p[c])),
                Link::Softmax => {
                    let mean: f64 = row.iter().zip(p).map(|(z, p)| z * p).sum();
                    row.iter_mut().zip(p).for_each(|(z, p)| *z = p * (*z - mean));
                }
            }
        });
        sum.iter_mut().zip(v).for_each(|(h, v)| *h = *h * self.cost + v);
        sum
    }

    /// The diagonal of the curvature, `[classes, width]`.
    fn diagonal(&self, probabilities: &[f64]) -> Vec<f64> {
        let (classes, width) = (self.classes, self.width);
        let parts: Vec<Mat<f64>> = self
            .rows
            .par_chunks(ROWS * width)
            .zip(probabilities.par_chunks(ROWS * classes))
            .map(|(rows, p)| {
                let count = rows.len() / width;
                let squares: Vec<f64> = rows.iter().map(|x| x * x).collect();
                let spread: Vec<f64> = p.iter().map(|p| p * (1.0 - p)).collect();
                let squares = MatRef::from_row_major_slice(&squares, count, width);
                let spread = MatRef::from_row_major_slice(&spread, count, classes);
                let mut product = Mat::zeros(width, classes);
                matmul(&mut product, Accum::Replace, squares.transpose(), spread, 1.0, Par::Seq);
                product
            })
            .collect();
        let mut sum = Mat::<f64>::zeros(width, classes);
        parts.iter().for_each(|part| sum += part);
        sum.col_iter()
            .flat_map(|column| column.iter().map(|h| 1.0 + self.cost * h).collect::<Vec<_>>())
            .collect()
    }

    /// Inner products of `a` and `b`, `[classes, width]`, in each group.
    fn dots(&self, a: &[f64], b: &[f64], groups: &[usize]) -> Vec<f64> {
        let of = |&group: &usize| {
            let members = self.members(group);
            let range = members.start * self.width..members.end * self.width;
            a[range.clone()].iter().zip(&b[range]).map(|(a, b)| a * b).sum()
        };
        groups.par_iter().map(of).collect()
    }
}

/// `rows v^T`: `rows` `[count, width]`, `v` `[m, width]`, `out` `[count, m]`, all row by row.
fn multiply_rows(rows: &[f64], v: &[f64], width: usize, out: &mut [f64]) {
    let (count, m) = (rows.len() / width, v.len() / width);
    let (rows, v) =
        (MatRef::from_row_major_slice(rows, count, width), MatRef::from_row_major_slice(v, m, width));
    let out = MatMut::from_row_major_slice_mut(out, count, m);
    matmul(out, Accum::Replace, rows, v.transpose(), 1.0, Par::Seq);
}

/// The weights `[classes, width]`, intercepts last in each row, at which every group's gradient is at most
/// `tolerance` of the first.
pub(crate) fn minimise(problem: &Problem<'_>, tolerance: f64) -> Vec<f64> {
    let (n, classes, width) = (problem.samples(), problem.classes, problem.width);
    let mut weights = vec![0.0; classes * width];
    let mut scores = vec![0.0; n * classes];
    let mut active: Vec<usize> = (0..problem.groups()).collect();
    let mut first: Option<Vec<f64>> = None;
    for _ in 0..NEWTON_STEPS {
        let probabilities = problem.probabilities(&scores);
        let gradient = problem.gradient(&weights, &probabilities);
        let every: Vec<usize> = (0..problem.groups()).collect();
        let lengths = problem.dots(&gradient, &gradient, &every);
        let first = first.get_or_insert_with(|| lengths.clone());
        active.retain(|&group| lengths[group] > first[group] * tolerance * tolerance);
        if active.is_empty() {
            break;
        }
        // Far from the minimum a rough direction is enough.
        let accuracy = |group: usize| (lengths[group] / first[group]).powf(0.25).min(0.1);
        let direction = solve(problem, &probabilities, &gradient, &active, &accuracy);
        let taken = step(problem, &mut weights, &mut scores, &gradient, &direction, &active);
        active.retain(|&group| taken[group] > 0.0);
    }
    weights
}

/// Conjugate gradients for `curvature direction = -gradient` in the groups `active`; 0 elsewhere.
fn solve(
    problem: &Problem<'_>,
    probabilities: &[f64],
    gradient: &[f64],
    active: &[usize],
    accuracy: &dyn Fn(usize) -> f64,
) -> Vec<f64> {
    let width = problem.width;
    let diagonal = problem.diagonal(probabilities);
    let mut direction = vec![0.0; gradient.len()];
    let mut residual: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut conditioned: Vec<f64> = residual.iter().zip(&diagonal).map(|(r, d)| r / d).collect();
    let mut search = conditioned.clone();
    let mut running = active.to_vec();
    let mut products = problem.dots(&residual, &conditioned, &running);
    let goals: Vec<f64> =
        products.iter().zip(active).map(|(p, &group)| p * accuracy(group).powi(2)).collect();
    let mut goals: Vec<(usize, f64)> = active.iter().copied().zip(goals).collect();
    for _ in 0..GRADIENT_STEPS {
        let which: Vec<usize> = running.iter().flat_map(|&group| problem.members(group)).collect();
        let packed: Vec<f64> =
            which.iter().flat_map(|&class| &search[class * width..][..width]).copied().collect();
        let curved = problem.curvature(&packed, &which, probabilities);
        // Back to their places, to be read group by group.
        let mut spread = vec![0.0; search.len()];
        for (&class, row) in which.iter().zip(curved.chunks_exact(width)) {
            spread[class * width..][..width].copy_from_slice(row);
        }
        let bends = problem.dots(&search, &spread, &running);
        for ((&group, product), bend) in running.iter().zip(&products).zip(&bends) {
            let alpha = product / bend;
            let members = problem.members(group);
            for i in members.start * width..members.end * width {
                direction[i] += alpha * search[i];
                residual[i] -= alpha * spread[i];
                conditioned[i] = residual[i] / diagonal[i];
            }
        }
        let next = problem.dots(&residual, &conditioned, &running);
        for ((&group, next), product) in running.iter().zip(&next).zip(&products) {
            let beta = next / product;
            let members = problem.members(group);
            for i in members.start * width..members.end * width {
                search[i] = conditioned[i] + beta * search[i];
            }
        }
        let going: Vec<bool> = next.iter().zip(&goals).map(|(next, (_, goal))| next > goal).collect();
        let mut kept = going.iter();
        running.retain(|_| *kept.next().expect("one a group"));
        let mut kept = going.iter();
        goals.retain(|_| *kept.next().expect("one a group"));
        products = next.iter().zip(&going).filter(|(_, going)| **going).map(|(next, _)| *next).collect();
        if running.is_empty() {
            break;
        }
    }
    direction
}

/// Goes along `direction` as far as the loss of each group falls enough, halving from the whole step on;
/// returns how far, 0 for a group that gets no lower.
fn step(
    problem: &Problem<'_>,
    weights: &mut [f64],
    scores: &mut [f64],
    gradient: &[f64],
    direction: &[f64],
    active: &[usize],
) -> Vec<f64> {
    let (classes, width, groups) = (problem.classes, problem.width, problem.groups());
    let every: Vec<usize> = (0..groups).collect();
    let along = problem.scores(direction);
    let slopes = problem.dots(gradient, direction, &every);
    let (sizes, across) =
        (problem.dots(weights, direction, &every), problem.dots(direction, direction, &every));
    // What the size of the weights adds along the way: |w + t d|^2 / 2 - |w|^2 / 2.
    let size = |group: usize, t: f64| t * sizes[group] + 0.5 * t * t * across[group];
    let here = problem.losses(scores, &along, &vec![0.0; groups]);
    let mut steps = vec![0.0; groups];
    active.iter().for_each(|&group| steps[group] = 1.0);
    for halving in 0..=HALVINGS {
        let there = problem.losses(scores, &along, &steps);
        let too_far: Vec<usize> = active
            .iter()
            .copied()
            .filter(|&g| steps[g] > 0.0)
            .filter(|&g| there[g] - here[g] + size(g, steps[g]) > DECREASE * steps[g] * slopes[g])
            .collect();
        if too_far.is_empty() {
            break;
        }
        too_far.iter().for_each(|&g| steps[g] = if halving == HALVINGS { 0.0 } else { steps[g] / 2.0 });
    }
    let of_class = |class: usize| steps[class.min(groups - 1)];
    for (class, (weights, direction)) in
        weights.chunks_exact_mut(width).zip(direction.chunks_exact(width)).enumerate()
    {
        weights.iter_mut().zip(direction).for_each(|(w, d)| *w += of_class(class) * d);
    }
    for (scores, along) in scores.chunks_exact_mut(classes).zip(along.chunks_exact(classes)) {
        scores.iter_mut().zip(along).enumerate().for_each(|(class, (z, d))| *z += of_class(class) * d);
    }
    steps
}
