use crate::DicomError;
use crate::dataset::DataSet;
use crate::tag::Tag;
use boneage_core::DecodeLimits;

/// What the samples of a pixel mean (PS3.3, C.7.6.3.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Photometric {
    /// The least value is white.
    Monochrome1,
    /// The least value is black.
    Monochrome2,
    /// Samples are places in a table of colours.
    Palette,
    Rgb,
    /// Luminance and two colour differences.
    Ybr,
    /// The same, two pixels sharing their colour differences.
    Ybr422,
}

/// The image pixel module (PS3.3, C.7.6.3), checked.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Samples a pixel: 1 or 3.
    pub(crate) channels: usize,
    pub(crate) photometric: Photometric,
    /// Bits that a sample takes in the file: 1, 8, 16 or 32.
    pub(crate) allocated: u32,
    /// Bits that mean something.
    pub(crate) stored: u32,
    /// Place of the highest of them.
    pub(crate) high: u32,
    /// Two's complement.
    pub(crate) signed: bool,
    /// Colour by colour rather than pixel by pixel.
    pub(crate) planar: bool,
    pub(crate) frames: u32,
}

impl Layout {
    /// Reads and checks the module: the size against `limits` before any memory is taken.
    pub(crate) fn read(set: &DataSet<'_>, limits: &DecodeLimits) -> Result<Layout, DicomError> {
        let need = |tag: Tag, name: &'static str| {
            set.u16(tag).ok_or_else(|| DicomError::Missing { name, tag: tag.to_string() })
        };
        let (width, height) = (need(Tag::COLUMNS, "Columns")?, need(Tag::ROWS, "Rows")?);
        limits.check(u64::from(width), u64::from(height))?;
        let allocated = u32::from(need(Tag::BITS_ALLOCATED, "BitsAllocated")?);
        let stored = set.u16(Tag::BITS_STORED).map_or(allocated, u32::from);
        let high = set.u16(Tag::HIGH_BIT).map_or(stored.saturating_sub(1), u32::from);
        if !matches!(allocated, 1 | 8 | 16 | 32) {
            return Err(DicomError::Unsupported { what: format!("{allocated} bits a sample") });
        }
        if stored == 0 || stored > allocated || high >= allocated || high + 1 < stored {
            return Err(DicomError::Damaged(format!(
                "{stored} bits are stored up to bit {high}, of {allocated} allocated"
            )));
        }
        let signed = set.u16(Tag::PIXEL_REPRESENTATION) == Some(1);
        if stored == 32 && !signed {
            return Err(DicomError::Unsupported { what: "32 bits without a sign".to_owned() });
        }
        let channels = usize::from(set.u16(Tag::SAMPLES_PER_PIXEL).unwrap_or(1));
        let tag = Tag::PHOTOMETRIC_INTERPRETATION;
        let Some(word) = set.word(tag) else {
            return Err(DicomError::Missing { name: "PhotometricInterpretation", tag: tag.to_string() });
        };
        let (photometric, wanted) = match word.as_str() {
            "MONOCHROME1" => (Photometric::Monochrome1, 1),
            "MONOCHROME2" => (Photometric::Monochrome2, 1),
            "PALETTE COLOR" => (Photometric::Palette, 1),
            // The two of JPEG 2000 are undone by its decoder.
            "RGB" | "YBR_ICT" | "YBR_RCT" => (Photometric::Rgb, 3),
            "YBR_FULL" => (Photometric::Ybr, 3),
            "YBR_FULL_422" => (Photometric::Ybr422, 3),
            _ => return Err(DicomError::Unsupported { what: format!("photometric interpretation {word}") }),
        };
        if channels != wanted {
            return Err(DicomError::Damaged(format!("{word} has {wanted} samples a pixel, not {channels}")));
        }
        Ok(Layout {
            width: usize::from(width),
            height: usize::from(height),
            channels,
            photometric,
            allocated,
            stored,
            high,
            signed,
            planar: channels > 1 && set.u16(Tag::PLANAR_CONFIGURATION) == Some(1),
            frames: set.word(Tag::NUMBER_OF_FRAMES).and_then(|word| word.parse().ok()).unwrap_or(1),
        })
    }

    pub(crate) fn pixels(&self) -> usize {
        self.width * self.height
    }

    pub(crate) fn samples(&self) -> usize {
        self.pixels() * self.channels
    }

    /// The value that the stored bits of a sample mean: what lies above them (overlays of old) is no part of it.
    pub(crate) fn value(&self, sample: u32) -> i32 {
        let bits = sample >> (self.high + 1 - self.stored);
        let unused = 32 - self.stored;
        if self.signed {
            ((bits << unused) as i32) >> unused
        } else {
            // At most 31 bits, as was checked.
            ((bits << unused) >> unused) as i32
        }
    }

    /// The least and the greatest value that the stored bits can mean.
    pub(crate) fn range(&self) -> (f64, f64) {
        let full = f64::from(self.stored).exp2();
        if self.signed { (-full / 2.0, full / 2.0 - 1.0) } else { (0.0, full - 1.0) }
    }
}
