use crate::Labels;

/// One connected object of a mask.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// Its label, from 1, in the order in which a row scan meets the objects.
    pub label: u32,
    /// Number of pixels.
    pub area: usize,
    /// The smallest box around it.
    pub bounds: Bounds,
}

/// A box of whole pixels; `right` and `bottom` lie just outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// First column inside.
    pub left: usize,
    /// First row inside.
    pub top: usize,
    /// First column beyond.
    pub right: usize,
    /// First row beyond.
    pub bottom: usize,
}

impl Bounds {
    /// Columns inside.
    pub fn width(&self) -> usize {
        self.right - self.left
    }

    /// Rows inside.
    pub fn height(&self) -> usize {
        self.bottom - self.top
    }

    /// Pixels inside.
    pub fn area(&self) -> usize {
        self.width() * self.height()
    }

    /// The smallest box around the `true` pixels of a row-major mask, `None` where there are none.
    pub fn of(mask: &[bool], width: usize) -> Option<Bounds> {
        let mut found: Option<Bounds> = None;
        for (y, row) in mask.chunks_exact(width.max(1)).enumerate() {
            let Some(left) = row.iter().position(|&inside| inside) else { continue };
            let right = 1 + row.iter().rposition(|&inside| inside).unwrap_or(left);
            found = Some(match found {
                None => Bounds { left, top: y, right, bottom: y + 1 },
                Some(b) => Bounds { left: b.left.min(left), right: b.right.max(right), bottom: y + 1, ..b },
            });
        }
        found
    }
}

/// Labels the objects of a row-major mask, connected above, below, left and right, in the order in
/// which a row scan meets them: the numbering of SciPy's `ndimage.label`.
///
/// # Panics
/// If `mask` is not `width * height` long: a fault of the caller, never of input.
pub fn components(mask: &[bool], width: usize, height: usize) -> (Labels, Vec<Component>) {
    assert_eq!(mask.len(), width * height, "pixels of a {width} x {height} mask");
    let mut values = vec![0u32; mask.len()];
    let mut found: Vec<Component> = Vec::new();
    let mut stack: Vec<usize> = Vec::new();
    for start in 0..mask.len() {
        if !mask[start] || values[start] != 0 {
            continue;
        }
        let label = found.len() as u32 + 1;
        let (mut left, mut right, mut bottom, mut area) = (width, 0, 0, 0);
        values[start] = label;
        stack.push(start);
        while let Some(at) = stack.pop() {
            let (x, y) = (at % width, at / width);
            (left, right, bottom) = (left.min(x), right.max(x + 1), bottom.max(y + 1));
            area += 1;
            let mut visit = |neighbour: usize| {
                if mask[neighbour] && values[neighbour] == 0 {
                    values[neighbour] = label;
                    stack.push(neighbour);
                }
            };
            if x > 0 {
                visit(at - 1);
            }
            if x + 1 < width {
                visit(at + 1);
            }
            if y > 0 {
                visit(at - width);
            }
            if y + 1 < height {
                visit(at + width);
            }
        }
        let bounds = Bounds { left, top: start / width, right, bottom };
        found.push(Component { label, area, bounds });
    }
    (Labels::new(width, height, values), found)
}

/// Fills the holes of a row-major mask in place: whatever is outside it and cannot be reached from
/// the frame's edge through neighbours above, below, left and right, as SciPy's
/// `ndimage.binary_fill_holes`.
pub fn fill_holes(mask: &mut [bool], width: usize, height: usize) {
    assert_eq!(mask.len(), width * height, "pixels of a {width} x {height} mask");
    if mask.is_empty() {
        return;
    }
    let mut outside = vec![false; mask.len()];
    let mut stack: Vec<usize> = Vec::new();
    let reach = |at: usize, outside: &mut Vec<bool>, stack: &mut Vec<usize>| {
        if !mask[at] && !outside[at] {
            outside[at] = true;
            stack.push(at);
        }
    };
    for x in 0..width {
        reach(x, &mut outside, &mut stack);
        reach((height - 1) * width + x, &mut outside, &mut stack);
    }
    for y in 0..height {
        reach(y * width, &mut outside, &mut stack);
        reach(y * width + width - 1, &mut outside, &mut stack);
    }
    while let Some(at) = stack.pop() {
        let (x, y) = (at % width, at / width);
        if x > 0 {
            reach(at - 1, &mut outside, &mut stack);
        }
        if x + 1 < width {
            reach(at + 1, &mut outside, &mut stack);
        }
        if y > 0 {
            reach(at - width, &mut outside, &mut stack);
        }
        if y + 1 < height {
            reach(at + width, &mut outside, &mut stack);
        }
    }
    for (inside, outside) in mask.iter_mut().zip(outside) {
        *inside = !outside;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(rows: &[&str]) -> (Vec<bool>, usize, usize) {
        (rows.concat().bytes().map(|b| b == b'#').collect(), rows[0].len(), rows.len())
    }

    #[test]
    fn objects_are_numbered_in_row_order_and_diagonals_do_not_touch() {
        let (mask, width, height) = mask(&["..#..#", ".##..#", "#.....", "##..#."]);
        let (labels, found) = components(&mask, width, height);
        assert_eq!(labels.values()[..6], [0, 0, 1, 0, 0, 2]);
        assert_eq!(found.iter().map(|c| c.area).collect::<Vec<_>>(), [3, 2, 3, 1]);
        assert_eq!(found[2].bounds, Bounds { left: 0, top: 2, right: 2, bottom: 4 });
        assert_eq!(found.iter().map(|c| c.area).sum::<usize>(), mask.iter().filter(|&&m| m).count());
    }

    #[test]
    fn a_ring_is_filled_and_a_bay_is_not() {
        let (mut ring, width, height) = mask(&["####.", "#..#.", "####.", "....."]);
        fill_holes(&mut ring, width, height);
        assert_eq!(ring, mask(&["####.", "####.", "####.", "....."]).0);
        let (mut bay, width, height) = mask(&["###", "#..", "###"]);
        let before = bay.clone();
        fill_holes(&mut bay, width, height);
        assert_eq!(bay, before);
    }

    #[test]
    fn bounds_hold_every_pixel_and_no_mask_has_none() {
        let (mask, width, _) = mask(&["....", ".#..", "..#."]);
        assert_eq!(Bounds::of(&mask, width), Some(Bounds { left: 1, top: 1, right: 3, bottom: 3 }));
        assert_eq!(Bounds::of(&[false; 6], 3), None);
        assert_eq!(components(&[], 0, 0).1, []);
    }
}
