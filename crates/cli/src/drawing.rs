//! Drawing on an RGB image: rectangles, text, the heat colours, iso-lines. Knows nothing of bones.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use boneage_core::Plane;
use image::{ImageBuffer, Luma, Rgb, RgbImage, imageops};

/// Red, green, blue; 0..255 each.
pub(crate) type Colour = [u8; 3];

/// Ground of every picture, nearly black, so that the film is the brightest thing on it.
pub(crate) const GROUND: Colour = [14, 15, 18];
/// What is read first.
pub(crate) const BRIGHT: Colour = [240, 241, 243];
/// What is read next.
pub(crate) const QUIET: Colour = [158, 163, 172];
/// What must not be missed.
pub(crate) const WARNING: Colour = [255, 196, 87];

/// A sequential map that rises evenly in lightness, so that it is read right in grey and by the colour-blind:
/// nine samples of matplotlib's inferno (N. Smith and S. van der Walt, CC0), from 0 to 1.
const HEAT: [Colour; 9] = [
    [0, 0, 4],
    [31, 12, 72],
    [85, 15, 109],
    [136, 34, 106],
    [186, 54, 85],
    [227, 89, 51],
    [249, 140, 10],
    [249, 201, 50],
    [252, 255, 164],
];

/// The heat colour of a value; values are clamped to 0..1.
pub(crate) fn heat(value: f32) -> Colour {
    let position = value.clamp(0.0, 1.0) * (HEAT.len() - 1) as f32;
    let cell = (position as usize).min(HEAT.len() - 2);
    mix(HEAT[cell], HEAT[cell + 1], position - cell as f32)
}

/// `below` covered with `above` at an opacity of 0..1.
pub(crate) fn mix(below: Colour, above: Colour, opacity: f32) -> Colour {
    std::array::from_fn(|i| {
        let (below, above) = (f32::from(below[i]), f32::from(above[i]));
        (below + (above - below) * opacity.clamp(0.0, 1.0)).round() as u8
    })
}

/// A plane resampled to `width` x `height`; smooth, without ringing.
pub(crate) fn scaled(plane: &Plane, width: usize, height: usize) -> Plane {
    let (from_width, from_height) = (plane.width() as u32, plane.height() as u32);
    let grey = ImageBuffer::<Luma<f32>, _>::from_raw(from_width, from_height, plane.pixels().to_vec())
        .expect("a plane has width times height pixels");
    let out = imageops::resize(&grey, width as u32, height as u32, imageops::FilterType::Triangle);
    Plane::new(width, height, out.into_raw())
}

/// A picture in the making.
pub(crate) struct Canvas {
    image: RgbImage,
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

/// Which cut of the font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// For sentences.
    Regular,
    /// For the one thing to be seen first.
    Bold,
}

impl Canvas {
    /// A canvas of one colour.
    pub(crate) fn new(width: usize, height: usize, ground: Colour) -> Self {
        let font = |bytes| FontRef::try_from_slice(bytes).expect("the embedded font is whole");
        Canvas {
            image: RgbImage::from_pixel(width as u32, height as u32, Rgb(ground)),
            regular: font(dejavu::sans::regular()),
            bold: font(dejavu::sans::bold()),
        }
    }

    /// The finished picture.
    pub(crate) fn into_image(self) -> RgbImage {
        self.image
    }

    /// Covers a pixel with a colour at an opacity; outside the canvas nothing happens.
    pub(crate) fn blend(&mut self, x: i32, y: i32, colour: Colour, opacity: f32) {
        let inside = x >= 0 && y >= 0 && (x as u32) < self.image.width() && (y as u32) < self.image.height();
        if inside {
            let pixel = self.image.get_pixel_mut(x as u32, y as u32);
            pixel.0 = mix(pixel.0, colour, opacity);
        }
    }

    /// Fills `width` x `height` pixels from `(x, y)` on.
    pub(crate) fn rectangle(&mut self, (x, y): (i32, i32), (width, height): (i32, i32), colour: Colour) {
        for row in y..y + height {
            for column in x..x + width {
                self.blend(column, row, colour, 1.0);
            }
        }
    }

    /// Colours a plane's pixels, its upper left corner at `(x, y)`; `paint` gives colour and opacity.
    pub(crate) fn plane(&mut self, (x, y): (i32, i32), plane: &Plane, paint: impl Fn(f32) -> (Colour, f32)) {
        for row in 0..plane.height() {
            for (column, &value) in plane.row(row).iter().enumerate() {
                let (colour, opacity) = paint(value);
                self.blend(x + column as i32, y + row as i32, colour, opacity);
            }
        }
    }

    /// Draws the line where a plane's values cross `level`, `thickness` pixels wide, with soft edges.
    ///
    /// The distance of a pixel from the line is, to first order, `|value - level| / |gradient|`.
    pub(crate) fn isoline(
        &mut self,
        (x, y): (i32, i32),
        plane: &Plane,
        level: f32,
        thickness: f32,
        colour: Colour,
    ) {
        for row in 1..plane.height().saturating_sub(1) {
            for column in 1..plane.width().saturating_sub(1) {
                let across = (plane.at(column + 1, row) - plane.at(column - 1, row)) / 2.0;
                let down = (plane.at(column, row + 1) - plane.at(column, row - 1)) / 2.0;
                let slope = across.hypot(down);
                if slope > 1e-4 {
                    let distance = (plane.at(column, row) - level).abs() / slope;
                    let opacity = thickness / 2.0 + 0.5 - distance;
                    self.blend(x + column as i32, y + row as i32, colour, opacity);
                }
            }
        }
    }

    /// Writes one line of text, its upper left corner at `(x, y)`, `size` pixels high.
    pub(crate) fn text(&mut self, (x, y): (i32, i32), size: f32, weight: Weight, colour: Colour, text: &str) {
        let font = self.font(weight).clone();
        let scaled = font.as_scaled(PxScale::from(size));
        let (mut pen, baseline) = (x as f32, y as f32 + scaled.ascent());
        for letter in text.chars() {
            let id = scaled.glyph_id(letter);
            let glyph = id.with_scale_and_position(PxScale::from(size), point(pen, baseline));
            pen += scaled.h_advance(id);
            if let Some(outline) = font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                let (left, top) = (corner.x as i32, corner.y as i32);
                outline.draw(|dx, dy, cover| self.blend(left + dx as i32, top + dy as i32, colour, cover));
            }
        }
    }

    /// Width of one line of text in pixels.
    pub(crate) fn text_width(&self, size: f32, weight: Weight, text: &str) -> f32 {
        let scaled = self.font(weight).as_scaled(PxScale::from(size));
        text.chars().map(|letter| scaled.h_advance(scaled.glyph_id(letter))).sum()
    }

    /// `text` in lines of at most `width` pixels, broken at spaces; a longer word stands alone.
    pub(crate) fn wrapped(&self, size: f32, weight: Weight, text: &str, width: f32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            match lines.last_mut() {
                Some(line) if self.text_width(size, weight, &format!("{line} {word}")) <= width => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }

    fn font(&self, weight: Weight) -> &FontRef<'static> {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_rises_in_lightness_from_end_to_end() {
        assert_eq!((heat(-1.0), heat(2.0)), (HEAT[0], HEAT[8]));
        let lightness =
            |v| heat(v).iter().zip([0.2126, 0.7152, 0.0722]).map(|(&c, w)| f32::from(c) * w).sum::<f32>();
        let steps: Vec<f32> = (0..=100).map(|i| lightness(i as f32 / 100.0)).collect();
        assert!(steps.windows(2).all(|pair| pair[1] > pair[0] - 0.51), "{steps:?}");
    }

    #[test]
    fn text_lands_inside_its_measure_and_breaks_at_spaces() {
        let mut canvas = Canvas::new(200, 40, [0; 3]);
        let width = canvas.text_width(20.0, Weight::Regular, "bone age");
        canvas.text((5, 5), 20.0, Weight::Regular, [255; 3], "bone age");
        let lines = canvas.wrapped(20.0, Weight::Regular, "bone age of a child", width);
        assert_eq!(lines, ["bone age", "of a child"]);
        let image = canvas.into_image();
        let columns: Vec<u32> =
            image.enumerate_pixels().filter(|(_, _, p)| p.0[0] > 128).map(|(x, _, _)| x).collect();
        assert!(columns.len() > 100);
        assert!(columns.iter().all(|&x| x >= 5 && (x as f32) <= 6.0 + width));
    }

    #[test]
    fn an_isoline_follows_the_step() {
        let mut canvas = Canvas::new(20, 20, [0; 3]);
        let ramp = Plane::from_fn(20, 20, |x, _| (x as f32 - 9.0) / 4.0 + 0.5);
        canvas.isoline((0, 0), &ramp, 0.5, 2.0, [255; 3]);
        let image = canvas.into_image();
        assert_eq!(image.get_pixel(9, 10).0, [255; 3]);
        assert_eq!((image.get_pixel(6, 10).0, image.get_pixel(12, 10).0), ([0; 3], [0; 3]));
    }
}
