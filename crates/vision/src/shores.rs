use std::hint::select_unpredictable;

/// A binary heap of shores, lowest first: keys (height in the upper 32 bits, age in the lower) apart
/// from the pixels they stand for, as only the keys are on the way of a search.
///
/// Markers of one height have equal keys, and which of them comes first is decided by the exchanges of
/// the heap that scikit-image uses: a new shore rises while it is strictly lower than what is above it;
/// the last one sinks from the top while what is below is strictly lower, and of two equal ones the left
/// goes up. This heap makes the same exchanges and so gives the same order. It is faster because it looks
/// at three generations at once, whichever child wins: the way down is a chain of loads, each waiting for
/// the one before, and is a third as long in threes.
///
/// Slot 0 holds no shore but the lowest key of all, so that the children of slot `i` are the neighbours
/// `2 i` and `2 i + 1`.
#[derive(Default)]
pub(crate) struct Shores {
    keys: Vec<u64>,
    pixels: Vec<u32>,
}

impl Shores {
    /// Takes every shore out and makes room for `capacity`; comes before the first shore.
    pub(crate) fn clear(&mut self, capacity: usize) {
        self.keys.clear();
        self.pixels.clear();
        self.keys.reserve(capacity + 1);
        self.pixels.reserve(capacity + 1);
        self.keys.push(0);
        self.pixels.push(0);
    }

    /// Pixels that are likely to come next: the first one and the two below it.
    #[inline]
    pub(crate) fn soon(&self) -> &[u32] {
        &self.pixels[1..self.pixels.len().min(4)]
    }

    #[inline]
    pub(crate) fn push(&mut self, key: u64, pixel: u32) {
        let hole = self.keys.len();
        self.keys.push(key);
        self.pixels.push(pixel);
        let (keys, pixels) = (self.keys.as_mut_slice(), &mut self.pixels.as_mut_slice()[..=hole]);
        let keys = &mut keys[..=hole];
        // Most shores rise by less than two generations, which no branch can guess.
        let (parent, grandparent) = (hole / 2, hole / 4);
        let (one, two) = (key < keys[parent], key < keys[grandparent]);
        let (down, whose) = (keys[parent], pixels[parent]);
        keys[hole] = select_unpredictable(one, down, key);
        pixels[hole] = select_unpredictable(one, whose, pixel);
        if !two {
            keys[parent] = select_unpredictable(one, key, down);
            pixels[parent] = select_unpredictable(one, pixel, whose);
            return;
        }
        let mut hole = parent;
        // Nothing rises into slot 0.
        while key < keys[hole / 2] {
            keys[hole] = keys[hole / 2];
            pixels[hole] = pixels[hole / 2];
            hole /= 2;
        }
        keys[hole] = key;
        pixels[hole] = pixel;
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<(u64, u32)> {
        if self.keys.len() < 2 {
            return None;
        }
        let (key, pixel) = (self.keys.pop()?, self.pixels.pop()?);
        let keys = self.keys.as_mut_slice();
        let end = keys.len();
        if end == 1 {
            return Some((key, pixel));
        }
        let pixels = &mut self.pixels.as_mut_slice()[..end];
        let first = (keys[1], pixels[1]);
        let mut hole = 1;
        // Three generations at a time, as long as all of them are there.
        while 8 * hole + 7 < end {
            // SAFETY: both arrays hold `end` slots, and no slot here is beyond `8 * hole + 7`.
            let at = |slot: usize| unsafe { *keys.get_unchecked(slot) };
            let lower = |slot: usize| usize::from(at(slot + 1) < at(slot));
            // Which of two is lower at every fork that may be met. No branch, which would be guessed wrong half
            // of the time.
            let (child, grandchild, last) = (2 * hole, 4 * hole, 8 * hole);
            let right = at(child + 1) < at(child);
            let below = [lower(grandchild), 2 + lower(grandchild + 2)];
            let far = [lower(last), 2 + lower(last + 2), 4 + lower(last + 4), 6 + lower(last + 6)];
            let left_far = select_unpredictable(below[0] == 1, far[1], far[0]);
            let right_far = select_unpredictable(below[1] == 3, far[3], far[2]);
            let child = child + usize::from(right);
            let grandchild = grandchild + select_unpredictable(right, below[1], below[0]);
            let last = last + select_unpredictable(right, right_far, left_far);
            for slot in [child, grandchild, last] {
                // SAFETY: as above; `hole` is a slot that was read.
                let (down, whose) = unsafe { (*keys.get_unchecked(slot), *pixels.get_unchecked(slot)) };
                if down >= key {
                    keys[hole] = key;
                    pixels[hole] = pixel;
                    return Some(first);
                }
                // SAFETY: as above.
                unsafe {
                    *keys.get_unchecked_mut(hole) = down;
                    *pixels.get_unchecked_mut(hole) = whose;
                }
                hole = slot;
            }
        }
        // At most three generations are left, the last one perhaps not whole.
        while 2 * hole < end {
            let mut child = 2 * hole;
            child += usize::from(child + 1 < end && keys[child + 1] < keys[child]);
            if keys[child] >= key {
                break;
            }
            keys[hole] = keys[child];
            pixels[hole] = pixels[child];
            hole = child;
        }
        keys[hole] = key;
        pixels[hole] = pixel;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The textbook's heap, one exchange at a time, as scikit-image's `heap_general.pxi` does it.
    #[derive(Default)]
    struct Textbook(Vec<(u64, u32)>);

    impl Textbook {
        fn push(&mut self, key: u64, pixel: u32) {
            self.0.push((key, pixel));
            let mut at = self.0.len() - 1;
            while at > 0 && self.0[at].0 < self.0[(at - 1) / 2].0 {
                self.0.swap(at, (at - 1) / 2);
                at = (at - 1) / 2;
            }
        }

        fn pop(&mut self) -> Option<(u64, u32)> {
            let last = self.0.len().checked_sub(1)?;
            self.0.swap(0, last);
            let first = self.0.pop();
            let mut at = 0;
            loop {
                let mut least = at;
                for child in [2 * at + 1, 2 * at + 2] {
                    if self.0.get(child).is_some_and(|child| child.0 < self.0[least].0) {
                        least = child;
                    }
                }
                if least == at {
                    return first;
                }
                self.0.swap(at, least);
                at = least;
            }
        }
    }

    #[test]
    fn equal_shores_come_in_the_order_of_the_textbooks_heap() {
        let mut state = 12345u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        for greys in [1, 2, 7, 300] {
            let (mut shores, mut textbook) = (Shores::default(), Textbook::default());
            shores.clear(8);
            for pixel in 0..20_000 {
                // First more come than go, then more go than come.
                if random(20_000) > pixel {
                    let key = random(greys);
                    shores.push(key, pixel as u32);
                    textbook.push(key, pixel as u32);
                } else {
                    assert_eq!(shores.pop(), textbook.pop(), "{greys} greys, step {pixel}");
                }
            }
            while let Some(first) = textbook.pop() {
                assert_eq!(shores.pop(), Some(first), "{greys} greys");
            }
            assert_eq!(shores.pop(), None);
        }
    }
}
