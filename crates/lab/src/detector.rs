use boneage_core::Plane;
use boneage_vision::{Keypoints, Surf, sift};
use serde::{Deserialize, Serialize};

/// The two detectors that the paper's discussion names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detector {
    /// Scale-Invariant Feature Transform.
    Sift,
    /// Speeded-Up Robust Features.
    Surf,
}

impl Detector {
    /// Both.
    pub const ALL: [Detector; 2] = [Detector::Sift, Detector::Surf];

    /// As the paper writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Detector::Sift => "SIFT",
            Detector::Surf => "SURF",
        }
    }

    /// What it finds in an image with greys 0..255, by its usual settings.
    pub fn keypoints(self, image: &Plane) -> Keypoints {
        match self {
            Detector::Sift => sift(image),
            Detector::Surf => Surf::default().keypoints(image),
        }
    }
}
