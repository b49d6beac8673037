use boneage_core::Plane;

/// The Sobel gradient's magnitude, an image of the same size: where brightness changes, and how fast.
///
/// With `a b c` the rows above, at and below a pixel,
///
/// ```text
/// gx = ((a[x+1] - a[x-1]) + 2 (b[x+1] - b[x-1]) + (c[x+1] - c[x-1])) / 4
/// gy = ((c[x-1] - a[x-1]) + 2 (c[x]   - a[x])   + (c[x+1] - a[x+1])) / 4
/// magnitude = sqrt(gx^2 + gy^2) / sqrt(2)
/// ```
///
/// Beyond the frame the edge pixel is repeated. Weights, edges and normalisation are those of
/// scikit-image's `filters.sobel`, which the paper's segmentation was built on (section III.B).
/// The differences are taken in f64 as there, so that the result is the same to the last bit and a
/// flood over it breaks ties in the same way.
pub fn sobel(plane: &Plane) -> Plane {
    let (width, height) = (plane.width(), plane.height());
    let mut pixels = vec![0.0f32; width * height];
    if !pixels.is_empty() {
        fill(plane, &mut pixels);
    }
    Plane::new(width, height, pixels)
}

#[cfg(target_arch = "x86_64")]
fn fill(plane: &Plane, pixels: &mut [f32]) {
    if std::arch::is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has AVX-512; the body is the same safe code, compiled for it.
        unsafe { fill_avx512(plane, pixels) }
    } else if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2; the body is the same safe code, compiled for it.
        unsafe { fill_avx2(plane, pixels) }
    } else {
        fill_rows(plane, pixels);
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn fill(plane: &Plane, pixels: &mut [f32]) {
    fill_rows(plane, pixels);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn fill_avx512(plane: &Plane, pixels: &mut [f32]) {
    fill_rows(plane, pixels);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn fill_avx2(plane: &Plane, pixels: &mut [f32]) {
    fill_rows(plane, pixels);
}

/// Inlined into each caller, so that the compiler may use what the caller's processor has. No step is
/// fused or reordered: the result is the same everywhere.
#[inline(always)]
fn fill_rows(plane: &Plane, pixels: &mut [f32]) {
    let (width, height) = (plane.width(), plane.height());
    // One pixel longer at each end, so that the inner loop needs no test for the edge.
    let mut smooth = vec![0.0f64; width + 2];
    let mut slope = vec![0.0f64; width + 2];
    for (y, out) in pixels.chunks_exact_mut(width).enumerate() {
        let above = plane.row(y.saturating_sub(1));
        let here = plane.row(y);
        let below = plane.row((y + 1).min(height - 1));
        let columns = smooth[1..=width].iter_mut().zip(&mut slope[1..=width]);
        for ((smooth, slope), ((&a, &b), &c)) in columns.zip(above.iter().zip(here).zip(below)) {
            let (a, b, c) = (f64::from(a), f64::from(b), f64::from(c));
            *smooth = a + c + 2.0 * b;
            *slope = c - a;
        }
        for line in [&mut smooth, &mut slope] {
            line[0] = line[1];
            line[width + 1] = line[width];
        }
        let across = smooth.iter().zip(&smooth[2..]);
        let down = slope.iter().zip(&slope[1..]).zip(&slope[2..]);
        for (out, ((left, right), ((above, here), below))) in out.iter_mut().zip(across.zip(down)) {
            let gx = ((right - left) * 0.25) as f32;
            let gy = ((above + below + 2.0 * here) * 0.25) as f32;
            *out = (gy * gy + gx * gx).sqrt() / std::f32::consts::SQRT_2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_image_has_no_gradient_and_an_empty_one_stays_empty() {
        assert!(sobel(&Plane::filled(7, 5, 0.3)).pixels().iter().all(|&g| g == 0.0));
        assert_eq!(sobel(&Plane::filled(0, 5, 0.0)).pixels().len(), 0);
        assert_eq!(sobel(&Plane::filled(1, 1, 2.0)).pixels(), [0.0]);
    }

    #[test]
    fn a_ramp_has_its_slope_over_the_square_root_of_two() {
        let gradient = sobel(&Plane::from_fn(9, 9, |x, _| 3.0 * x as f32));
        // Two pixels apart, so twice the slope; the weights sum to one on either side.
        assert!((gradient.at(4, 4) - 6.0 / 2.0f32.sqrt()).abs() < 1e-6);
        // The repeated edge halves it.
        assert!((gradient.at(0, 4) - 3.0 / 2.0f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn turning_the_image_turns_the_gradient() {
        let image = Plane::from_fn(11, 8, |x, y| ((x * 7 + y * 13) % 17) as f32);
        let turned = Plane::from_fn(8, 11, |x, y| image.at(y, x));
        let (gradient, other) = (sobel(&image), sobel(&turned));
        for y in 0..8 {
            for x in 0..11 {
                assert!((gradient.at(x, y) - other.at(y, x)).abs() < 1e-5);
            }
        }
    }
}
