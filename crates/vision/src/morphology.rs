/// Adds to a row-major mask every pixel that lies within `radius` pixels of it (Euclidean).
pub(crate) fn dilate(mask: &[bool], width: usize, height: usize, radius: usize) -> Vec<bool> {
    if mask.is_empty() || radius == 0 {
        return mask.to_vec();
    }
    // Distance to the mask within the column, cut off at radius + 1: that is already too far.
    let far = radius as i32 + 1;
    let mut column = vec![far; mask.len()];
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let above = if y > 0 { column[at - width] + 1 } else { far };
            column[at] = if mask[at] { 0 } else { above.min(far) };
        }
    }
    for y in (0..height.saturating_sub(1)).rev() {
        for x in 0..width {
            let at = y * width + x;
            column[at] = column[at].min(column[at + width] + 1);
        }
    }
    // Then the nearest over the row: distance^2 = dx^2 + dy^2.
    let limit = (radius * radius) as i32;
    let mut out = vec![false; mask.len()];
    let mut padded = vec![far * far; width + 2 * radius];
    let mut nearest = vec![0i32; width];
    for (distances, out) in column.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        for (padded, &distance) in padded[radius..].iter_mut().zip(distances) {
            *padded = distance * distance;
        }
        nearest.fill(i32::MAX);
        for shift in 0..=2 * radius {
            let dx = shift as i32 - radius as i32;
            for (nearest, &squared) in nearest.iter_mut().zip(&padded[shift..]) {
                *nearest = (*nearest).min(squared + dx * dx);
            }
        }
        for (out, &nearest) in out.iter_mut().zip(&nearest) {
            *out = nearest <= limit;
        }
    }
    out
}

/// Takes from a row-major mask every pixel within `radius` pixels of its outside. Beyond the frame
/// counts as inside, so that a wrist cut by the frame keeps its width there.
pub(crate) fn erode(mask: &[bool], width: usize, height: usize, radius: usize) -> Vec<bool> {
    let outside: Vec<bool> = mask.iter().map(|&inside| !inside).collect();
    dilate(&outside, width, height, radius).iter().map(|&outside| !outside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_becomes_a_disc_and_goes_back() {
        let mut mask = vec![false; 15 * 11];
        mask[5 * 15 + 7] = true;
        let disc = dilate(&mask, 15, 11, 3);
        for y in 0..11i32 {
            for x in 0..15i32 {
                let near = (x - 7).pow(2) + (y - 5).pow(2) <= 9;
                assert_eq!(disc[(y * 15 + x) as usize], near, "{x} {y}");
            }
        }
        assert_eq!(erode(&disc, 15, 11, 3).iter().filter(|&&m| m).count(), 1);
    }

    #[test]
    fn the_frame_erodes_nothing() {
        assert!(erode(&[true; 12], 4, 3, 2).iter().all(|&m| m));
    }
}
