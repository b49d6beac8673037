//! The laboratory: everything between a folder of labelled radiographs and a model one can trust.
//!
//! A [`Dataset`] is read from a folder, a [`Split`] says by hash which image may be used for what,
//! [`AugmentRanges`] draws the paper's augmentation as one affine map.
//!
//! ```
//! use boneage_lab::{AugmentRanges, Part, part_of};
//! assert_eq!(part_of("1387"), Part::Training);
//! let ranges = AugmentRanges::default();
//! assert_eq!(ranges.draw(7, "1387", 2, 256), ranges.draw(7, "1387", 2, 256));
//! ```

mod augment;
mod backbone;
mod cache;
mod checkpoint;
mod dataset;
mod duplicates;
mod error;
mod experiment;
mod feeder;
mod fill;
mod metrics;
mod progress;
mod recipe;
mod run;
mod split;
mod training;

pub use augment::AugmentRanges;
pub use backbone::{Backbone, read_vgg16};
pub use cache::{CacheKey, FeatureCache, View, ViewReader, ViewWriter};
pub use dataset::{Dataset, Radiograph, RejectedRow, by_id};
pub use duplicates::{Fingerprint, NearDuplicate, near_duplicates};
pub use error::LabError;
pub use experiment::{Experiment, find_duplicates};
pub use fill::{fill, open_cache};
pub use metrics::{Baseline, Estimate, Evaluation, GroupScores, Scored, Scores, median};
pub use progress::Progress;
pub use recipe::{Augment, Cohort, LossName, Monitor, Recipe, Schedule, SplitName, Training};
pub use run::RunFolder;
pub use split::{Dropped, Part, Split, part_of, third_part_of};
pub use training::{EpochRecord, is_finished, train};
