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
    assert_eq!(
        (elevation.width(), elevation.height()),
        (markers.width(), markers.height()),
        "sizes of elevation and markers"
    );
    let mut basin = BASIN.take();
    let labels = basin.flood(elevation, markers);
    if basin.cells.len() <= KEPT {
        BASIN.set(basin);
    }
    labels
}

/// What a flood works in: cells and queue.
///
/// Each thread keeps its own from flood to flood. New memory comes from the system page by page, at a sixth
/// of the time of a flood, and more when several threads ask at once.
#[derive(Default)]
struct Basin {
    cells: Vec<Cell>,
    queue: Shores,
}

/// Cells that a thread keeps at most, 20 bytes each with their place in the queue.
const KEPT: usize = 1 << 21;

thread_local! {
    static BASIN: std::cell::Cell<Basin> = std::cell::Cell::default();
}

impl Basin {
    fn flood(&mut self, elevation: &Plane, markers: &Labels) -> Labels {
        let (width, height) = (elevation.width(), elevation.height());
        let Basin { cells, queue } = self;

        // A rim of one pixel, never flooded, so that a neighbour's index needs no test. Height and label of a pixel
        // lie together: the flood jumps about, and each jump should fetch one line of memory and not two.
        let stride = width + 2;
        assert!(
            stride * (height + 2) < INNER as usize,
            "an elevation of {width} x {height} pixels is too large"
        );
        cells.clear();
        cells.resize(stride * (height + 2), Cell { height: 0, label: RIM });
        for y in 0..height {
            let line = &mut cells[(y + 1) * stride + 1..][..width];
            let labels = &markers.values()[y * width..][..width];
            for ((cell, &value), &label) in line.iter_mut().zip(elevation.row(y)).zip(labels) {
                *cell = Cell { height: ordered_bits(value), label };
            }
        }

        queue.clear(width * height);
        let mut dry = 0;
        for y in 0..height {
            for at in (y + 1) * stride + 1..(y + 1) * stride + 1 + width {
                if cells[at].label == 0 {
                    dry += 1;
                    continue;
                }
                let around = [at - stride, at - 1, at + 1, at + stride];
                let inner = around.iter().all(|&neighbour| cells[neighbour].label != 0);
                let pixel = at as u32 | if inner { INNER } else { 0 };
                queue.push(u64::from(cells[at].height) << 32, pixel);
            }
        }
        let mut age = 0u64;
        // Once every pixel is under water the shores that are left can change nothing.
        while dry > 0
            && let Some((key, at)) = queue.pop()
        {
            for next in queue.soon().iter().filter(|&&next| next & INNER == 0) {
                for line in [-1, 0, 1] {
                    prefetch(
                        cells.as_ptr().wrapping_add(*next as usize).wrapping_offset(line * stride as isize),
                    );
                }
            }
            if at & INNER != 0 {
                continue;
            }
            let at = at as usize;
            let level = key >> 32;
            let label = cells[at].label;
            for neighbour in [at - stride, at - 1, at + 1, at + stride] {
                let cell = &mut cells[neighbour];
                if cell.label == 0 {
                    age += 1;
                    dry -= 1;
                    cell.label = label;
                    queue.push(u64::from(cell.height).max(level) << 32 | age, neighbour as u32);
                }
            }
        }

        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            values.extend(cells[(y + 1) * stride + 1..][..width].iter().map(|cell| cell.label));
        }
        Labels::new(width, height, values)
    }
}

/// A pixel's height, as bits that sort, and its label.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Cell {
    height: u32,
    label: u32,
}

/// Asks for the line of memory that a cell lies in, if the processor takes such requests.
#[inline(always)]
fn prefetch(cell: *const Cell) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing that the program could see, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(cell.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = cell;
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
