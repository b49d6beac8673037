//! The laboratory: everything between a folder of labelled radiographs and a model one can trust.
//!
//! A [`Recipe`] says what is to be trained, a [`Dataset`] what there is to train on. An [`Experiment`] joins
//! them: the [`Split`] says by hash which image may be used for what, and the frozen [`Backbone`] looks at
//! every view of every image once, whose features the [`FeatureCache`] keeps. [`train`] then fits the head in
//! minutes and leaves everything about it in a [`RunFolder`], the model included. An [`Evaluation`] says how
//! good predictions are, beside what one constant age would reach. [`train_regression`] does the same for the
//! paper's regressions, which read the greys and need no features.
//!
//! Nothing depends on the number of threads, on when a run was stopped, or on which other images there are.
//!
//! ```
//! use boneage_lab::{Augment, AugmentRanges, Part, part_of};
//! // The part of an image follows from its id alone, its views from seed, id and number.
//! assert_eq!(part_of("1387"), Part::Training);
//! let map = AugmentRanges::default().draw(1, "1387", 2, 256);
//! assert_eq!(map, AugmentRanges::default().draw(1, "1387", 2, 256));
//! // Six views take turns: epoch 7 shows what epoch 1 showed.
//! let augment = Augment::default();
//! assert_eq!(augment.turn(1, "1387"), augment.turn(7, "1387"));
//! ```

mod analysis;
mod anatomy;
mod annotations;
mod augment;
mod backbone;
mod cache;
mod check;
mod checkpoint;
mod compare;
mod coverage;
mod dataset;
mod detector;
mod duplicates;
mod error;
mod evaluate;
mod experiment;
mod feeder;
pub mod figures;
mod fill;
mod film_part;
mod guard;
mod intervals;
mod keypoints;
mod letters;
mod metrics;
mod model_facts;
mod model_report;
mod ossification;
mod predictions;
mod progress;
mod readings;
mod recalibrate;
mod recipe;
mod regression;
mod reproduce;
mod run;
mod segmentation;
mod split;
mod stress;
mod training;

pub use analysis::{AgeGroup, DatasetAnalysis, YearCount};
pub use anatomy::{Region, RegionMap};
pub use annotations::AnnotatedHand;
pub use augment::{AugmentRanges, Movement};
pub use backbone::{Backbone, FrozenVgg16};
pub use cache::{CacheKey, FeatureCache, View, ViewReader, ViewWriter};
pub use check::{Findings, find_duplicates};
pub use compare::{AgainstLabels, Comparison, Differences, PairedReading, pair_readings};
pub use coverage::{Coverage, CoveredCell, cross_conformal};
pub use dataset::{Dataset, Radiograph, RejectedRow, by_id, read_ids};
pub use detector::Detector;
pub use duplicates::{Fingerprint, NearDuplicate, near_duplicates};
pub use error::LabError;
pub use evaluate::read_all;
pub use experiment::{Experiment, Purpose};
pub use fill::{fill, open_cache};
pub use film_part::FilmPart;
pub use guard::{GuardReport, KindReport, fit_guard};
pub use intervals::{INTERVAL_LEVEL, calibrate_intervals};
pub use keypoints::{KeypointFinding, KeypointFindings, Marked, ZoneFinding};
pub use metrics::{Baseline, Estimate, Evaluation, GroupScores, Scored, Scores, median};
pub use model_report::{ModelReport, model_card};
pub use ossification::{Ossification, OssificationBoxes};
pub use predictions::{read_predictions, readings_csv};
pub use progress::Progress;
pub use readings::{ReadingRow, Readings};
pub use recalibrate::recalibrate;
pub use recipe::{Augment, Cohort, LossName, Monitor, Recipe, Schedule, SplitName, Training, Transfer};
pub use regression::{
    AnyRecipe, Components, CountErrors, CrossValidated, Features, FinishedRegression, Regression,
    RegressionKind, RegressionRecipe, WithoutComponents, train_regression,
};
pub use reproduce::Reproduction;
pub use run::{Finished, RunFolder};
pub use segmentation::{Agreement, Segmentation};
pub use split::{Dropped, Part, Split, part_of, third_part_of};
pub use stress::{Change, ChangeKind, StressRow, StressTable, stress};
pub use training::{EpochRecord, train};
