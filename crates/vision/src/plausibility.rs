use crate::field::field_margin;
use crate::ground::Flattened;
use crate::hull::Hull;
use boneage_core::Plane;

/// How an object looks to one who knows hands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plausibility {
    /// Area as a share of the frame.
    pub frame_share: f32,
    /// Area as a share of the field that was searched.
    pub field_share: f32,
    /// Area as a share of the convex hull's: 0.5 to 0.9 for a hand.
    pub solidity: f32,
    /// How much of the outline lies on a gradient, 0..1, without what lies on the field's edge.
    pub edge_support: f32,
    /// Share of the outline that lies on the field's edge: the wrist's, for a hand.
    pub cut: f32,
    /// Variance of grey between object and ground as a share of the whole, 0..1: Otsu's criterion for
    /// this very mask.
    pub separation: f32,
}

impl Plausibility {
    /// Of `object`, a row-major mask.
    pub(crate) fn of(object: &[bool], flat: &Flattened, gradient: &Plane) -> Plausibility {
        let (width, height) = (flat.width(), flat.height());
        let area = object.iter().filter(|&&o| o).count() as f32;
        let field = flat.field().iter().filter(|&&f| f).count() as f32;
        let outline = Outline::of(object, flat, gradient);
        Plausibility {
            frame_share: area / object.len().max(1) as f32,
            field_share: area / field.max(1.0),
            solidity: area / Hull::around(object, width).area(height).max(1) as f32,
            edge_support: outline.support / outline.free.max(1.0),
            cut: 1.0 - outline.free / outline.length.max(1.0),
            separation: separation(object, flat),
        }
    }

    /// One number, 0..1, to compare objects by.
    ///
    /// Ends of the ramps were chosen on the annotated images, by a random search over them for the
    /// greatest share of keypoints inside less what leaked out of the box; see results/segmentation.md.
    pub fn score(&self) -> f32 {
        let score = self.edge_support.powf(1.25)
            * self.separation.powf(0.1)
            * ramp(self.separation, 0.05, 0.2)
            * ramp(self.frame_share, 0.005, 0.04)
            * ramp(self.field_share, 0.73, 0.62)
            * ramp(self.solidity, 0.98, 0.93)
            * ramp(self.cut, 0.9, 0.1);
        // Greys that are not numbers make no hand.
        score.max(0.0)
    }
}

/// 0 at `from`, 1 at `to`, a straight line between.
fn ramp(value: f32, from: f32, to: f32) -> f32 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

/// Counts along an object's outline.
struct Outline {
    length: f32,
    /// Pixels that do not lie on the field's edge.
    free: f32,
    /// Sum over the free pixels of 1 on a gradient and less beside it.
    support: f32,
}

/// A gradient counts in full where grey would rise by this many times the object's median above the
/// ground over the frame's longer side.
const FULL_GRADIENT: f32 = 45.0;

impl Outline {
    fn of(object: &[bool], flat: &Flattened, gradient: &Plane) -> Outline {
        let (width, height) = (flat.width(), flat.height());
        let full = FULL_GRADIENT / width.max(height).max(1) as f32 * flat.median_inside(object);
        let mut outline = Outline { length: 0.0, free: 0.0, support: 0.0 };
        for y in 0..height {
            for x in 0..width {
                let at = y * width + x;
                if !object[at] {
                    continue;
                }
                let frame = x == 0 || y == 0 || x + 1 == width || y + 1 == height;
                let neighbours = [
                    if y > 0 { at - width } else { at },
                    if x > 0 { at - 1 } else { at },
                    if x + 1 < width { at + 1 } else { at },
                    if y + 1 < height { at + width } else { at },
                ];
                if !frame && neighbours.iter().all(|&n| object[n]) {
                    continue;
                }
                outline.length += 1.0;
                if frame {
                    continue;
                }
                // A plate ends with a step. Where there is none along the field's edge, the field itself cuts
                // through the hand.
                let at_edge = neighbours.iter().any(|&n| !object[n] && !flat.field()[n]);
                let reach = if at_edge { field_margin(width, height) + 1 } else { 1 };
                let (left, right) = (x.saturating_sub(reach), (x + reach).min(width - 1));
                let rows = y.saturating_sub(reach)..=(y + reach).min(height - 1);
                let steepest =
                    rows.flat_map(|y| &gradient.row(y)[left..=right]).fold(0.0f32, |a, &b| a.max(b));
                if at_edge && steepest >= full {
                    continue;
                }
                outline.free += 1.0;
                outline.support += if full > 0.0 { (steepest / full).min(1.0) } else { 0.0 };
            }
        }
        outline
    }
}

/// Variance between the object's and the rest's mean over the variance of the whole field, on the
/// square root of grey above the ground: soft tissue counts for more, the brightest bones for less.
fn separation(object: &[bool], flat: &Flattened) -> f32 {
    let ([mut n, mut sum, mut squares], [mut n_in, mut sum_in]) = ([0.0f64; 3], [0.0f64; 2]);
    let top = flat.top();
    for ((&above, &field), &object) in flat.above().iter().zip(flat.field()).zip(object) {
        if field {
            let grey = f64::from(above.clamp(0.0, top).sqrt());
            let inside = f64::from(u8::from(object));
            n += 1.0;
            sum += grey;
            squares += grey * grey;
            n_in += inside;
            sum_in += inside * grey;
        }
    }
    let n_out = n - n_in;
    let whole = squares - sum * sum / n;
    if n_in == 0.0 || n_out == 0.0 || whole <= 0.0 {
        return 0.0;
    }
    let apart = sum_in / n_in - (sum - sum_in) / n_out;
    (n_in * n_out / n * apart * apart / whole) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sobel;

    #[test]
    fn a_hand_beats_half_of_it_and_the_whole_plate() {
        let hand = |x: usize, y: usize| {
            let finger = (10..50).contains(&y) && (20..80).contains(&x) && x % 12 < 8;
            finger || ((50..90).contains(&y) && (20..80).contains(&x))
        };
        let grey = Plane::from_fn(100, 100, |x, y| if hand(x, y) { 0.6 } else { 0.1 });
        let gradient = sobel(&grey);
        let flat = Flattened::new(&grey, vec![true; 100 * 100]);
        let mask = |f: &dyn Fn(usize, usize) -> bool| {
            (0..100 * 100).map(|i| f(i % 100, i / 100)).collect::<Vec<_>>()
        };
        let score = |f: &dyn Fn(usize, usize) -> bool| Plausibility::of(&mask(f), &flat, &gradient).score();
        let whole = score(&hand);
        assert!(whole > 0.8, "{whole}");
        assert!(score(&|x, y| hand(x, y) && x < 50) < whole - 0.1);
        assert!(score(&|x, y| (5..95).contains(&x) && (5..95).contains(&y)) < 0.1);
        assert_eq!(score(&|_, _| false), 0.0);
        assert_eq!(score(&|_, _| true), 0.0);
    }
}
