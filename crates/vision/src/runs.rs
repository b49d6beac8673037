/// A row's stretch of equal pixels, row-major indices; `end` lies just behind it.
pub(crate) struct Run {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// A run of the same object that came earlier, or this one: see [`Runs::root`].
    parent: usize,
}

/// The runs of a mask, joined into objects that are connected above, below, left and right.
///
/// A radiograph's row has a few runs and hundreds of pixels, so objects are found by joining runs (a union
/// of sets, whose root is always the first run) rather than by walking from pixel to pixel.
pub(crate) struct Runs {
    /// In the order of a row scan.
    pub(crate) list: Vec<Run>,
}

impl Runs {
    /// The runs of pixels that are `inside` in a row-major mask of whole rows.
    pub(crate) fn of(mask: &[bool], width: usize, inside: bool) -> Runs {
        let mut runs = Runs { list: Vec::new() };
        // Runs of the row above that may still touch one of this row.
        let mut above = 0;
        for (y, row) in mask.chunks_exact(width.max(1)).enumerate() {
            let here = runs.list.len();
            runs.cut(row, y * width, inside);
            for at in here..runs.list.len() {
                let (start, end) = (runs.list[at].start, runs.list[at].end);
                while above < here && runs.list[above].end + width <= start {
                    above += 1;
                }
                let mut other = above;
                while other < here && runs.list[other].start + width < end {
                    runs.join(other, at);
                    other += 1;
                }
            }
            above = here;
        }
        runs
    }

    /// Adds the runs of one row.
    fn cut(&mut self, row: &[bool], offset: usize, inside: bool) {
        let mut from = 0;
        while let Some(start) = row[from..].iter().position(|&pixel| pixel == inside) {
            let start = from + start;
            let length = row[start..].iter().position(|&pixel| pixel != inside);
            let end = length.map_or(row.len(), |length| start + length);
            let parent = self.list.len();
            self.list.push(Run { start: offset + start, end: offset + end, parent });
            from = end;
        }
    }

    /// The first run of the object that run `at` belongs to.
    pub(crate) fn root(&self, mut at: usize) -> usize {
        while self.list[at].parent != at {
            at = self.list[at].parent;
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.shortened_root(a), self.shortened_root(b));
        self.list[a.max(b)].parent = a.min(b);
    }

    /// As [`Runs::root`], and halves the way there.
    fn shortened_root(&mut self, mut at: usize) -> usize {
        while self.list[at].parent != at {
            let parent = self.list[at].parent;
            self.list[at].parent = self.list[parent].parent;
            at = self.list[at].parent;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_that_meet_below_are_one_object_and_its_root_is_its_first_run() {
        let rows = ["#.#.#", "#.#.#", "#.###", "###..", "....#"];
        let mask: Vec<bool> = rows.concat().bytes().map(|b| b == b'#').collect();
        let runs = Runs::of(&mask, 5, true);
        let roots: Vec<usize> = (0..runs.list.len()).map(|at| runs.root(at)).collect();
        assert_eq!(roots, [0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        let lengths: usize = runs.list.iter().map(|run| run.end - run.start).sum();
        assert_eq!(lengths, mask.iter().filter(|&&inside| inside).count());
        let outside = Runs::of(&mask, 5, false);
        assert_eq!(lengths + outside.list.iter().map(|run| run.end - run.start).sum::<usize>(), 25);
    }
}
