/// The convex hull of an object: its corners in turn, as (row, column).
pub(crate) struct Hull {
    corners: Vec<(i64, i64)>,
}

impl Hull {
    /// Around the `true` pixels of a row-major mask (Andrew's monotone chain over the row ends).
    pub(crate) fn around(object: &[bool], width: usize) -> Hull {
        let mut ends: Vec<(i64, i64)> = Vec::new();
        for (y, row) in object.chunks_exact(width.max(1)).enumerate() {
            if let (Some(left), Some(right)) = (row.iter().position(|&o| o), row.iter().rposition(|&o| o)) {
                ends.push((y as i64, left as i64));
                ends.push((y as i64, right as i64));
            }
        }
        let mut corners = Vec::new();
        extend(&mut corners, ends.iter());
        extend(&mut corners, ends.iter().rev());
        if corners.is_empty() {
            corners.extend(ends.first());
        }
        Hull { corners }
    }

    /// The sides, from corner to corner.
    fn sides(&self) -> impl Iterator<Item = ((i64, i64), (i64, i64))> + '_ {
        self.corners.iter().copied().zip(self.corners.iter().copied().cycle().skip(1))
    }

    /// The hull as a row-major mask.
    pub(crate) fn fill(&self, width: usize, height: usize) -> Vec<bool> {
        let mut mask = vec![false; width * height];
        for (row, (left, right)) in mask.chunks_exact_mut(width.max(1)).zip(self.spans(height)) {
            if left <= right {
                row[left.ceil() as usize..=(right.floor() as usize).min(width - 1)].fill(true);
            }
        }
        mask
    }

    /// Pixels inside.
    pub(crate) fn area(&self, height: usize) -> usize {
        let spans = self.spans(height).into_iter().filter(|(left, right)| left <= right);
        spans.map(|(left, right)| (right.floor() - left.ceil()).max(-1.0) as usize + 1).sum()
    }

    /// First and last column of each row; the first beyond the last where a row has none.
    fn spans(&self, height: usize) -> Vec<(f64, f64)> {
        let mut spans = vec![(f64::INFINITY, f64::NEG_INFINITY); height];
        for ((y0, x0), (y1, x1)) in self.sides() {
            for y in y0.min(y1)..=y0.max(y1) {
                let (a, b) = if y0 == y1 {
                    (x0 as f64, x1 as f64)
                } else {
                    let x = x0 as f64 + (x1 - x0) as f64 * (y - y0) as f64 / (y1 - y0) as f64;
                    (x, x)
                };
                let span = &mut spans[y as usize];
                *span = (span.0.min(a.min(b)), span.1.max(a.max(b)));
            }
        }
        spans
    }

    /// How well the object's outline keeps to the hull: it follows it where it comes within `near` pixels.
    pub(crate) fn followed_by(&self, object: &[bool], width: usize, height: usize, near: usize) -> Followed {
        let near = near.max(1) as i64;
        let around = [-near, 0, near];
        let inside = |y: i64, x: i64| {
            (0..height as i64).contains(&y)
                && (0..width as i64).contains(&x)
                && object[y as usize * width + x as usize]
        };
        let mut followed = Vec::new();
        for ((y0, x0), (y1, x1)) in self.sides() {
            let steps = (y1 - y0).abs().max((x1 - x0).abs()).max(1);
            for step in 0..steps {
                let (y, x) = (y0 + (y1 - y0) * step / steps, x0 + (x1 - x0) * step / steps);
                followed.push(around.iter().any(|dy| around.iter().any(|dx| inside(y + dy, x + dx))));
            }
        }
        let length = followed.len().max(1) as f32;
        let share = followed.iter().filter(|&&f| f).count() as f32 / length;
        // Twice round, as a gap may lie across the start.
        let (mut gap, mut widest) = (0usize, 0usize);
        for &followed_here in followed.iter().chain(&followed) {
            gap = if followed_here { 0 } else { gap + 1 };
            widest = widest.max(gap);
        }
        Followed { share, widest_gap: widest.min(followed.len()) as f32 / length }
    }
}

/// How well an outline keeps to its hull.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Followed {
    /// Share of the hull's length along which the object is near.
    pub(crate) share: f32,
    /// The longest piece along which it is not, as a share of the hull's length.
    pub(crate) widest_gap: f32,
}

/// One half of the hull: points in order, without those that turn the wrong way; the last is left to
/// the other half.
fn extend<'a>(corners: &mut Vec<(i64, i64)>, points: impl Iterator<Item = &'a (i64, i64)>) {
    let start = corners.len();
    for &(y, x) in points {
        while let [.., (y0, x0), (y1, x1)] = corners[start..] {
            if (y1 - y0) * (x - x0) - (x1 - x0) * (y - y0) > 0 {
                break;
            }
            corners.pop();
        }
        corners.push((y, x));
    }
    corners.pop();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hull_holds_its_object_and_fills_its_bays() {
        let (width, height) = (20, 12);
        let object: Vec<bool> = (0..width * height)
            .map(|i| (i % width, i / width))
            .map(|(x, y)| (2..15).contains(&x) && (3..10).contains(&y) && !(6..10).contains(&x))
            .collect();
        let hull = Hull::around(&object, width);
        for (y, row) in hull.fill(width, height).chunks_exact(width).enumerate() {
            for (x, &inside) in row.iter().enumerate() {
                assert_eq!(inside, (2..15).contains(&x) && (3..10).contains(&y), "{x} {y}");
            }
        }
        assert_eq!(hull.area(height), 13 * 7);
    }

    #[test]
    fn nothing_and_one_pixel_have_hulls_too() {
        assert_eq!(Hull::around(&[false; 6], 3).area(2), 0);
        assert_eq!(Hull::around(&[false, true, false, false], 2).area(2), 1);
        assert_eq!(Hull::around(&[], 0).area(0), 0);
    }

    #[test]
    fn a_plate_follows_its_hull_and_spread_fingers_do_not() {
        let comb: Vec<bool> = (0..100 * 100).map(|i| (i % 100 / 10) % 2 == 0 || i / 100 > 80).collect();
        let plate = vec![true; 100 * 100];
        let follow = |object: &[bool]| Hull::around(object, 100).followed_by(object, 100, 100, 2);
        assert_eq!(follow(&plate), Followed { share: 1.0, widest_gap: 0.0 });
        let comb = follow(&comb);
        // The last gap opens to the side: the hull runs slantwise from the last tooth to the comb's corner.
        assert!(comb.share < 0.95 && (0.1..0.2).contains(&comb.widest_gap), "{comb:?}");
    }
}
