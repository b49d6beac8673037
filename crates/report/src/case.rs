use crate::{AdultHeight, NoAdultHeight, Standing};
use boneage_core::{Assessment, Date, Moment};

/// One reading with all that a report tells of it. No name and no number of a patient is in it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The reading.
    pub assessment: &'a Assessment,
    /// The day on which the film was taken.
    pub study_date: Option<Date>,
    /// How the bone age stands to the child's age, where both are known.
    pub standing: Option<&'a Standing>,
    /// The adult height that a height and the bone age predict, where a height was given.
    pub adult_height: Option<Result<AdultHeight, NoAdultHeight>>,
    /// When the reading was made, in UTC.
    pub written: Moment,
    /// Version of the program.
    pub version: &'a str,
}

/// What every report says of itself.
pub(crate) const STATEMENT: &str =
    "For research use. Not a medical device. A reading to be confirmed by a physician.";

/// A number as every report tells it: to a tenth. Further digits are noise.
pub(crate) fn tenth(number: f32) -> f64 {
    (f64::from(number) * 10.0).round() / 10.0
}
