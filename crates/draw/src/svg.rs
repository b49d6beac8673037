use crate::drawing::{Drawing, Element};
use crate::{Anchor, Colour, Point, Style, Weight, png};
use std::fmt::Write;

/// DejaVu's letters are as wide as Verdana's nearly; where neither is there, `textLength` keeps the width.
const FAMILY: &str = "'DejaVu Sans', Verdana, sans-serif";

/// Writing to a string cannot fail.
const MEMORY: &str = "a string takes every line";

/// The drawing as SVG.
pub(crate) fn write(drawing: &Drawing) -> String {
    let (width, height) = (number(drawing.width), number(drawing.height));
    let title = escaped(&drawing.title);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"{FAMILY}\" role=\"img\">\n<title>{title}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>\n",
        hex(drawing.ground)
    );
    for element in &drawing.elements {
        add(&mut out, element);
    }
    out.push_str("</svg>\n");
    out
}

fn add(out: &mut String, element: &Element) {
    match element {
        Element::Rectangle { frame, radius, style } => {
            let round = if *radius > 0.0 { format!(" rx=\"{}\"", number(*radius)) } else { String::new() };
            let (x, y) = (number(frame.x), number(frame.y));
            let (width, height) = (number(frame.width), number(frame.height));
            let look = look(style);
            writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{round}{look}/>")
        }
        Element::Path { points, style } => {
            let name = if style.fill.is_some() { "polygon" } else { "polyline" };
            let points: Vec<String> = points.iter().map(pair).collect();
            writeln!(out, "<{name} points=\"{}\"{}/>", points.join(" "), look(style))
        }
        Element::Dots { centres, radius, style } => {
            let r = number(*radius);
            let mut dots = String::new();
            for &(x, y) in centres {
                write!(dots, "<circle cx=\"{}\" cy=\"{}\" r=\"{r}\"/>", number(x), number(y)).expect(MEMORY);
            }
            writeln!(out, "<g{}>{dots}</g>", look(style))
        }
        Element::Words { at: (x, y), words, text } => {
            let anchor = match words.anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            };
            let weight = if words.weight == Weight::Bold { " font-weight=\"bold\"" } else { "" };
            writeln!(
                out,
                "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{anchor}{weight} \
                 textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\">{}</text>",
                number(*x),
                number(*y),
                number(words.size),
                hex(words.colour),
                number(words.width(text)),
                escaped(text)
            )
        }
        Element::Picture { frame, picture } => {
            let (x, y) = (number(frame.x), number(frame.y));
            let (width, height) = (number(frame.width), number(frame.height));
            let data = base64(&png::encode(picture));
            writeln!(
                out,
                "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
                 preserveAspectRatio=\"none\" href=\"data:image/png;base64,{data}\"/>"
            )
        }
    }
    .expect(MEMORY);
}

fn look(style: &Style) -> String {
    let mut look = match style.fill {
        Some(colour) => format!(" fill=\"{}\"", hex(colour)),
        None => " fill=\"none\"".to_owned(),
    };
    if let Some(stroke) = style.stroke {
        let (colour, width) = (hex(stroke.colour), number(stroke.width));
        write!(look, " stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"")
            .expect(MEMORY);
        if let Some([dash, gap]) = stroke.dashes {
            write!(look, " stroke-dasharray=\"{} {}\"", number(dash), number(gap)).expect(MEMORY);
        }
    }
    if style.opacity < 1.0 {
        write!(look, " opacity=\"{}\"", number(f64::from(style.opacity))).expect(MEMORY);
    }
    look
}

fn pair(&(x, y): &Point) -> String {
    format!("{},{}", number(x), number(y))
}

/// Hundredths of a unit, without idle zeros.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let word =
            three.iter().fold(0u32, |word, &byte| word << 8 | u32::from(byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Frame, Words};
    use image::RgbImage;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn every_shape_comes_out_once_and_letters_are_escaped() {
        let mut drawing = Drawing::new(100.0, 50.5, [255; 3], "a < b");
        drawing.rectangle(Frame::new(1.0, 2.0, 3.25, 4.0), 1.0, Style::fill([1, 2, 3]).opacity(0.5));
        drawing.path(&[(0.0, 0.0), (1.0 / 3.0, -0.001)], Style::line([0; 3], 1.0).dashed(2.0, 3.0));
        drawing.dots(&[(5.0, 6.0), (7.0, 8.0)], 2.0, Style::fill([9; 3]));
        drawing.words((1.0, 1.0), Words::bold(10.0, [0; 3]), "R&D");
        drawing.picture(Frame::new(0.0, 0.0, 2.0, 2.0), RgbImage::new(2, 2));
        let svg = drawing.to_svg();
        for part in [
            "viewBox=\"0 0 100 50.5\"",
            "<title>a &lt; b</title>",
            "<rect x=\"1\" y=\"2\" width=\"3.25\" height=\"4\" rx=\"1\" fill=\"#010203\" opacity=\"0.5\"/>",
            "<polyline points=\"0,0 0.33,0\" fill=\"none\"",
            "stroke-dasharray=\"2 3\"",
            "<circle cx=\"5\" cy=\"6\" r=\"2\"/><circle cx=\"7\" cy=\"8\" r=\"2\"/></g>",
            ">R&amp;D</text>",
            "href=\"data:image/png;base64,iVBOR",
        ] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
        assert_eq!(svg, drawing.clone().to_svg());
    }
}
