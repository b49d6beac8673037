use crate::Labels;
use crate::shores::Shores;
use boneage_core::Plane;

/// Floods `elevation` from `markers`: each pixel gets the label of the marker whose water reaches it
/// first, through neighbours above, below, left and right.
///
/// A queue holds the shores, lowest first and, where equally high, in the order in which the water
/// came to them; a plateau between two markers is so split half way. Labels are those of
/// scikit-image's `segmentation.watershed` with its defaults, ties included: markers enter the queue
/// in row order with one and the same age, so even their order is defined, by the binary heap's own
/// exchanges, and this heap makes the same ones.
///
/// Returns labels of the size of `elevation`; all 0 without any marker.
///
/// # Panics
/// If the two sizes differ, or for 2^31 pixels and more: faults of the caller, never of input.
pub fn watershed(elevation: &Plane, markers: &Labels) -> Labels {
    let (width, height) = (elevation.width(), elevation.height());
    assert_eq!((width, height), (markers.width(), markers.height()), "sizes of elevation and markers");

    // A rim of one pixel, never flooded, so that a neighbour's index needs no test.
    let stride = width + 2;
    assert!(stride * (height + 2) < INNER as usize, "an elevation of {width} x {height} pixels is too large");
    let mut labels = vec![RIM; stride * (height + 2)];
    let mut heights = vec![0u32; stride * (height + 2)];
    for y in 0..height {
        let start = (y + 1) * stride + 1;
        labels[start..start + width].copy_from_slice(&markers.values()[y * width..][..width]);
        for (ordered, &value) in heights[start..start + width].iter_mut().zip(elevation.row(y)) {
            *ordered = ordered_bits(value);
        }
    }

    let mut queue = Shores::with_capacity(width * height);
    for y in 0..height {
        for at in (y + 1) * stride + 1..(y + 1) * stride + 1 + width {
            if labels[at] != 0 {
                let around = [at - stride, at - 1, at + 1, at + stride];
                let inner = around.iter().all(|&neighbour| labels[neighbour] != 0);
                let pixel = at as u32 | if inner { INNER } else { 0 };
                queue.push(u64::from(heights[at]) << 32, pixel);
            }
        }
    }
    let mut dry = labels.iter().filter(|&&label| label == 0).count();
    let mut age = 0u64;
    // Once every pixel is under water the shores that are left can change nothing.
    while dry > 0
        && let Some((key, at)) = queue.pop()
    {
        if at & INNER != 0 {
            continue;
        }
        let at = at as usize;
        let level = key >> 32;
        let label = labels[at];
        for neighbour in [at - stride, at - 1, at + 1, at + stride] {
            if labels[neighbour] == 0 {
                age += 1;
                dry -= 1;
                labels[neighbour] = label;
                let height = u64::from(heights[neighbour]).max(level);
                queue.push(height << 32 | age, neighbour as u32);
            }
        }
    }

    let mut values = Vec::with_capacity(width * height);
    for y in 0..height {
        values.extend_from_slice(&labels[(y + 1) * stride + 1..][..width]);
    }
    Labels::new(width, height, values)
}

/// Marks a pixel in the queue that has no free neighbour from the start: most markers. It takes its turn,
/// as the order of the others depends on it, but nothing around it has to be looked at, which spares a
/// visit to three lines of memory.
const INNER: u32 = 1 << 31;

/// The label of the rim around the frame: neither free nor a marker's.
const RIM: u32 = u32::MAX;

/// Bits that sort as the numbers do, negative ones too; -0 sorts as 0.
fn ordered_bits(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markers(width: usize, height: usize, seeds: &[(usize, usize, u32)]) -> Labels {
        let mut values = vec![0; width * height];
        for &(x, y, label) in seeds {
            values[y * width + x] = label;
        }
        Labels::new(width, height, values)
    }

    #[test]
    fn a_ridge_parts_two_basins() {
        let elevation = Plane::from_fn(9, 3, |x, _| if x == 4 { 1.0 } else { 0.1 });
        let labels = watershed(&elevation, &markers(9, 3, &[(0, 1, 1), (8, 1, 2)]));
        for y in 0..3 {
            for x in 0..9 {
                if x != 4 {
                    assert_eq!(labels.at(x, y), if x < 4 { 1 } else { 2 });
                }
            }
        }
    }

    #[test]
    fn a_plateau_is_split_half_way() {
        let labels = watershed(&Plane::filled(8, 1, 0.0), &markers(8, 1, &[(0, 0, 1), (7, 0, 2)]));
        assert_eq!(labels.values(), [1, 1, 1, 1, 2, 2, 2, 2]);
    }

    #[test]
    fn no_marker_no_label_and_one_marker_takes_all() {
        let elevation = Plane::from_fn(6, 5, |x, y| (x * y) as f32 - 7.0);
        assert!(watershed(&elevation, &markers(6, 5, &[])).values().iter().all(|&l| l == 0));
        assert!(watershed(&elevation, &markers(6, 5, &[(2, 2, 9)])).values().iter().all(|&l| l == 9));
    }

    #[test]
    fn bits_sort_as_numbers_do() {
        let values = [f32::NEG_INFINITY, -2.5, -1e-30, 0.0, 1e-30, 0.5, 3.0, f32::INFINITY];
        for pair in values.windows(2) {
            assert!(ordered_bits(pair[0]) < ordered_bits(pair[1]), "{pair:?}");
        }
        assert_eq!(ordered_bits(-0.0), ordered_bits(0.0));
    }
}
