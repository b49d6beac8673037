use crate::{ChronologicalAge, Digest, Months, Plane, Sex};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The answer of the whole program about one radiograph.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The bone age; `None` when refused.
    pub months: Option<Months>,
    /// Where the true reading should lie; `None` for a model without calibrated intervals.
    pub interval: Option<Interval>,
    /// Accepted, flagged or refused.
    pub decision: Decision,
    /// Reasons to look twice, most serious first.
    pub flags: Vec<Flag>,
    /// The sex that was read for, and where it came from.
    pub sex: SexGiven,
    /// How old the child was when the film was taken, where that is known.
    pub chronological: Option<ChronologicalAge>,
    /// The model that answered.
    pub model: ModelName,
    /// Where the network looked, 0..1, in the pixels of the image as given (same width and height);
    /// `None` for a model without an attention map.
    pub attention: Option<Plane>,
    /// The hand as the extraction saw it, 1 inside and 0 outside, in the pixels of the image as given.
    pub hand: Option<Plane>,
    /// SHA-256 of the input file's bytes, where it came from a file.
    pub input: Option<Digest>,
}

/// A prediction interval with its promised coverage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub lower: Months,
    /// Upper end.
    pub upper: Months,
    /// Promised coverage, 0.9 for 90 %.
    pub level: f32,
}

impl Interval {
    /// Whether `months` lies in it, its ends included.
    pub fn holds(&self, months: Months) -> bool {
        (self.lower.0..=self.upper.0).contains(&months.0)
    }

    /// From end to end, in months.
    pub fn width(&self) -> f32 {
        self.upper.0 - self.lower.0
    }
}

/// What may be done with the age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Nothing speaks against it.
    Accepted,
    /// An age with reasons to look twice.
    Flagged,
    /// No age.
    Refused,
}

impl Decision {
    /// The lower-case word of every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Accepted => "accepted",
            Decision::Flagged => "flagged",
            Decision::Refused => "refused",
        }
    }
}

/// A reason to look twice: a code for machines and a sentence for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// For machines.
    pub code: FlagCode,
    /// For people: one sentence.
    pub message: String,
}

impl Flag {
    /// A flag with its sentence.
    pub fn new(code: FlagCode, message: impl Into<String>) -> Self {
        Flag { code, message: message.into() }
    }
}

/// What can be noticed about an image or a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FlagCode {
    /// No sex was given; both were read and averaged.
    SexUnknown,
    /// The model was trained on children of the other sex alone, or no sex was given for one of a single sex.
    OtherSex,
    /// No plausible hand was found; the whole frame was used.
    HandNotFound,
    /// The object that was found touches a frame edge other than the wrist's.
    HandCut,
    /// The image does not look like a radiograph of a hand; it is refused.
    NotAHand,
    /// The image is unlike the hands that the model knows.
    UnusualImage,
    /// The hand was turned; it was set upright.
    Turned,
    /// A person laid the film down: turned, mirrored or cropped it.
    ByHand,
    /// There are two objects of a hand's size.
    TwoHands,
    /// The bones are those of a hand that is nearly full-grown; an adult's is read alike.
    FullGrown,
    /// The image is smaller than what the network was trained on.
    LowResolution,
    /// The image has next to no contrast.
    LowContrast,
    /// The bones were dark on a bright ground; the image was inverted.
    PolarityInverted,
    /// The file's EXIF says it was stored turned or mirrored; it was set upright.
    ExifTurned,
    /// The image is in colour; its luminance was used.
    Colour,
    /// The image is in strong colours, as no radiograph is; it is refused.
    ColourPicture,
    /// The age lies at the border of what the model was trained on.
    OutsideTrainingRange,
    /// The sex that was given is not that of the file's header.
    SexContradiction,
    /// The file's header says that this is something else than a radiograph of a hand.
    NotHandByHeader,
    /// The file's header names a body part that may be a hand or another.
    HandNotNamed,
    /// The bones look dark on a bright ground, and the file's header says that they are not; it was read as it says.
    PolarityContradiction,
    /// A right hand, by the file's header or by its looks, or a mirrored film; the standards show left ones.
    RightHand,
    /// The file holds several frames; the first was read.
    FirstFrame,
    /// The file is not stored as it says.
    StorageContradiction,
    /// The header's window of greys cannot be; the full scale was used.
    WindowIgnored,
    /// The file's pixels are oblong; the image was stretched until they were squares.
    PixelsNotSquare,
}

impl FlagCode {
    /// The snake_case word of every output.
    pub fn as_str(self) -> &'static str {
        match self {
            FlagCode::SexUnknown => "sex_unknown",
            FlagCode::OtherSex => "other_sex",
            FlagCode::HandNotFound => "hand_not_found",
            FlagCode::HandCut => "hand_cut",
            FlagCode::NotAHand => "not_a_hand",
            FlagCode::UnusualImage => "unusual_image",
            FlagCode::Turned => "turned",
            FlagCode::ByHand => "by_hand",
            FlagCode::TwoHands => "two_hands",
            FlagCode::FullGrown => "full_grown",
            FlagCode::LowResolution => "low_resolution",
            FlagCode::LowContrast => "low_contrast",
            FlagCode::PolarityInverted => "polarity_inverted",
            FlagCode::ExifTurned => "exif_turned",
            FlagCode::Colour => "colour",
            FlagCode::ColourPicture => "colour_picture",
            FlagCode::OutsideTrainingRange => "outside_training_range",
            FlagCode::SexContradiction => "sex_contradiction",
            FlagCode::NotHandByHeader => "not_hand_by_header",
            FlagCode::HandNotNamed => "hand_not_named",
            FlagCode::PolarityContradiction => "polarity_contradiction",
            FlagCode::RightHand => "right_hand",
            FlagCode::FirstFrame => "first_frame",
            FlagCode::StorageContradiction => "storage_contradiction",
            FlagCode::WindowIgnored => "window_ignored",
            FlagCode::PixelsNotSquare => "pixels_not_square",
        }
    }
}

impl fmt::Display for FlagCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The sex that an image was read for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SexGiven {
    /// `None`: both were read and averaged.
    pub value: Option<Sex>,
    /// Who said so.
    pub source: SexSource,
}

impl SexGiven {
    /// The sex that counts where the file's header may tell one as well: what was given, else the header's; and a
    /// flag where the two differ.
    pub fn beside_header(self, header: Option<Sex>) -> (SexGiven, Option<Flag>) {
        match (self.value, header) {
            (None, Some(sex)) => (SexGiven { value: Some(sex), source: SexSource::Header }, None),
            (Some(told), Some(sex)) if told != sex => {
                let message =
                    format!("{told} was given, the file's header says {sex}; it was read as {told}");
                (self, Some(Flag::new(FlagCode::SexContradiction, message)))
            }
            _ => (self, None),
        }
    }
}

/// Who said which sex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SexSource {
    /// The `--sex` option, or a caller.
    Given,
    /// A row of `--sex-csv`.
    Table,
    /// The file's header.
    Header,
    /// Nobody.
    Unknown,
}

/// Which model answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelName {
    /// Its name, for people.
    pub name: String,
    /// SHA-256 of its file.
    pub digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_serves_where_nothing_was_given_and_is_contradicted_aloud() {
        let unknown = SexGiven { value: None, source: SexSource::Unknown };
        let by_header = SexGiven { value: Some(Sex::Male), source: SexSource::Header };
        assert_eq!(unknown.beside_header(Some(Sex::Male)), (by_header, None));
        assert_eq!(unknown.beside_header(None), (unknown, None));
        let girl = SexGiven { value: Some(Sex::Female), source: SexSource::Given };
        let (given, flag) = girl.beside_header(Some(Sex::Male));
        assert_eq!((given, flag.map(|flag| flag.code)), (girl, Some(FlagCode::SexContradiction)));
        assert_eq!(girl.beside_header(Some(Sex::Female)), (girl, None));
    }
}
