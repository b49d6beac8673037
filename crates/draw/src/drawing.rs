use crate::{Colour, DrawError, Frame, Point, Style, Words, png, svg};
use image::RgbImage;
use std::path::Path;

/// Pixels of a PNG to a unit of the drawing: sharp on a dense screen and in print.
const PNG_SCALE: f64 = 2.0;

/// Shapes, words and pictures on a ground, in the order in which they were laid down.
#[derive(Clone, Debug)]
pub struct Drawing {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) ground: Colour,
    pub(crate) title: String,
    pub(crate) elements: Vec<Element>,
}

/// One thing of a drawing.
#[derive(Clone, Debug)]
pub(crate) enum Element {
    Rectangle { frame: Frame, radius: f64, style: Style },
    Path { points: Vec<Point>, style: Style },
    Dots { centres: Vec<Point>, radius: f64, style: Style },
    Words { at: Point, words: Words, text: String },
    Picture { frame: Frame, picture: RgbImage },
}

impl Drawing {
    /// An empty drawing of `width` x `height` units. `title` is what a screen reader says.
    pub fn new(width: f64, height: f64, ground: Colour, title: &str) -> Self {
        Drawing { width, height, ground, title: title.to_owned(), elements: Vec::new() }
    }

    /// A rectangle with corners rounded by `radius`.
    pub fn rectangle(&mut self, frame: Frame, radius: f64, style: Style) {
        self.elements.push(Element::Rectangle { frame, radius, style });
    }

    /// Points joined by straight lines; filled, where the style fills.
    pub fn path(&mut self, points: &[Point], style: Style) {
        self.elements.push(Element::Path { points: points.to_vec(), style });
    }

    /// Discs of one look.
    pub fn dots(&mut self, centres: &[Point], radius: f64, style: Style) {
        self.elements.push(Element::Dots { centres: centres.to_vec(), radius, style });
    }

    /// One line of text with its baseline at a point.
    pub fn words(&mut self, at: Point, words: Words, text: &str) {
        self.elements.push(Element::Words { at, words, text: text.to_owned() });
    }

    /// A picture, stretched over a frame.
    pub fn picture(&mut self, frame: Frame, picture: RgbImage) {
        self.elements.push(Element::Picture { frame, picture });
    }

    /// Width and height in its own units.
    pub fn size(&self) -> (f64, f64) {
        (self.width, self.height)
    }

    /// The drawing as SVG: words as text, in DejaVu Sans where it is installed and as wide as in it anywhere.
    pub fn to_svg(&self) -> String {
        svg::write(self)
    }

    /// The drawing in pixels, `scale` of them to a unit.
    pub fn to_picture(&self, scale: f64) -> RgbImage {
        png::render(self, scale)
    }

    /// Writes `FOLDER/NAME.svg`, and `FOLDER/NAME.png` with two pixels to a unit.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> Result<(), DrawError> {
        let path = folder.join(format!("{name}.svg"));
        std::fs::write(&path, self.to_svg()).map_err(|source| DrawError::Io { path, source })?;
        let path = folder.join(format!("{name}.png"));
        std::fs::write(&path, png::encode(&self.to_picture(PNG_SCALE)))
            .map_err(|source| DrawError::Io { path, source })
    }
}
