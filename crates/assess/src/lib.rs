//! A model bundle, an image and a sex in; an [`Assessment`](boneage_core::Assessment) out.
//!
//! This is the only predictor there is: the command line, the evaluation and every later service read
//! images through [`Predictor::assess`]; a file's bytes become one with [`Film::decode`], be they DICOM or an
//! image. A model is one [`Bundle`]: a safetensors file of the head's
//! weights whose metadata holds the [`Manifest`], which says everything about the model's use, so that an
//! image meets in use what it met in training. The backbone below the head (the paper's VGG16, section
//! on model 2) is a file of its own that many heads share, and is known by its digest. A bundle may hold one of
//! the paper's regressions instead, which needs no backbone and has no attention map.
//!
//! ```no_run
//! use boneage_assess::{Predictor, Radiograph};
//! use boneage_core::{Sex, SexGiven, SexSource};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let predictor = Predictor::new(&std::fs::read("head.safetensors")?, &std::fs::read("vgg16.safetensors")?)?;
//! let image = boneage_vision::decode(&std::fs::read("hand.png")?, &Default::default())?;
//! let sex = SexGiven { value: Some(Sex::Female), source: SexSource::Given };
//! let radiograph = Radiograph { plane: &image.plane, flags: &image.flags, sex, input: None, placing: None };
//! println!("{:?}", predictor.assess(&radiograph).months);
//! # Ok(())
//! # }
//! ```

mod attention;
mod bundle;
mod error;
mod film;
mod guard;
mod interval;
mod judgement;
mod manifest;
mod predictor;
mod reader;
mod recalibration;
mod regression;
mod straighten;
mod traits;
mod upright;

pub use boneage_nets::{Arithmetic, WeightsFile};
pub use bundle::{Bundle, ModelWeights, NetworkWeights};
pub use error::AssessError;
pub use film::{Film, FilmError, Pictures};
pub use guard::{Guard, GuardWeights};
pub use interval::IntervalTable;
pub use manifest::{BackboneName, Manifest, Metric, ModelShape, NetworkShape, Training};
pub use predictor::{Predictor, Radiograph, Reading};
pub use recalibration::{AgeLine, Recalibration};
pub use regression::{RegressionShape, greys};
pub use traits::Traits;
pub use upright::Upright;
