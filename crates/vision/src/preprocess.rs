use crate::frame::Frame;
use crate::{Filter, HandRecipe, Window};
use boneage_core::{Digest, Plane};
use serde::{Deserialize, Serialize};

/// How a radiograph becomes the network's input. One recipe, saved in the model's bundle; training and
/// prediction run the same code with it.
///
/// The way of an image: upright native pixels -> the canonical square -> polarity -> window -> hand mask
/// -> crop -> the network's square. Everything is decided on the canonical square, so a full-size file
/// and its 299 px version are treated alike; the last two steps are one resampling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Preprocess {
    /// The square that every file is squashed to first, as the training images were.
    pub canonical: Canonical,
    /// Whether an image with dark bones on a bright ground is inverted first, with a flag.
    pub settle_polarity: bool,
    /// Which greys become 0 and 255.
    pub window: Window,
    /// How the hand is found, on the canonical square.
    pub hand: HandRecipe,
    /// Whether everything outside the hand becomes 0. Without a plausible hand nothing does.
    pub mask: bool,
    /// Which part of the canonical square the network sees.
    pub crop: Crop,
    /// How that part fills the network's square.
    pub fit: Fit,
    /// Side of the network's input in pixels: 256 and 500 in the paper.
    pub size: usize,
}

impl Default for Preprocess {
    fn default() -> Self {
        Preprocess {
            canonical: Canonical::default(),
            settle_polarity: true,
            window: Window::default(),
            hand: HandRecipe::default(),
            mask: false,
            crop: Crop::None,
            fit: Fit::Stretch,
            size: 256,
        }
    }
}

/// The first squash, aspect ratio lost.
///
/// The training images are Pillow's `BILINEAR` (a triangle that widens with the reduction) to 299 x 299,
/// then JPEG at quality 85: made so from the 50 originals, all 50 come out equal to the bit. The mean
/// absolute difference over the 50, in greys of 255 after the same JPEG: triangle 0.000, hamming 0.559,
/// OpenCV area 0.611, bicubic 0.625, box 0.741, lanczos 0.793, OpenCV linear 1.330, nearest 1.573.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Canonical {
    /// Side in pixels; 299 in the training images. An image of this size is left as it is.
    pub size: usize,
    /// The filter of the squash.
    pub filter: Filter,
    /// Quality of the JPEG that a squashed image goes through, as the training images did: without it a
    /// full-size file and its 299 px version were read 4.0 months apart on average. An image that is
    /// `size` x `size` already does not, nor does any where this is `None`.
    pub jpeg_quality: Option<u8>,
}

impl Default for Canonical {
    fn default() -> Self {
        Canonical { size: 299, filter: Filter::Triangle, jpeg_quality: Some(85) }
    }
}

/// Which part of the canonical square the network sees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Crop {
    /// All of it.
    None,
    /// The box round the hand, widened; without a plausible hand all of it.
    Hand {
        /// Added on each side, as a share of the box's width and height.
        margin: f32,
    },
}

/// How a part that is not square in true pixels fills the network's square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Stretched to the square, as the training images were.
    Stretch,
    /// With the true aspect, centred; what is beside it is filled with more of the image, and beyond the
    /// image with its nearest edge pixels.
    Pad,
}

impl Preprocess {
    /// SHA-256 of the recipe as JSON with its keys in order: feature caches and models are known by it.
    pub fn digest(&self) -> Digest {
        // Through `Value`, whose maps are sorted, so that the order of our fields does not matter.
        let value = serde_json::to_value(self).expect("numbers, words and maps with text keys");
        Digest::of(value.to_string().as_bytes())
    }

    /// Everything decided about one image: `source` upright, grey 0..1.
    pub fn frame(&self, source: &Plane) -> Frame {
        Frame::new(self, source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipe_survives_json_and_refuses_unknown_keys() {
        let recipe = Preprocess { crop: Crop::Hand { margin: 0.1 }, mask: true, ..Preprocess::default() };
        let json = serde_json::to_string(&recipe).unwrap();
        assert_eq!(serde_json::from_str::<Preprocess>(&json).unwrap(), recipe);
        assert_eq!(serde_json::from_str::<Preprocess>("{}").unwrap(), Preprocess::default());
        for wrong in [r#"{"sise": 256}"#, r#"{"window": {"lo": 1}}"#, r#"{"crop": {"hand": {"edge": 1}}}"#] {
            assert!(serde_json::from_str::<Preprocess>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn any_change_changes_the_digest() {
        let recipe = Preprocess::default();
        assert_eq!(recipe.digest(), Preprocess::default().digest());
        assert_ne!(recipe.digest(), Preprocess { size: 500, ..recipe.clone() }.digest());
        let window = Window { high: 99.5, ..recipe.window };
        assert_ne!(recipe.digest(), Preprocess { window, ..recipe.clone() }.digest());
    }
}
