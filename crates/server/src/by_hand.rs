use boneage_vision::{Placing, PlacingError, Region};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a person lays a film down where the automatic way was wrong: turned, then mirrored, then cropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ByHand {
    /// Clockwise, in degrees, on a frame that holds all of the film.
    #[schema(minimum = -180, maximum = 180)]
    pub(crate) turn: f32,
    /// Left and right exchanged, after the turn.
    pub(crate) mirrored: bool,
    /// The part of the turned and mirrored frame that is read; null: all of it.
    pub(crate) crop: Option<CropBox>,
}

/// A part of a frame as shares of its width and height, from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CropBox {
    /// Where it begins, from the left.
    #[schema(minimum = 0, maximum = 0.95)]
    pub(crate) left: f32,
    /// Where it begins, from above.
    #[schema(minimum = 0, maximum = 0.95)]
    pub(crate) top: f32,
    /// How much of the width it is.
    #[schema(minimum = 0.05, maximum = 1)]
    pub(crate) width: f32,
    /// How much of the height it is.
    #[schema(minimum = 0.05, maximum = 1)]
    pub(crate) height: f32,
}

impl ByHand {
    /// The same for the predictor.
    pub(crate) fn placing(&self) -> Result<Placing, PlacingError> {
        let region = |CropBox { left, top, width, height }: CropBox| Region { left, top, width, height };
        Placing::new(self.turn, self.mirrored, self.crop.map(region))
    }

    /// As it is kept.
    pub(crate) fn to_text(self) -> String {
        serde_json::to_string(&self).expect("numbers and words")
    }

    /// As it was kept.
    pub(crate) fn of_text(text: &str) -> Option<ByHand> {
        serde_json::from_str(text).ok()
    }
}
