use boneage_core::{Assessment, Months, SexSource};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the model said about a film, as it is stored and as it is told.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Reading {
    /// Bone age to a tenth of a month; null when refused.
    pub(crate) months: Option<f64>,
    /// Where the reading of an expert should lie; null for a model without calibrated intervals.
    pub(crate) interval: Option<Interval>,
    /// `accepted`, `flagged` or `refused`.
    pub(crate) decision: String,
    /// Reasons to look twice, most serious first.
    pub(crate) flags: Vec<Flag>,
    /// The sex that was read for, `female` or `male`; null: both, and their mean.
    pub(crate) sex: Option<String>,
    /// Who said so: `given`, `header` (of a DICOM file) or `unknown`.
    pub(crate) sex_source: String,
    /// The child's age on the day of the study in months, by the header of a DICOM file.
    pub(crate) chronological_months: Option<f64>,
    /// The model that answered.
    pub(crate) model: Model,
    /// Size of the upright image in pixels.
    pub(crate) width: usize,
    /// Size of the upright image in pixels.
    pub(crate) height: usize,
    /// Whether there is an attention map.
    pub(crate) attention: bool,
    /// Whether a hand was found.
    pub(crate) hand: bool,
    /// How long reading took, in milliseconds.
    pub(crate) duration_ms: u64,
    /// Version of boneage.
    pub(crate) version: String,
}

/// A prediction interval with its promised coverage.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Interval {
    /// Lower end in months.
    pub(crate) lower: f64,
    /// Upper end in months.
    pub(crate) upper: f64,
    /// Promised coverage, 0.9 for 90 %.
    pub(crate) level: f64,
}

/// A reason to look twice.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Flag {
    /// For programs.
    pub(crate) code: String,
    /// For people: a sentence.
    pub(crate) message: String,
}

/// Which model answered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Model {
    /// Its name.
    pub(crate) name: String,
    /// SHA-256 of its file.
    pub(crate) digest: String,
}

impl Reading {
    /// An assessment of an image of `size` pixels (width, height), without its pictures.
    pub(crate) fn of(
        assessment: &Assessment,
        chronological: Option<Months>,
        (width, height): (usize, usize),
        duration_ms: u64,
    ) -> Self {
        let interval = assessment.interval.map(|interval| Interval {
            lower: tenth(interval.lower),
            upper: tenth(interval.upper),
            level: (f64::from(interval.level) * 1000.0).round() / 1000.0,
        });
        let flags = assessment
            .flags
            .iter()
            .map(|flag| Flag { code: flag.code.to_string(), message: flag.message.clone() });
        Reading {
            months: assessment.months.map(tenth),
            interval,
            decision: assessment.decision.as_str().to_owned(),
            flags: flags.collect(),
            sex: assessment.sex.value.map(|sex| sex.as_str().to_owned()),
            sex_source: match assessment.sex.source {
                SexSource::Header => "header",
                SexSource::Unknown => "unknown",
                _ => "given",
            }
            .to_owned(),
            chronological_months: chronological.map(tenth),
            model: Model { name: assessment.model.name.clone(), digest: assessment.model.digest.to_string() },
            width,
            height,
            attention: assessment.attention.is_some(),
            hand: assessment.hand.is_some(),
            duration_ms,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// The network's further digits are noise.
fn tenth(months: Months) -> f64 {
    (f64::from(months.0) * 10.0).round() / 10.0
}
