//! Image in, image out: from a file's bytes to what the network sees.
//!
//! [`decode`] turns a PNG, JPEG, TIFF or BMP into a [`Plane`](boneage_core::Plane) without loss of depth, upright, or says
//! what is wrong with it. A [`Preprocess`] recipe, saved in every model's bundle, then decides everything
//! about the image once, as a [`Frame`]: the squash to the data set's 299 px square, the window of greys,
//! the hand, the crop. Views are drawn from the frame, clean for prediction and augmented for training,
//! each in one resampling, and [`Frame::to_source`] leads back to the pixels of the file. Training and
//! prediction run this same code.
//!
//! The hand is found as in the paper's figure 3: Sobel gradient, markers from two grey thresholds,
//! watershed, filled holes, the largest plausible object ([`extract_hand`], every intermediate public).
//!
//! Two features, `sift` and `surf`, add the keypoints that the paper's discussion speaks of: detectors made for
//! photographs, which the laboratory puts to the test on radiographs.
//!
//! ```
//! use boneage_core::Plane;
//! use boneage_vision::{DecodeLimits, Preprocess, decode};
//! let refused = decode(b"hello", &DecodeLimits::default()).unwrap_err();
//! assert!(refused.to_string().contains("not an image"));
//!
//! let film = Plane::from_fn(600, 800, |x, y| (x + y) as f32 / 1400.0);
//! let frame = Preprocess::default().frame(&film);
//! assert_eq!(frame.image().width(), 256);
//! let (x, y) = frame.to_source().apply(-0.5, 255.5); // the lower left corner of both
//! assert!((x + 0.5).abs() < 1e-9 && (y - 799.5).abs() < 1e-9);
//! ```

mod components;
mod decode;
mod edges;
mod error;
mod field;
mod format;
mod frame;
mod ground;
mod hand;
mod hull;
#[cfg(any(feature = "sift", feature = "surf"))]
mod keypoints;
mod labels;
mod morphology;
mod placing;
mod plausibility;
mod polarity;
mod preprocess;
mod resize;
mod runs;
mod search;
mod shores;
#[cfg(feature = "sift")]
mod sift;
mod sobel;
mod squash;
mod steps;
#[cfg(feature = "surf")]
mod surf;
mod tiff_palette;
mod turned;
mod warp;
mod watershed;
mod window;

pub use boneage_core::DecodeLimits;
pub use components::{Bounds, Component, components, fill_holes};
pub use decode::{Decoded, decode};
pub use error::VisionError;
pub use frame::Frame;
pub use hand::{HandExtraction, HandRecipe, extract_hand};
#[cfg(any(feature = "sift", feature = "surf"))]
pub use keypoints::{Keypoint, Keypoints};
pub use labels::Labels;
pub use placing::{Placing, PlacingError, Region};
pub use plausibility::Plausibility;
pub use polarity::{is_inverted, polarity_score};
pub use preprocess::{Canonical, Crop, Fit, Preprocess};
pub use resize::{Filter, resize};
#[cfg(feature = "sift")]
pub use sift::sift;
pub use sobel::sobel;
#[cfg(feature = "surf")]
pub use surf::{Surf, hessian_determinant};
pub use turned::{Turned, turned};
pub use warp::warp;
pub use watershed::watershed;
pub use window::{Levels, Window};
