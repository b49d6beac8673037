use crate::colours::{Colour, mix};
use crate::{Weight, wrapped};
use ab_glyph::{Font, PxScale, ScaleFont, point};
use boneage_core::Plane;
use image::{Rgb, RgbImage};

/// A picture of pixels in the making.
pub struct Canvas {
    image: RgbImage,
}

impl Canvas {
    /// A canvas of one colour.
    pub fn new(width: usize, height: usize, ground: Colour) -> Self {
        Canvas { image: RgbImage::from_pixel(width as u32, height as u32, Rgb(ground)) }
    }

    /// The finished picture.
    pub fn into_image(self) -> RgbImage {
        self.image
    }

    /// Covers a pixel with a colour at an opacity; outside the canvas nothing happens.
    pub fn blend(&mut self, x: i32, y: i32, colour: Colour, opacity: f32) {
        let inside = x >= 0 && y >= 0 && (x as u32) < self.image.width() && (y as u32) < self.image.height();
        if inside {
            let pixel = self.image.get_pixel_mut(x as u32, y as u32);
            pixel.0 = mix(pixel.0, colour, opacity);
        }
    }

    /// Fills `width` x `height` pixels from `(x, y)` on.
    pub fn rectangle(&mut self, (x, y): (i32, i32), (width, height): (i32, i32), colour: Colour) {
        for row in y..y + height {
            for column in x..x + width {
                self.blend(column, row, colour, 1.0);
            }
        }
    }

    /// Colours a plane's pixels, its upper left corner at `(x, y)`; `paint` gives colour and opacity.
    pub fn plane(&mut self, (x, y): (i32, i32), plane: &Plane, paint: impl Fn(f32) -> (Colour, f32)) {
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
    pub fn isoline(&mut self, (x, y): (i32, i32), plane: &Plane, level: f32, thickness: f32, colour: Colour) {
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
    pub fn text(&mut self, (x, y): (i32, i32), size: f32, weight: Weight, colour: Colour, text: &str) {
        let font = weight.font();
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
    pub fn text_width(&self, size: f32, weight: Weight, text: &str) -> f32 {
        let scaled = weight.font().as_scaled(PxScale::from(size));
        text.chars().map(|letter| scaled.h_advance(scaled.glyph_id(letter))).sum()
    }

    /// `text` in lines of at most `width` pixels, broken at spaces; a longer word stands alone.
    pub fn wrapped(&self, size: f32, weight: Weight, text: &str, width: f32) -> Vec<String> {
        wrapped(text, f64::from(width), |line| f64::from(self.text_width(size, weight, line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
