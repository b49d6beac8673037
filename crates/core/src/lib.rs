//! The words that every other room of the house uses.
//!
//! An image is a [`Plane`], an age is [`Months`], a child's sex is a [`Sex`], and the answer of the
//! whole program is an [`Assessment`]. Everything random is drawn from a named [`stream`] of one
//! seed, and everything that is compared by content is compared by its [`Digest`].
//!
//! ```
//! use boneage_core::{Months, Plane, Sex};
//! let plane = Plane::from_fn(4, 2, |x, y| (x + y) as f32);
//! assert_eq!((plane.width(), plane.height()), (4, 2));
//! assert_eq!(Months(127.3).to_string(), "10 years 7 months");
//! assert_eq!("f".parse::<Sex>().unwrap(), Sex::Female);
//! ```

mod assessment;
mod chronological;
mod decode_limits;
mod digest;
mod luminance;
mod moment;
mod months;
mod plane;
mod seed;
mod sex;

pub use assessment::{Assessment, Decision, Flag, FlagCode, Interval, ModelName, SexGiven, SexSource};
pub use chronological::{AgeSource, ChronologicalAge, Date};
pub use decode_limits::{DecodeLimits, SizeError};
pub use digest::Digest;
pub use luminance::Luminance;
pub use moment::Moment;
pub use months::Months;
pub use plane::{Affine, Plane};
pub use seed::{Stream, stream};
pub use sex::{ParseSexError, Sex};
