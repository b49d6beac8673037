use crate::Labels;
use crate::runs::Runs;

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
    let runs = Runs::of(mask, width, true);
    let mut values = vec![0u32; mask.len()];
    let mut found: Vec<Component> = Vec::new();
    // Labels of the runs. The root of an object is the first of its runs, so that the objects come in order.
    let mut labels: Vec<u32> = Vec::with_capacity(runs.list.len());
    for (at, run) in runs.list.iter().enumerate() {
        let root = runs.root(at);
        let label = if root == at { found.len() as u32 + 1 } else { labels[root] };
        labels.push(label);
        values[run.start..run.end].fill(label);
        let (left, y, area) = (run.start % width, run.start / width, run.end - run.start);
        let right = left + area;
        match found.get_mut(label as usize - 1) {
            None => {
                let bounds = Bounds { left, top: y, right, bottom: y + 1 };
                found.push(Component { label, area, bounds });
            }
            Some(object) => {
                object.area += area;
                let bounds = &mut object.bounds;
                (bounds.left, bounds.right) = (bounds.left.min(left), bounds.right.max(right));
                bounds.bottom = y + 1;
            }
        }
    }
    (Labels::new(width, height, values), found)
}

/// Fills the holes of a row-major mask in place: whatever is outside it and cannot be reached from
/// the frame's edge through neighbours above, below, left and right, as SciPy's
/// `ndimage.binary_fill_holes`.
///
/// # Panics
/// If `mask` is not `width * height` long: a fault of the caller, never of input.
pub fn fill_holes(mask: &mut [bool], width: usize, height: usize) {
    assert_eq!(mask.len(), width * height, "pixels of a {width} x {height} mask");
    let runs = Runs::of(mask, width, false);
    let mut outside = vec![false; runs.list.len()];
    let last_row = mask.len().saturating_sub(width);
    for (at, run) in runs.list.iter().enumerate() {
        let at_side = run.start % width == 0 || run.end % width == 0;
        outside[runs.root(at)] |= at_side || run.start < width || run.start >= last_row;
    }
    for (at, run) in runs.list.iter().enumerate() {
        if !outside[runs.root(at)] {
            mask[run.start..run.end].fill(true);
        }
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
    fn joined_runs_give_what_a_walk_from_pixel_to_pixel_gives() {
        let mut state = 7u64;
        for (width, height, share) in
            [(1, 9, 5), (9, 1, 5), (17, 13, 4), (30, 30, 5), (31, 20, 6), (40, 40, 8)]
        {
            let mask: Vec<bool> = (0..width * height)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 33) % 10 < share
                })
                .collect();
            let (labels, found) = components(&mask, width, height);
            let mut walked = vec![0u32; mask.len()];
            let mut objects = 0;
            for start in 0..mask.len() {
                if !mask[start] || walked[start] > 0 {
                    continue;
                }
                objects += 1;
                let mut stack = vec![start];
                while let Some(at) = stack.pop() {
                    let (x, y) = (at % width, at / width);
                    walked[at] = objects;
                    let around = [
                        (x > 0, -1),
                        (x + 1 < width, 1),
                        (y > 0, -(width as isize)),
                        (y + 1 < height, width as isize),
                    ];
                    let next = around.iter().filter(|step| step.0).map(|step| at.wrapping_add_signed(step.1));
                    stack.extend(next.filter(|&next| mask[next] && walked[next] == 0));
                }
            }
            assert_eq!(labels.values(), walked);
            for object in &found {
                let inside = labels.is(object.label);
                assert_eq!(object.area, inside.iter().filter(|&&i| i).count());
                assert_eq!(Some(object.bounds), Bounds::of(&inside, width));
            }
            assert_eq!(found.len(), objects as usize);
            let mut filled = mask.clone();
            fill_holes(&mut filled, width, height);
            let outside: Vec<bool> = mask.iter().map(|&inside| !inside).collect();
            let (labels, gaps) = components(&outside, width, height);
            for (at, &label) in labels.values().iter().enumerate().filter(|gap| *gap.1 > 0) {
                let Bounds { left, top, right, bottom } = gaps[label as usize - 1].bounds;
                let open = left == 0 || top == 0 || right == width || bottom == height;
                assert_eq!(filled[at], !open);
            }
        }
    }

    #[test]
    fn bounds_hold_every_pixel_and_no_mask_has_none() {
        let (mask, width, _) = mask(&["....", ".#..", "..#."]);
        assert_eq!(Bounds::of(&mask, width), Some(Bounds { left: 1, top: 1, right: 3, bottom: 3 }));
        assert_eq!(Bounds::of(&[false; 6], 3), None);
        assert_eq!(components(&[], 0, 0).1, []);
    }
}
