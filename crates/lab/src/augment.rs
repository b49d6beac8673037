use boneage_core::{Affine, Plane, stream};
use serde::{Deserialize, Serialize};

/// The paper's augmentation (section on training; the ranges are those of its public code).
///
/// Flip, rotation, shifts, shear and zoom are composed into one affine map, so that the image is
/// resampled once; what lies outside is filled with the nearest pixel by the resampling.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentRanges {
    /// Mirror left and right in half of the views.
    pub flip: bool,
    /// Rotation within plus and minus this many degrees.
    pub rotation_degrees: f64,
    /// Shifts within plus and minus this share of the image's side, each axis on its own.
    pub shift: f64,
    /// Shear within plus and minus this many degrees. Keras takes degrees since 2.1.3 and took
    /// radians before; degrees are our reading of the paper's 0.01.
    pub shear_degrees: f64,
    /// Zoom within 1 minus and 1 plus this, each axis on its own.
    pub zoom: f64,
    /// Exponent of the greys within `exp(-gamma)` and `exp(gamma)`: films are exposed unlike each other.
    /// Not in the paper, where it is 0.
    pub gamma: f64,
    /// Normal noise with a standard deviation of up to this many greys of 255, drawn anew for each view:
    /// the training images have losses of JPEG that a user's file does not. Not in the paper, where it is 0.
    pub noise: f64,
    /// The darkest and the brightest greys cut away: up to this share of the range, each end on its own, and what
    /// is left stretched over all of it, as a narrow display window burnt into the file does. Not in the paper,
    /// where it is 0. Left out of what a view is known by where it is 0, so that views kept before it are found.
    #[serde(skip_serializing_if = "is_zero")]
    pub window: f64,
    /// Blur by a Gaussian of up to this standard deviation in pixels of the network's image. Not in the paper,
    /// where it is 0. Left out as `window` is.
    #[serde(skip_serializing_if = "is_zero")]
    pub blur: f64,
}

fn is_zero(range: &f64) -> bool {
    *range == 0.0
}

impl Default for AugmentRanges {
    fn default() -> Self {
        AugmentRanges {
            flip: true,
            rotation_degrees: 5.0,
            shift: 0.15,
            shear_degrees: 0.01,
            zoom: 0.25,
            gamma: 0.0,
            noise: 0.0,
            window: 0.0,
            blur: 0.0,
        }
    }
}

impl AugmentRanges {
    /// No augmentation at all.
    pub const NONE: AugmentRanges = AugmentRanges {
        flip: false,
        rotation_degrees: 0.0,
        shift: 0.0,
        shear_degrees: 0.0,
        zoom: 0.0,
        gamma: 0.0,
        noise: 0.0,
        window: 0.0,
        blur: 0.0,
    };

    /// The map of view `view` of image `id`: output pixel to input pixel, in pixels of a network
    /// image of `size` x `size`, about its centre.
    ///
    /// The draws depend on seed, id and view alone, and two sizes get the same map up to scale.
    pub fn draw(&self, seed: u64, id: &str, view: u32, size: usize) -> Affine {
        let mut random = stream(seed, &["augment", id, &view.to_string()]);
        // Every number is drawn whatever the ranges, so that one range does not move the others.
        let mut within = |range: f64| random.uniform(-range, range);
        // In the order of the fields: another would give every view another map.
        let movement = Movement {
            rotation_degrees: within(self.rotation_degrees),
            shift: [within(self.shift), within(self.shift)],
            shear_degrees: within(self.shear_degrees),
            zoom: [1.0 + within(self.zoom), 1.0 + within(self.zoom)],
            flipped: random.unit() < 0.5 && self.flip,
        };
        movement.map(size)
    }

    /// Changes the greys of view `view` of image `id`, 0..255 before and after: a window, `255 (g / 255)^e`, blur
    /// and noise, in this order.
    ///
    /// The draws come from streams of their own, so that they do not move those of [`draw`](Self::draw).
    pub fn expose(&self, seed: u64, id: &str, view: u32, image: &mut Plane) {
        let view = view.to_string();
        let mut film = stream(seed, &["film", id, &view]);
        let [low, high] = [0.0, 1.0].map(|end: f64| (end - film.uniform(0.0, self.window)).abs());
        let sigma = film.uniform(0.0, self.blur);
        if self.window != 0.0 {
            *image = AugmentRanges::windowed(image, low, high);
        }
        let mut random = stream(seed, &["expose", id, &view]);
        let exponent = random.uniform(-self.gamma, self.gamma).exp() as f32;
        let deviation = random.uniform(0.0, self.noise);
        if self.gamma != 0.0 {
            *image = image.map(|grey| AugmentRanges::exposed(grey, exponent));
        }
        if self.blur != 0.0 {
            *image = AugmentRanges::blurred(image, sigma);
        }
        if self.noise != 0.0 {
            for grey in image.pixels_mut() {
                *grey = (*grey + (deviation * random.normal()) as f32).clamp(0.0, 255.0);
            }
        }
    }

    /// The greys between the shares `low` and `high` of 0..255 stretched over all of it, the others cut.
    pub(crate) fn windowed(image: &Plane, low: f64, high: f64) -> Plane {
        let (low, range) = (255.0 * low as f32, (high - low).max(1.0 / 255.0) as f32);
        image.map(|grey| ((grey - low) / range).clamp(0.0, 255.0))
    }

    /// Convolved with a Gaussian of standard deviation `sigma` pixels, cut at three of them; at the edges the
    /// weights that lie inside are scaled to a sum of one.
    pub(crate) fn blurred(image: &Plane, sigma: f64) -> Plane {
        let reach = (3.0 * sigma).ceil() as usize;
        let weights: Vec<f32> =
            (0..=reach).map(|d| (-0.5 * (d as f64 / sigma.max(1e-9)).powi(2)).exp() as f32).collect();
        // Along the rows and turned over, twice: both axes, and the image lies as before.
        let pass = |from: &Plane| {
            let (width, height) = (from.width(), from.height());
            let mut turned = Plane::filled(height, width, 0.0);
            for y in 0..height {
                let row = &from.pixels()[y * width..(y + 1) * width];
                for x in 0..width {
                    let first = x.saturating_sub(reach);
                    let (mut sum, mut total) = (0.0, 0.0);
                    for (at, &grey) in row.iter().enumerate().take(x + reach + 1).skip(first) {
                        let weight = weights[at.abs_diff(x)];
                        sum += weight * grey;
                        total += weight;
                    }
                    turned.pixels_mut()[x * height + y] = sum / total;
                }
            }
            turned
        };
        pass(&pass(image))
    }

    /// A grey of 0..255 under an exponent: `255 (g / 255)^e`.
    pub(crate) fn exposed(grey: f32, exponent: f32) -> f32 {
        255.0 * (grey / 255.0).clamp(0.0, 1.0).powf(exponent)
    }
}

/// What moves in one view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Movement {
    /// Mirrored left and right.
    pub flipped: bool,
    /// Rotation in degrees.
    pub rotation_degrees: f64,
    /// Shifts to the right and down, as shares of the image's side.
    pub shift: [f64; 2],
    /// Shear in degrees.
    pub shear_degrees: f64,
    /// Zoom of both axes; above 1 more is seen, smaller.
    pub zoom: [f64; 2],
}

impl Default for Movement {
    fn default() -> Self {
        Movement {
            flipped: false,
            rotation_degrees: 0.0,
            shift: [0.0; 2],
            shear_degrees: 0.0,
            zoom: [1.0; 2],
        }
    }
}

impl Movement {
    /// The map: output pixel to input pixel, in pixels of an image of `size` x `size`, about its centre.
    ///
    /// The order is Keras's: seen from the output, flip, zoom, shear, shift, rotation.
    pub fn map(&self, size: usize) -> Affine {
        let centre = (size as f64 - 1.0) / 2.0;
        let mirror = Affine::scale(if self.flipped { -1.0 } else { 1.0 }, 1.0);
        let shear = self.shear_degrees.to_radians();
        // Keras shears rows by the columns: x' = cos(s) x, y' = y - sin(s) x.
        let shear = Affine { rows: [shear.cos(), 0.0, 0.0, -shear.sin(), 1.0, 0.0] };
        let [shift_x, shift_y] = self.shift.map(|share| share * size as f64);
        Affine::translation(-centre, -centre)
            .then(mirror)
            .then(Affine::scale(self.zoom[0], self.zoom[1]))
            .then(shear)
            .then(Affine::translation(shift_x, shift_y))
            .then(Affine::rotation(self.rotation_degrees.to_radians()))
            .then(Affine::translation(centre, centre))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 256;

    fn distance(a: Affine, b: Affine) -> f64 {
        a.rows.iter().zip(b.rows).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn no_range_is_the_identity_and_a_flip_mirrors_the_whole_grid() {
        for view in 1..20 {
            assert!(distance(AugmentRanges::NONE.draw(1, "a", view, SIZE), Affine::IDENTITY) < 1e-12);
        }
        let flips = AugmentRanges { flip: true, ..AugmentRanges::NONE };
        let maps: Vec<Affine> = (0..200).map(|view| flips.draw(1, "a", view, SIZE)).collect();
        let flipped: Vec<&Affine> = maps.iter().filter(|map| map.rows[0] < 0.0).collect();
        assert!((70..130).contains(&flipped.len()), "{} of 200", flipped.len());
        assert_eq!(flipped[0].apply(0.0, 3.0), (255.0, 3.0));
    }

    #[test]
    fn a_view_depends_on_seed_id_and_view_and_scales_with_the_size() {
        let ranges = AugmentRanges::default();
        let map = ranges.draw(1, "1377", 1, SIZE);
        assert_eq!(map, ranges.draw(1, "1377", 1, SIZE));
        for other in [
            ranges.draw(2, "1377", 1, SIZE),
            ranges.draw(1, "1378", 1, SIZE),
            ranges.draw(1, "1377", 2, SIZE),
        ] {
            assert!(distance(map, other) > 1e-3);
        }
        // The same point of the image, named in pixels of half the size.
        let small = ranges.draw(1, "1377", 1, SIZE / 2);
        let there = Affine::grid((SIZE / 2, SIZE / 2), (SIZE, SIZE));
        assert!(distance(small.then(there), there.then(map)) < 1e-9);
    }

    #[test]
    fn exposure_keeps_black_and_white_and_is_drawn_for_each_view() {
        let ranges = AugmentRanges { gamma: 0.3, ..AugmentRanges::NONE };
        let film = Plane::new(3, 1, vec![0.0, 100.0, 255.0]);
        let exposed = |ranges: AugmentRanges, view| {
            let mut image = film.clone();
            ranges.expose(1, "a", view, &mut image);
            image
        };
        assert_eq!(exposed(AugmentRanges::NONE, 1), film);
        assert_ne!(exposed(ranges, 1), exposed(ranges, 2));
        let most = |sign: f32| 255.0 * (100.0f32 / 255.0).powf((sign * 0.3f32).exp());
        for view in 0..50 {
            let image = exposed(ranges, view);
            assert_eq!((image.at(0, 0), image.at(2, 0)), (0.0, 255.0));
            assert!((most(1.0)..=most(-1.0)).contains(&image.at(1, 0)), "{}", image.at(1, 0));
        }
        let mut grey = Plane::filled(50, 50, 128.0);
        AugmentRanges { noise: 4.0, ..AugmentRanges::NONE }.expose(1, "a", 1, &mut grey);
        let spread = grey.pixels().iter().map(|g| (g - 128.0).powi(2)).sum::<f32>() / 2500.0;
        assert!(spread > 0.0 && spread.sqrt() < 4.3, "{spread}");
    }

    #[test]
    fn a_window_cuts_both_ends_and_a_blur_keeps_the_mean() {
        let film = Plane::new(3, 1, vec![20.0, 127.5, 240.0]);
        let cut = AugmentRanges::windowed(&film, 0.1, 0.9);
        assert_eq!((cut.at(0, 0), cut.at(2, 0)), (0.0, 255.0));
        assert!((cut.at(1, 0) - 127.5).abs() < 1e-3);
        let mut dot = Plane::filled(21, 21, 0.0);
        dot.pixels_mut()[10 * 21 + 10] = 255.0;
        let soft = AugmentRanges::blurred(&dot, 1.0);
        assert!((soft.pixels().iter().sum::<f32>() - 255.0).abs() < 0.01);
        // The middle of a Gaussian of one pixel, sampled and cut at three of them.
        assert!((soft.at(10, 10) / 255.0 - 0.1592).abs() < 1e-3, "{}", soft.at(10, 10) / 255.0);
        assert!((soft.at(9, 10) - soft.at(10, 9)).abs() < 1e-4 && soft.at(9, 10) > soft.at(8, 10));
        assert_eq!(AugmentRanges::blurred(&film, 0.0), film);
        // Drawn for each view, and a view of other ranges is not moved by them.
        let ranges = AugmentRanges { window: 0.2, blur: 1.0, ..AugmentRanges::NONE };
        let seen = |ranges: AugmentRanges, view| {
            let mut image = film.clone();
            ranges.expose(1, "a", view, &mut image);
            image
        };
        assert_ne!(seen(ranges, 1), seen(ranges, 2));
        let text = serde_json::to_string(&AugmentRanges::default()).expect("numbers");
        assert!(!text.contains("window") && !text.contains("blur"), "{text}");
    }

    #[test]
    fn draws_stay_within_the_ranges_and_reach_them() {
        let ranges = AugmentRanges { flip: false, ..AugmentRanges::default() };
        let centre = (SIZE as f64 - 1.0) / 2.0;
        let (mut least, mut most) = (f64::MAX, f64::MIN);
        for view in 0..500 {
            let map = ranges.draw(3, "x", view, SIZE);
            let (x, y) = map.apply(centre, centre);
            // A shift of 0.15 in both axes, turned by the rotation.
            assert!((x - centre).hypot(y - centre) <= 0.15 * SIZE as f64 * 2f64.sqrt() + 1e-9);
            let [a, _, _, d, _, _] = map.rows;
            let zoom = a.hypot(d);
            assert!((0.749..=1.251).contains(&zoom));
            (least, most) = (least.min(zoom), most.max(zoom));
        }
        assert!(least < 0.76 && most > 1.24);
    }
}
