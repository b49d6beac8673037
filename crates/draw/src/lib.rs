//! Pictures, drawn once and written as SVG and as PNG. Knows nothing of bones.
//!
//! A [`Drawing`] is a list of shapes, words and small pictures on a ground, in its own units. Its SVG has text
//! that can be searched and edited; its PNG is drawn from the same list with the same font, so that both look
//! alike everywhere. The same drawing gives the same bytes. A [`Canvas`] is for what is made of pixels from the
//! start, a radiograph under a heat map.
//!
//! ```
//! use boneage_draw::{Drawing, Style, Words, Anchor, colours};
//! let mut drawing = Drawing::new(200.0, 100.0, [255; 3], "two words");
//! drawing.path(&[(20.0, 80.0), (180.0, 80.0)], Style::line([0; 3], 1.0));
//! drawing.words((100.0, 50.0), Words::regular(16.0, [0; 3]).anchored(Anchor::Middle), "bone age");
//! assert!(drawing.to_svg().contains(">bone age</text>"));
//! assert_eq!(drawing.to_picture(2.0).dimensions(), (400, 200));
//! assert_eq!(colours::heat(0.0), [0, 0, 4]);
//! ```

mod canvas;
pub mod colours;
mod drawing;
mod error;
mod font;
mod picture;
mod png;
mod shape;
mod svg;

pub use canvas::Canvas;
pub use colours::Colour;
pub use drawing::Drawing;
pub use error::DrawError;
pub use font::{Weight, text_width, wrapped};
pub use image::{Rgb, RgbImage};
pub use picture::{grey_picture, painted, scaled, stretched};
pub use shape::{Anchor, Frame, Point, Stroke, Style, Words};
