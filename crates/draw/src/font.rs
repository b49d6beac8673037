use ab_glyph::{Font, FontRef, OutlineCurve, PxScale, ScaleFont};
use std::sync::OnceLock;

/// Which cut of the font, DejaVu Sans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// For sentences.
    Regular,
    /// For the one thing to be seen first.
    Bold,
}

impl Weight {
    /// The embedded font.
    pub(crate) fn font(self) -> &'static FontRef<'static> {
        static FONTS: [OnceLock<FontRef<'static>>; 2] = [OnceLock::new(), OnceLock::new()];
        let load = |bytes| FontRef::try_from_slice(bytes).expect("the embedded font is whole");
        match self {
            Weight::Regular => FONTS[0].get_or_init(|| load(dejavu::sans::regular())),
            Weight::Bold => FONTS[1].get_or_init(|| load(dejavu::sans::bold())),
        }
    }
}

/// The scale that makes letters `size` units an em, as `font-size` means it. ab_glyph takes the height of a line.
pub(crate) fn em(weight: Weight, size: f64) -> PxScale {
    let font = weight.font();
    let per_em = font.units_per_em().expect("the embedded font says its em");
    PxScale::from(size as f32 * font.height_unscaled() / per_em)
}

/// Width of one line of text whose letters are `size` units an em.
pub fn text_width(size: f64, weight: Weight, text: &str) -> f64 {
    let scaled = weight.font().as_scaled(em(weight, size));
    text.chars().map(|letter| f64::from(scaled.h_advance(scaled.glyph_id(letter)))).sum()
}

/// `text` in lines of at most `width`, broken at spaces; a longer word stands alone. `measure` tells widths.
pub fn wrapped(text: &str, width: f64, measure: impl Fn(&str) -> f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if measure(&format!("{line} {word}")) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// One piece of a letter's outline, in units of the drawing, y down.
pub(crate) enum Piece {
    /// Start of a contour.
    Move((f32, f32)),
    /// Straight to a point.
    Line((f32, f32)),
    /// Quadratic: control point, end.
    Quad((f32, f32), (f32, f32)),
    /// Cubic: two control points, end.
    Cubic((f32, f32), (f32, f32), (f32, f32)),
}

/// The outlines of a line of text whose baseline starts at `(x, y)`.
pub(crate) fn outlines((x, y): (f64, f64), size: f64, weight: Weight, text: &str) -> Vec<Piece> {
    let font = weight.font();
    let scaled = font.as_scaled(em(weight, size));
    let (mut pen, mut pieces) = (x as f32, Vec::new());
    for letter in text.chars() {
        let id = scaled.glyph_id(letter);
        if let Some(outline) = font.outline(id) {
            let (across, down) = (scaled.h_scale_factor(), scaled.v_scale_factor());
            let place = |p: ab_glyph::Point| (pen + p.x * across, y as f32 - p.y * down);
            let mut end = None;
            for curve in outline.curves {
                let (start, piece) = match curve {
                    OutlineCurve::Line(a, b) => (a, Piece::Line(place(b))),
                    OutlineCurve::Quad(a, b, c) => (a, Piece::Quad(place(b), place(c))),
                    OutlineCurve::Cubic(a, b, c, d) => (a, Piece::Cubic(place(b), place(c), place(d))),
                };
                if end != Some(place(start)) {
                    pieces.push(Piece::Move(place(start)));
                }
                end = Some(match piece {
                    Piece::Move(p) | Piece::Line(p) | Piece::Quad(_, p) | Piece::Cubic(_, _, p) => p,
                });
                pieces.push(piece);
            }
        }
        pen += scaled.h_advance(id);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_as_wide_as_its_outlines_and_breaks_at_spaces() {
        let width = text_width(20.0, Weight::Regular, "bone age");
        let lines = wrapped("bone age of a child", width, |line| text_width(20.0, Weight::Regular, line));
        assert_eq!(lines, ["bone age", "of a child"]);
        let ends = outlines((5.0, 30.0), 20.0, Weight::Regular, "bone age");
        let points = ends.iter().map(|piece| match *piece {
            Piece::Move(p) | Piece::Line(p) | Piece::Quad(_, p) | Piece::Cubic(_, _, p) => p,
        });
        let xs: Vec<f64> = points.map(|(x, _)| f64::from(x)).collect();
        let (least, most) =
            (xs.iter().copied().fold(f64::MAX, f64::min), xs.iter().copied().fold(0.0, f64::max));
        assert!(least > 5.0 && least < 9.0 && most < 5.0 + width && most > width, "{least} {most} {width}");
    }

    #[test]
    fn letters_have_the_size_that_font_size_means() {
        // The advance of a digit in DejaVu Sans is 1303 of 2048 units an em.
        assert!((text_width(2048.0, Weight::Regular, "0") - 1303.0).abs() < 1.0);
    }
}
