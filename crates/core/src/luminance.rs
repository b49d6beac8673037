use crate::{Flag, FlagCode};

/// A pixel is coloured where its channels differ by more than this share of full scale: JPEG and CMYK
/// conversions move them apart by one or two parts in 255.
const COLOUR_STEP: f32 = 16.0 / 255.0;

/// An image is in colour where more than this share of its pixels is coloured; below, it is a grey film
/// with a coloured mark.
const COLOUR_SHARE: f64 = 1e-3;

/// Makes greys of colours, pixel by pixel, and tells afterwards whether the image was in colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Luminance {
    pixels: usize,
    coloured: usize,
}

impl Luminance {
    /// The luminance of one pixel, all shares of full scale: `0.299 R + 0.587 G + 0.114 B` (ITU-R BT.601).
    #[inline]
    pub fn of(&mut self, [red, green, blue]: [f32; 3]) -> f32 {
        let spread = red.max(green).max(blue) - red.min(green).min(blue);
        self.pixels += 1;
        self.coloured += usize::from(spread > COLOUR_STEP);
        // A grey stored as three equal channels keeps its bits.
        if spread == 0.0 { red } else { 0.299 * red + 0.587 * green + 0.114 * blue }
    }

    /// [`FlagCode::Colour`] for an image in colour.
    pub fn flag(&self) -> Option<Flag> {
        let share = self.coloured as f64 / self.pixels.max(1) as f64;
        (share > COLOUR_SHARE).then(|| {
            let message =
                format!("{:.1} % of the pixels are coloured; the luminance was used", 100.0 * share);
            Flag::new(FlagCode::Colour, message)
        })
    }
}
