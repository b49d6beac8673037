/// The least side in pixels. A hand of 32 pixels shows no growth plate; this only keeps icons and
/// single pixels from being measured.
const LEAST_SIDE: u64 = 32;

/// What is refused before anything of a file is decoded, whatever its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// Most pixels, width times height, by the file's header. A small file can claim billions of them.
    pub max_pixels: u64,
}

impl Default for DecodeLimits {
    /// 100 megapixels: over ten times the largest radiograph of the data set, and more than any detector for
    /// hands has.
    fn default() -> Self {
        DecodeLimits { max_pixels: 100_000_000 }
    }
}

impl DecodeLimits {
    /// Limits with another number of pixels.
    pub fn pixels(max_pixels: u64) -> Self {
        DecodeLimits { max_pixels }
    }

    /// Looks at a size in pixels.
    ///
    /// # Errors
    /// When a side is below 32 pixels, or there are more pixels than allowed.
    pub fn check(self, width: u64, height: u64) -> Result<(), SizeError> {
        if width.min(height) < LEAST_SIDE {
            return Err(SizeError::TooSmall { width, height, least: LEAST_SIDE });
        }
        if width.checked_mul(height).is_none_or(|pixels| pixels > self.max_pixels) {
            return Err(SizeError::TooLarge { width, height, max_pixels: self.max_pixels });
        }
        Ok(())
    }
}

/// Why an image is not decoded for its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SizeError {
    /// Too few pixels to show a hand.
    #[error(
        "the image is {width} x {height} pixels, below the least of {least} x {least}; hint: give the full-size radiograph"
    )]
    TooSmall {
        /// Pixels in a row.
        width: u64,
        /// Rows.
        height: u64,
        /// The least side in pixels.
        least: u64,
    },
    /// More pixels than the caller allows, by the file's header; nothing was decoded.
    #[error(
        "the image claims {width} x {height} pixels, more than the limit of {max_pixels}; hint: scale it down or raise the limit"
    )]
    TooLarge {
        /// Pixels in a row.
        width: u64,
        /// Rows.
        height: u64,
        /// The limit, in pixels.
        max_pixels: u64,
    },
}
