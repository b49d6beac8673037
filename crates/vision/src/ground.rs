use boneage_core::Plane;

/// The smooth ground of a radiograph: what the plate shows where nothing lies on it.
///
/// A polynomial of degree two over the field, fitted to the dark side of the grey values and fitted
/// again to what lies close to it. Not in the paper, whose two thresholds are fixed: these films are
/// lit from one side often enough (heel effect, scatter) that no single threshold parts the hand
/// from the plate.
pub(crate) struct Ground {
    coefficients: [f64; TERMS],
    scale: (f64, f64),
}

const TERMS: usize = 6;

/// Every fourth pixel of every fourth row is plenty for six numbers.
const STEP: usize = 4;

impl Ground {
    /// Fits the ground of `grey` (row-major, `width` columns) inside `field`.
    pub(crate) fn fit(grey: &[f32], field: &[bool], width: usize, height: usize) -> Ground {
        let scale = (2.0 / width.max(2) as f64, 2.0 / height.max(2) as f64);
        let mut samples: Vec<([f64; TERMS], f32)> = Vec::new();
        for y in (0..height).step_by(STEP) {
            for x in (0..width).step_by(STEP) {
                if field[y * width + x] {
                    samples.push((terms(x, y, scale), grey[y * width + x]));
                }
            }
        }
        let values: Vec<f32> = samples.iter().map(|s| s.1).collect();
        // Letters of lead weigh more than the hand does on a faint film.
        let parted = |values: &[f32]| {
            let top = quantile(values.to_vec(), BRIGHTEST);
            otsu(&values.iter().map(|&value| value.min(top)).collect::<Vec<_>>())
        };
        let start = parted(&values).unwrap_or(f32::MAX);
        let mut near: Vec<bool> = values.iter().map(|&v| v <= start).collect();
        let mut ground = Ground { coefficients: [0.0; TERMS], scale };
        for _ in 0..ROUNDS {
            let Some(coefficients) = least_squares(&samples, &near) else { break };
            ground.coefficients = coefficients;
            let rest: Vec<f32> = samples.iter().map(|(t, v)| v - dot(t, &coefficients)).collect();
            let Some(limit) = parted(&rest) else { break };
            // Where the fit cuts through the hand, nothing tells the ground from what is darker than it.
            let darkest = if limit > 0.0 { -limit * DARKER } else { f32::NEG_INFINITY };
            for (near, &rest) in near.iter_mut().zip(&rest) {
                *near = (darkest..=limit * KEEP).contains(&rest);
            }
        }
        ground
    }

    /// The ground's grey along row `y`.
    pub(crate) fn row(&self, y: usize, width: usize) -> impl Iterator<Item = f32> + '_ {
        (0..width).map(move |x| dot(&terms(x, y, self.scale), &self.coefficients))
    }
}

/// Fits after the first.
const ROUNDS: usize = 5;

/// A sample belongs to the ground when it rises above it by less than this share of the threshold
/// between ground and hand: soft tissue must not lift the ground.
const KEEP: f32 = 0.6;

/// And when it lies below it by less than this many thresholds: what is darker is no ground but the dark
/// beyond the plate, a strip of which along the frame would bend the ground downwards there. Not in
/// the paper; of 12,611 films this moved 36 boxes, nearly all of which had held half of the plate.
const DARKER: f32 = 3.0;

fn terms(x: usize, y: usize, scale: (f64, f64)) -> [f64; TERMS] {
    let (u, v) = (x as f64 * scale.0 - 1.0, y as f64 * scale.1 - 1.0);
    [1.0, u, v, u * u, u * v, v * v]
}

fn dot(terms: &[f64; TERMS], coefficients: &[f64; TERMS]) -> f32 {
    terms.iter().zip(coefficients).map(|(t, c)| t * c).sum::<f64>() as f32
}

/// Normal equations with a touch of ridge, by Gaussian elimination; `None` with too few samples.
fn least_squares(samples: &[([f64; TERMS], f32)], near: &[bool]) -> Option<[f64; TERMS]> {
    let mut matrix = [[0.0f64; TERMS + 1]; TERMS];
    let mut count = 0;
    for ((terms, value), _) in samples.iter().zip(near).filter(|&(_, &near)| near) {
        count += 1;
        for (row, &term) in matrix.iter_mut().zip(terms) {
            for (cell, &other) in row.iter_mut().zip(terms) {
                *cell += term * other;
            }
            row[TERMS] += term * f64::from(*value);
        }
    }
    if count < 4 * TERMS {
        return None;
    }
    for (i, row) in matrix.iter_mut().enumerate() {
        // Not on the constant: a flat ground must come out flat.
        if i > 0 {
            row[i] += 1e-3 * f64::from(count as u32);
        }
    }
    for pivot in 0..TERMS {
        let best =
            (pivot..TERMS).max_by(|&a, &b| matrix[a][pivot].abs().total_cmp(&matrix[b][pivot].abs()))?;
        matrix.swap(pivot, best);
        if matrix[pivot][pivot].abs() < 1e-12 {
            return None;
        }
        let pivot_row = matrix[pivot];
        for row in matrix.iter_mut().skip(pivot + 1) {
            let factor = row[pivot] / pivot_row[pivot];
            for (cell, &above) in row.iter_mut().zip(&pivot_row) {
                *cell -= factor * above;
            }
        }
    }
    let mut solution = [0.0; TERMS];
    for i in (0..TERMS).rev() {
        let known: f64 = (i + 1..TERMS).map(|j| matrix[i][j] * solution[j]).sum();
        solution[i] = (matrix[i][TERMS] - known) / matrix[i][i];
    }
    Some(solution)
}

/// The grey of a field with its smooth ground taken off.
pub(crate) struct Flattened {
    width: usize,
    field: Vec<bool>,
    above: Vec<f32>,
    top: f32,
    threshold: f32,
}

/// Grey above this share of the field's pixels is cut off before Otsu's threshold is taken: letters
/// of lead and the densest bone would pull it up.
const BRIGHTEST: f64 = 0.96;

impl Flattened {
    /// `grey` inside `field`, a row-major mask of the same size.
    pub(crate) fn new(grey: &Plane, field: Vec<bool>) -> Self {
        let (width, height) = (grey.width(), grey.height());
        let ground = Ground::fit(grey.pixels(), &field, width, height);
        let mut above = vec![0.0f32; width * height];
        for (y, above) in above.chunks_exact_mut(width.max(1)).enumerate() {
            for ((above, &grey), ground) in above.iter_mut().zip(grey.row(y)).zip(ground.row(y, width)) {
                *above = grey - ground;
            }
        }
        let mut inside: Vec<f32> = above.iter().zip(&field).filter(|&(_, &f)| f).map(|(&a, _)| a).collect();
        let top = quantile(inside.clone(), BRIGHTEST);
        for value in &mut inside {
            *value = value.min(top);
        }
        let threshold = otsu(&inside).unwrap_or(f32::INFINITY);
        Flattened { width, field, above, top: top.max(0.0), threshold }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn height(&self) -> usize {
        self.above.len() / self.width.max(1)
    }

    /// Where the hand may lie.
    pub(crate) fn field(&self) -> &[bool] {
        &self.field
    }

    /// Grey above the ground, everywhere in the frame.
    pub(crate) fn above(&self) -> &[f32] {
        &self.above
    }

    /// Grey above the ground that nearly nothing exceeds.
    pub(crate) fn top(&self) -> f32 {
        self.top
    }

    /// Otsu's threshold between ground and hand; infinite where the field is flat.
    pub(crate) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// Median grey above the ground inside a mask; 0 for an empty one.
    pub(crate) fn median_inside(&self, mask: &[bool]) -> f32 {
        quantile(self.above.iter().zip(mask).filter(|&(_, &m)| m).map(|(&a, _)| a).collect(), 0.5)
    }
}

/// The value that a share of `values` lies below; 0 of none.
pub(crate) fn quantile(mut values: Vec<f32>, share: f64) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let at = ((values.len() - 1) as f64 * share) as usize;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}

/// Otsu's threshold: the grey that parts `values` into two classes with the greatest variance
/// between them (256 bins; Otsu, IEEE Trans. SMC 9, 1979). `None` where all are equal or none is there.
pub(crate) fn otsu(values: &[f32]) -> Option<f32> {
    let (low, high) =
        values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
    let span = high - low;
    if !span.is_finite() || span <= 0.0 {
        return None;
    }
    let mut counts = [0u32; BINS];
    for &value in values {
        counts[(((value - low) / span * BINS as f32) as usize).min(BINS - 1)] += 1;
    }
    let total = values.len() as f64;
    let mean: f64 = counts.iter().enumerate().map(|(bin, &n)| bin as f64 * f64::from(n)).sum::<f64>() / total;
    let (mut weight, mut sum, mut best, mut at) = (0.0, 0.0, -1.0, 0);
    for (bin, &n) in counts.iter().enumerate().take(BINS - 1) {
        weight += f64::from(n);
        sum += bin as f64 * f64::from(n);
        if weight == 0.0 || weight == total {
            continue;
        }
        let between = (mean * weight - sum).powi(2) / (weight * (total - weight));
        if between > best {
            (best, at) = (between, bin);
        }
    }
    Some(low + span * (at + 1) as f32 / BINS as f32)
}

const BINS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn otsu_parts_two_heaps_and_needs_two_greys() {
        let mut values = vec![0.1; 700];
        values.extend([0.8; 300]);
        let threshold = otsu(&values).unwrap();
        assert!((0.1..0.8).contains(&threshold), "{threshold}");
        assert_eq!(otsu(&[0.4; 9]), None);
        assert_eq!(otsu(&[]), None);
        assert_eq!(otsu(&[f32::NAN, 1.0]), None);
    }

    #[test]
    fn a_slanted_ground_is_found_under_a_bright_object() {
        let (width, height) = (120, 100);
        let slant = |x: usize, y: usize| 0.1 + 0.002 * x as f32 + 0.001 * y as f32;
        let object = |x: usize, y: usize| (40..80).contains(&x) && (20..100).contains(&y);
        let grey: Vec<f32> = (0..width * height)
            .map(|i| (i % width, i / width))
            .map(|(x, y)| slant(x, y) + if object(x, y) { 0.4 } else { 0.0 })
            .collect();
        let ground = Ground::fit(&grey, &vec![true; grey.len()], width, height);
        for y in [0, 50, 99] {
            for (x, found) in ground.row(y, width).enumerate() {
                assert!((found - slant(x, y)).abs() < 0.03, "{x} {y}: {found}");
            }
        }
    }

    #[test]
    fn a_dark_strip_along_the_frame_does_not_bend_the_ground() {
        let (width, height) = (120, 100);
        let object = |x: usize, y: usize| (40..80).contains(&x) && (20..100).contains(&y);
        let grey: Vec<f32> = (0..width * height)
            .map(|i| (i % width, i / width))
            .map(|(x, y)| match x {
                0 => 0.2,
                _ if object(x, y) => 0.65,
                _ => 0.5,
            })
            .collect();
        let ground = Ground::fit(&grey, &vec![true; grey.len()], width, height);
        for found in ground.row(10, width).skip(1) {
            assert!((found - 0.5).abs() < 0.02, "{found}");
        }
    }
}
