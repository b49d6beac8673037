use crate::{Flag, FlagCode};

/// A pixel is coloured where its channels differ by more than this share of full scale: JPEG and CMYK
/// conversions move them apart by one or two parts in 255.
const COLOUR_STEP: f32 = 16.0 / 255.0;

/// An image is in colour where more than this share of its pixels is coloured; below, it is a grey film
/// with a coloured mark.
const COLOUR_SHARE: f64 = 1e-3;

/// A pixel is strongly coloured where its channels differ by more than this share of full scale: no tint of a
/// film, but the colours of a photograph or of a heat map.
const STRONG_STEP: f32 = 0.25;

/// An image with more strongly coloured pixels than this is no radiograph. Boxes and labels drawn into one fill
/// 6 % at most of those seen, heat maps and photographs in colour mostly over 20 %.
const STRONG_SHARE: f64 = 0.12;

/// Makes greys of colours, pixel by pixel, and tells afterwards whether the image was in colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Luminance {
    pixels: usize,
    coloured: usize,
    strongly: usize,
}

impl Luminance {
    /// The luminance of one pixel, all shares of full scale: `0.299 R + 0.587 G + 0.114 B` (ITU-R BT.601).
    #[inline]
    pub fn of(&mut self, [red, green, blue]: [f32; 3]) -> f32 {
        let spread = red.max(green).max(blue) - red.min(green).min(blue);
        self.pixels += 1;
        self.coloured += usize::from(spread > COLOUR_STEP);
        self.strongly += usize::from(spread > STRONG_STEP);
        // A grey stored as three equal channels keeps its bits.
        if spread == 0.0 { red } else { 0.299 * red + 0.587 * green + 0.114 * blue }
    }

    /// [`FlagCode::Colour`] for an image in colour, [`FlagCode::ColourPicture`] for one in strong colours.
    pub fn flag(&self) -> Option<Flag> {
        let [share, strong] =
            [self.coloured, self.strongly].map(|count| count as f64 / self.pixels.max(1) as f64);
        if strong > STRONG_SHARE {
            let percent = 100.0 * strong;
            let message = format!("{percent:.0} % of the pixels are in strong colours, as on no radiograph");
            return Some(Flag::new(FlagCode::ColourPicture, message));
        }
        (share > COLOUR_SHARE).then(|| {
            let message =
                format!("{:.1} % of the pixels are coloured; the luminance was used", 100.0 * share);
            Flag::new(FlagCode::Colour, message)
        })
    }
}
