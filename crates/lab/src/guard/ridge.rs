/// Least `|y - X w - c|^2 + strength * n * |w|^2` over `n` rows; the weights with the constant `c` last.
///
/// By conjugate gradients on the normal equations, which at these strengths are done after some dozens of steps.
/// `rows` are of one length and at least one; `targets` one a row.
pub(super) fn ridge(rows: &[Vec<f32>], targets: &[f64], strength: f64) -> Vec<f32> {
    let (n, width) = (rows.len() as f64, rows.first().map_or(0, Vec::len));
    let mut means = vec![0.0; width];
    for row in rows {
        means.iter_mut().zip(row).for_each(|(mean, &v)| *mean += f64::from(v) / n);
    }
    let target_mean = targets.iter().sum::<f64>() / n;
    let centred = |row: &[f32], w: &[f64]| -> f64 {
        row.iter().zip(&means).zip(w).map(|((&v, mean), w)| (f64::from(v) - mean) * w).sum()
    };
    // (X^T X + strength n I) w and X^T r, both on centred rows.
    let gathered = |residuals: &[f64]| {
        let mut sum = vec![0.0; width];
        for (row, r) in rows.iter().zip(residuals) {
            let terms = row.iter().zip(&means);
            sum.iter_mut().zip(terms).for_each(|(sum, (&v, mean))| *sum += (f64::from(v) - mean) * r);
        }
        sum
    };
    let apply = |w: &[f64]| {
        let along: Vec<f64> = rows.iter().map(|row| centred(row, w)).collect();
        let mut sum = gathered(&along);
        sum.iter_mut().zip(w).for_each(|(sum, w)| *sum += strength * n * w);
        sum
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();

    let mut w = vec![0.0; width];
    let away: Vec<f64> = targets.iter().map(|y| y - target_mean).collect();
    let mut residual = gathered(&away);
    let mut direction = residual.clone();
    let mut size = dot(&residual, &residual);
    let done = size * TOLERANCE * TOLERANCE;
    for _ in 0..MOST_STEPS {
        if size <= done {
            break;
        }
        let pushed = apply(&direction);
        let step = size / dot(&direction, &pushed);
        w.iter_mut().zip(&direction).for_each(|(w, d)| *w += step * d);
        residual.iter_mut().zip(&pushed).for_each(|(r, p)| *r -= step * p);
        let next = dot(&residual, &residual);
        direction.iter_mut().zip(&residual).for_each(|(d, r)| *d = r + next / size * *d);
        size = next;
    }
    let constant = target_mean - dot(&w, &means);
    w.iter().chain([&constant]).map(|&v| v as f32).collect()
}

/// Done when the gradient has fallen to this share of the first.
const TOLERANCE: f64 = 1e-6;
const MOST_STEPS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::stream;

    #[test]
    fn a_line_is_found_and_strength_shrinks_it() {
        let mut random = stream(3, &["ridge"]);
        let rows: Vec<Vec<f32>> =
            (0..40).map(|_| (0..3).map(|_| random.normal() as f32 + 2.0).collect()).collect();
        let line = |row: &Vec<f32>| 5.0 + f64::from(row[0]) - 2.0 * f64::from(row[2]);
        let targets: Vec<f64> = rows.iter().map(line).collect();
        let exact = ridge(&rows, &targets, 1e-9);
        for (found, expected) in exact.iter().zip([1.0, 0.0, -2.0, 5.0]) {
            assert!((found - expected).abs() < 1e-3, "{exact:?}");
        }
        let shrunk = ridge(&rows, &targets, 1.0);
        assert!(shrunk[0] > 0.2 && shrunk[0] < 0.8 && shrunk[2] > -1.6 && shrunk[2] < -0.4, "{shrunk:?}");
        // The line still passes through the middle of the points.
        let mean = |f: &dyn Fn(&Vec<f32>) -> f64| rows.iter().map(f).sum::<f64>() / 40.0;
        let reached = mean(&|row| {
            row.iter().zip(&shrunk).map(|(&v, &w)| f64::from(v * w)).sum::<f64>() + f64::from(shrunk[3])
        });
        assert!((reached - mean(&line)).abs() < 1e-4);
    }
}
