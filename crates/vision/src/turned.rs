use crate::warp;
use boneage_core::{Affine, Plane};

/// A plane that was laid down otherwise, with the way back.
#[derive(Clone, Debug)]
pub struct Turned {
    /// The plane as it lies now.
    pub plane: Plane,
    /// From a pixel of it to that of the source which it shows.
    pub to_source: Affine,
}

/// Turns a plane clockwise by `degrees`, on a frame that holds all of it.
///
/// A quarter turn is exact to the pixel. Any other is one bilinear resampling, and what the source does not reach
/// is as grey as the median of its outermost pixels, which are mostly ground.
pub fn turned(source: &Plane, degrees: f64) -> Turned {
    let (width, height) = (source.width() as f64, source.height() as f64);
    let quarters = (degrees / 90.0).round();
    if source.pixels().is_empty() || degrees == 90.0 * quarters {
        return by_quarters(source, (quarters as i64).rem_euclid(4));
    }
    let (sin, cos) = degrees.to_radians().sin_cos();
    let columns = (width * cos.abs() + height * sin.abs()).round() as usize;
    let rows = (width * sin.abs() + height * cos.abs()).round() as usize;
    let middle = |width: f64, height: f64| ((width - 1.0) / 2.0, (height - 1.0) / 2.0);
    let ((x, y), (sx, sy)) = (middle(columns as f64, rows as f64), middle(width, height));
    // From a pixel of the result back to the source, so against the turn.
    let rotation = Affine::rotation(-degrees.to_radians());
    let to_source = Affine::translation(-x, -y).then(rotation).then(Affine::translation(sx, sy));
    let mut plane = warp(source, &to_source, columns, rows);
    let ground = ground(source);
    let inside = |at: f64, side: f64| (-0.5..=side - 0.5).contains(&at);
    for (i, grey) in plane.pixels_mut().iter_mut().enumerate() {
        let (x, y) = to_source.apply((i % columns) as f64, (i / columns) as f64);
        if !inside(x, width) || !inside(y, height) {
            *grey = ground;
        }
    }
    Turned { plane, to_source }
}

fn by_quarters(source: &Plane, quarters: i64) -> Turned {
    let (width, height) = (source.width(), source.height());
    let (right, bottom) = (width.saturating_sub(1), height.saturating_sub(1));
    let (r, b) = (right as f64, bottom as f64);
    let (plane, rows) = match quarters {
        0 => (source.clone(), Affine::IDENTITY.rows),
        1 => (Plane::from_fn(height, width, |x, y| source.at(y, bottom - x)), [0.0, 1.0, 0.0, -1.0, 0.0, b]),
        2 => {
            let half = Plane::from_fn(width, height, |x, y| source.at(right - x, bottom - y));
            (half, [-1.0, 0.0, r, 0.0, -1.0, b])
        }
        _ => (Plane::from_fn(height, width, |x, y| source.at(right - y, x)), [0.0, -1.0, r, 1.0, 0.0, 0.0]),
    };
    Turned { plane, to_source: Affine { rows } }
}

/// Median grey of the outermost pixels.
fn ground(source: &Plane) -> f32 {
    let (last_row, last) = (source.height() - 1, source.width() - 1);
    let sides = (0..=last_row).flat_map(|y| [source.at(0, y), source.at(last, y)]);
    let mut greys: Vec<f32> =
        source.row(0).iter().chain(source.row(last_row)).copied().chain(sides).collect();
    let middle = greys.len() / 2;
    *greys.select_nth_unstable_by(middle, f32::total_cmp).1
}

impl Turned {
    /// The part from column `left` and row `top` to before column `right` and row `bottom`, which may lie beyond
    /// the plane's edges and then end there.
    pub fn cut(&self, [left, top, right, bottom]: [usize; 4]) -> Turned {
        let (right, bottom) = (right.min(self.plane.width()), bottom.min(self.plane.height()));
        let (width, height) = (right.saturating_sub(left), bottom.saturating_sub(top));
        let plane = Plane::from_fn(width, height, |x, y| self.plane.at(left + x, top + y));
        let to_source = Affine::translation(left as f64, top as f64).then(self.to_source);
        Turned { plane, to_source }
    }

    /// The same with left and right exchanged.
    pub fn mirrored(&self) -> Turned {
        let last = self.plane.width().saturating_sub(1);
        let plane = self.plane.mirrored();
        let mirror = Affine { rows: [-1.0, 0.0, last as f64, 0.0, 1.0, 0.0] };
        Turned { plane, to_source: mirror.then(self.to_source) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_quarter_turns_lead_back_and_one_is_clockwise() {
        let source = Plane::from_fn(3, 2, |x, y| (10 * y + x) as f32);
        let quarter = turned(&source, 90.0).plane;
        // The left column, from the bottom up, becomes the top row.
        assert_eq!((quarter.width(), quarter.height()), (2, 3));
        assert_eq!(quarter.row(0), [10.0, 0.0]);
        assert_eq!(turned(&turned(&quarter, 180.0).plane, 90.0).plane, source);
        assert_eq!(turned(&source, -90.0).plane, turned(&source, 270.0).plane);
    }

    #[test]
    fn a_turn_holds_all_and_every_pixel_knows_where_it_was() {
        let source = Plane::from_fn(101, 141, |x, y| {
            if x.abs_diff(50) < 3 && y < 70 { 1.0 } else { 0.25 + 0.001 * y as f32 }
        });
        for degrees in [-120.0, -90.0, 30.0, 75.0, 180.0] {
            let result = turned(&source, degrees);
            let (sin, cos) = f64::to_radians(degrees).sin_cos();
            let (x, y) = ((result.plane.width() - 1) as f64 / 2.0, (result.plane.height() - 1) as f64 / 2.0);
            // The stroke that went up from the middle goes where up has gone.
            let (x, y) = (x + 40.0 * sin, y - 40.0 * cos);
            assert!(result.plane.at(x.round() as usize, y.round() as usize) > 0.5, "{degrees}");
            let (x, y) = result.to_source.apply(x, y);
            assert!((x - 50.0).abs() < 1e-6 && (y - 30.0).abs() < 1e-6, "{degrees}: {x} {y}");
            // Each corner of the source is within.
            let back = result.to_source.inverse().unwrap();
            for (x, y) in [(0.0, 0.0), (100.0, 0.0), (0.0, 140.0), (100.0, 140.0)] {
                let (u, v) = back.apply(x, y);
                let inside = |at: f64, side: usize| (-1.0..=side as f64).contains(&at);
                assert!(inside(u, result.plane.width()) && inside(v, result.plane.height()), "{degrees}");
            }
        }
        assert_eq!(turned(&source, 45.0).plane.at(0, 0), ground(&source));
    }

    #[test]
    fn cut_and_mirrored_parts_show_the_same_pixels() {
        let source = Plane::from_fn(20, 30, |x, y| (100 * y + x) as f32);
        let part = turned(&source, 90.0).cut([4, 6, 14, 99]).mirrored();
        assert_eq!((part.plane.width(), part.plane.height()), (10, 14));
        for (x, y) in [(0, 0), (9, 3), (5, 13)] {
            let (sx, sy) = part.to_source.apply(x as f64, y as f64);
            assert_eq!(part.plane.at(x, y), source.at(sx as usize, sy as usize));
        }
    }
}
