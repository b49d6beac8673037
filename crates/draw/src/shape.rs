use crate::{Colour, Weight};

/// Right and down from the drawing's upper left corner, in its units.
pub type Point = (f64, f64);

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Frame {
    /// A rectangle from its upper left corner and its size.
    pub fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Frame { x, y, width, height }
    }

    /// Right edge.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Lower edge.
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// A line's look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub colour: Colour,
    /// Its width in the drawing's units.
    pub width: f64,
    /// Lengths of dash and gap; none for a whole line.
    pub dashes: Option<[f64; 2]>,
}

/// A shape's look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// Colour inside; a path with one is closed.
    pub fill: Option<Colour>,
    /// The line around it.
    pub stroke: Option<Stroke>,
    /// 0..1, of inside and line.
    pub opacity: f32,
}

impl Style {
    /// One colour inside, no line.
    pub fn fill(colour: Colour) -> Self {
        Style { fill: Some(colour), stroke: None, opacity: 1.0 }
    }

    /// A line, nothing inside.
    pub fn line(colour: Colour, width: f64) -> Self {
        Style { fill: None, stroke: Some(Stroke { colour, width, dashes: None }), opacity: 1.0 }
    }

    /// The same with a line around it.
    pub fn outlined(self, colour: Colour, width: f64) -> Self {
        Style { stroke: Some(Stroke { colour, width, dashes: None }), ..self }
    }

    /// The same with its line in dashes.
    pub fn dashed(self, dash: f64, gap: f64) -> Self {
        let stroke = self.stroke.map(|stroke| Stroke { dashes: Some([dash, gap]), ..stroke });
        Style { stroke, ..self }
    }

    /// The same, seen through.
    pub fn opacity(self, opacity: f32) -> Self {
        Style { opacity, ..self }
    }
}

/// Which point of a line of text is where it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its left end.
    Start,
    /// Its middle.
    Middle,
    /// Its right end.
    End,
}

/// The look of a line of text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Words {
    /// Units an em.
    pub size: f64,
    /// Regular or bold.
    pub weight: Weight,
    /// Its colour.
    pub colour: Colour,
    /// What lies at the point that is given.
    pub anchor: Anchor,
}

impl Words {
    /// Regular text that starts at its point.
    pub fn regular(size: f64, colour: Colour) -> Self {
        Words { size, weight: Weight::Regular, colour, anchor: Anchor::Start }
    }

    /// Bold text that starts at its point.
    pub fn bold(size: f64, colour: Colour) -> Self {
        Words { weight: Weight::Bold, ..Words::regular(size, colour) }
    }

    /// The same with another anchor.
    pub fn anchored(self, anchor: Anchor) -> Self {
        Words { anchor, ..self }
    }

    /// Width of a line of such text.
    pub fn width(&self, text: &str) -> f64 {
        crate::text_width(self.size, self.weight, text)
    }

    /// `text` in lines of at most `width`, broken at spaces.
    pub fn wrapped(&self, text: &str, width: f64) -> Vec<String> {
        crate::wrapped(text, width, |line| self.width(line))
    }

    /// Where the line's left end lies for text at `x`.
    pub(crate) fn left(&self, x: f64, text: &str) -> f64 {
        match self.anchor {
            Anchor::Start => x,
            Anchor::Middle => x - self.width(text) / 2.0,
            Anchor::End => x - self.width(text),
        }
    }
}
