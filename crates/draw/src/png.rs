use crate::drawing::{Drawing, Element};
use crate::font::{Piece, outlines};
use crate::{Colour, Frame, Point, Style};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{Rgb, RgbImage};
use tiny_skia::{
    Color, FillRule, FilterQuality, LineJoin, Paint, Path, PathBuilder, Pixmap, PixmapPaint, Rect, Stroke,
    StrokeDash, Transform,
};

/// Share of the radius at which a cubic's control points make a quarter circle.
const QUARTER: f32 = 0.552_284_8;

/// The drawing in pixels, `scale` of them to a unit; at least one pixel.
pub(crate) fn render(drawing: &Drawing, scale: f64) -> RgbImage {
    let side = |units: f64| ((units * scale).round() as u32).max(1);
    let mut map =
        Pixmap::new(side(drawing.width), side(drawing.height)).expect("both sides are 1 pixel or more");
    map.fill(colour(drawing.ground, 1.0));
    let scaled = Transform::from_scale(scale as f32, scale as f32);
    for element in &drawing.elements {
        match element {
            Element::Rectangle { frame, radius, style } => {
                paint(&mut map, rectangle(frame, *radius as f32), style, scaled);
            }
            Element::Path { points, style } => {
                paint(&mut map, path(points, style.fill.is_some()), style, scaled)
            }
            Element::Dots { centres, radius, style } => {
                // One by one, so that what lies on top of another is seen through as in the SVG.
                for &(x, y) in centres {
                    let disc = PathBuilder::from_circle(x as f32, y as f32, *radius as f32);
                    paint(&mut map, disc, style, scaled);
                }
            }
            Element::Words { at: (x, y), words, text } => {
                let letters = outlines((words.left(*x, text), *y), words.size, words.weight, text);
                paint(&mut map, lettering(&letters), &Style::fill(words.colour), scaled);
            }
            Element::Picture { frame, picture } => place(&mut map, frame, picture, scaled),
        }
    }
    let pixels = map.pixels();
    RgbImage::from_fn(map.width(), map.height(), |x, y| {
        let pixel = pixels[(y * map.width() + x) as usize];
        Rgb([pixel.red(), pixel.green(), pixel.blue()])
    })
}

/// The file of a picture, as small as it gets.
pub(crate) fn encode(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
    picture.write_with_encoder(encoder).expect("a picture in memory is encoded");
    bytes
}

fn colour([red, green, blue]: Colour, opacity: f32) -> Color {
    Color::from_rgba8(red, green, blue, (opacity.clamp(0.0, 1.0) * 255.0).round() as u8)
}

/// Nothing, where the path has no extent to paint.
fn paint(map: &mut Pixmap, path: Option<Path>, style: &Style, transform: Transform) {
    let Some(path) = path else { return };
    let ink = |of: Colour| {
        let mut ink = Paint { anti_alias: true, ..Paint::default() };
        ink.set_color(colour(of, style.opacity));
        ink
    };
    if let Some(fill) = style.fill {
        map.fill_path(&path, &ink(fill), FillRule::Winding, transform, None);
    }
    if let Some(line) = style.stroke {
        let dash = line.dashes.and_then(|[dash, gap]| StrokeDash::new(vec![dash as f32, gap as f32], 0.0));
        let stroke =
            Stroke { width: line.width as f32, dash, line_join: LineJoin::Round, ..Stroke::default() };
        map.stroke_path(&path, &ink(line.colour), &stroke, transform, None);
    }
}

fn path(points: &[Point], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (i, &(x, y)) in points.iter().enumerate() {
        if i == 0 { builder.move_to(x as f32, y as f32) } else { builder.line_to(x as f32, y as f32) }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

fn rectangle(frame: &Frame, radius: f32) -> Option<Path> {
    let (x, y, width, height) = (frame.x as f32, frame.y as f32, frame.width as f32, frame.height as f32);
    let radius = radius.min(width / 2.0).min(height / 2.0);
    if radius <= 0.0 {
        return Rect::from_xywh(x, y, width, height).map(PathBuilder::from_rect);
    }
    let (right, bottom, bend) = (x + width, y + height, radius * (1.0 - QUARTER));
    let mut builder = PathBuilder::new();
    builder.move_to(x + radius, y);
    builder.line_to(right - radius, y);
    builder.cubic_to(right - bend, y, right, y + bend, right, y + radius);
    builder.line_to(right, bottom - radius);
    builder.cubic_to(right, bottom - bend, right - bend, bottom, right - radius, bottom);
    builder.line_to(x + radius, bottom);
    builder.cubic_to(x + bend, bottom, x, bottom - bend, x, bottom - radius);
    builder.line_to(x, y + radius);
    builder.cubic_to(x, y + bend, x + bend, y, x + radius, y);
    builder.close();
    builder.finish()
}

fn lettering(pieces: &[Piece]) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for piece in pieces {
        match *piece {
            Piece::Move((x, y)) => {
                builder.close();
                builder.move_to(x, y);
            }
            Piece::Line((x, y)) => builder.line_to(x, y),
            Piece::Quad((a, b), (x, y)) => builder.quad_to(a, b, x, y),
            Piece::Cubic((a, b), (c, d), (x, y)) => builder.cubic_to(a, b, c, d, x, y),
        }
    }
    builder.close();
    builder.finish()
}

fn place(map: &mut Pixmap, frame: &Frame, picture: &RgbImage, transform: Transform) {
    let Some(mut source) = Pixmap::new(picture.width(), picture.height()) else { return };
    for (pixel, from) in source.pixels_mut().iter_mut().zip(picture.pixels()) {
        let [red, green, blue] = from.0;
        *pixel = tiny_skia::ColorU8::from_rgba(red, green, blue, 255).premultiply();
    }
    let across = frame.width as f32 / picture.width() as f32;
    let down = frame.height as f32 / picture.height() as f32;
    let at = transform.pre_translate(frame.x as f32, frame.y as f32).pre_scale(across, down);
    let how = PixmapPaint { quality: FilterQuality::Bilinear, ..PixmapPaint::default() };
    map.draw_pixmap(0, 0, source.as_ref(), &how, at, None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Anchor, Words};

    fn drawing() -> Drawing {
        let mut drawing = Drawing::new(60.0, 40.0, [255; 3], "");
        drawing.rectangle(Frame::new(10.0, 10.0, 10.0, 10.0), 0.0, Style::fill([200, 0, 0]));
        drawing.rectangle(Frame::new(30.0, 10.0, 20.0, 20.0), 8.0, Style::fill([0, 0, 200]).opacity(0.5));
        drawing.picture(Frame::new(0.0, 30.0, 10.0, 10.0), RgbImage::from_pixel(5, 5, Rgb([7, 8, 9])));
        drawing
    }

    #[test]
    fn shapes_lie_where_they_were_put_at_every_scale() {
        let picture = drawing().to_picture(3.0);
        assert_eq!(picture.dimensions(), (180, 120));
        assert_eq!(picture.get_pixel(45, 45).0, [200, 0, 0]);
        assert_eq!(picture.get_pixel(27, 27).0, [255; 3], "outside");
        assert_eq!(picture.get_pixel(91, 31).0, [255; 3], "a rounded corner");
        let [red, green, blue] = picture.get_pixel(120, 60).0;
        assert!((126..=129).contains(&red) && red == green && blue > 220, "seen through");
        assert_eq!(picture.get_pixel(15, 105).0, [7, 8, 9]);
        assert_eq!(picture, drawing().to_picture(3.0));
    }

    #[test]
    fn anchored_words_end_where_they_should() {
        for (anchor, from, to) in
            [(Anchor::Start, 50.0, 90.0), (Anchor::Middle, 30.0, 70.0), (Anchor::End, 10.0, 50.0)]
        {
            let mut drawing = Drawing::new(100.0, 30.0, [255; 3], "");
            let words = Words::regular(16.0, [0; 3]).anchored(anchor);
            assert!((30.0..40.0).contains(&words.width("bone")));
            drawing.words((50.0, 20.0), words, "bone");
            let picture = drawing.to_picture(1.0);
            let dark =
                picture.enumerate_pixels().filter(|(_, _, p)| p.0[0] < 128).map(|(x, _, _)| f64::from(x));
            let (least, most) = dark.fold((f64::MAX, 0.0f64), |(a, b), x| (a.min(x), b.max(x)));
            assert!(least >= from && most <= to && most - least > 28.0, "{anchor:?}: {least} to {most}");
        }
    }

    #[test]
    fn a_hole_in_a_letter_stays_open() {
        let mut drawing = Drawing::new(60.0, 60.0, [255; 3], "");
        drawing.words((10.0, 50.0), Words::bold(50.0, [0; 3]), "o");
        let picture = drawing.to_picture(1.0);
        let row: Vec<bool> = (0..60).map(|x| picture.get_pixel(x, 37).0[0] < 128).collect();
        let changes = row.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(changes, 4, "dark, open, dark: {row:?}");
    }
}
