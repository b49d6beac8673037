//! A reading as JSON: what programs get of it, from the command line and from the service.

use crate::case::{Case, tenth};
use crate::{AdultHeight, NoAdultHeight, Score, Standing};
use boneage_core::{AgeSource, Decision, Digest, Flag, ModelName, SexGiven};
use serde::Serialize;

/// One reading; it serialises with its fields in the order in which they are told.
///
/// Months and centimetres are told to a tenth. What is not known is null, but for the adult height, which is left out
/// where no height was given. `docs/reference/results.md` tells every field.
#[derive(Clone, Debug, Serialize)]
pub struct JsonReading<'a> {
    file: &'a str,
    months: Option<f64>,
    interval: Option<JsonInterval>,
    decision: Decision,
    /// An age was given, with or without flags.
    accepted: bool,
    flags: &'a [Flag],
    sex: SexGiven,
    chronological_age: Option<JsonAge>,
    standing: Option<JsonStanding<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adult_height: Option<JsonAdultHeight>,
    model: &'a ModelName,
    input_digest: Option<&'a Digest>,
    version: &'a str,
}

#[derive(Clone, Debug, Serialize)]
struct JsonInterval {
    lower: f64,
    upper: f64,
    level: f32,
}

#[derive(Clone, Debug, Serialize)]
struct JsonAge {
    months: f64,
    source: AgeSource,
}

/// How the bone age stands to the chronological one; `sds` is null outside the reference's table.
#[derive(Clone, Debug, Serialize)]
struct JsonStanding<'a> {
    difference: f64,
    sds: Option<f64>,
    reference: &'a str,
}

/// The adult height in centimetres that a given height predicts, or why there is none.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum JsonAdultHeight {
    Predicted { centimetres: f64, percent_reached: f64, table: &'static str },
    None { reason: String },
}

impl<'a> JsonReading<'a> {
    /// The reading of a file, by the name by which whoever asks knows it.
    pub fn new(file: &'a str, case: &Case<'a>) -> Self {
        let assessment = case.assessment;
        JsonReading {
            file,
            months: assessment.months.map(|months| tenth(months.0)),
            interval: assessment.interval.map(|interval| JsonInterval {
                lower: tenth(interval.lower.0),
                upper: tenth(interval.upper.0),
                level: interval.level,
            }),
            decision: assessment.decision,
            accepted: assessment.decision != Decision::Refused,
            flags: &assessment.flags,
            sex: assessment.sex,
            chronological_age: assessment
                .chronological
                .map(|age| JsonAge { months: tenth(age.months.0), source: age.source }),
            standing: case.standing.map(JsonStanding::of),
            adult_height: case.adult_height.as_ref().map(JsonAdultHeight::of),
            model: &assessment.model,
            input_digest: assessment.input.as_ref(),
            version: case.version,
        }
    }

    /// The reading as a text of several lines.
    pub fn to_pretty(&self) -> String {
        serde_json::to_string_pretty(self).expect("a reading is plain JSON")
    }
}

impl<'a> JsonStanding<'a> {
    fn of(standing: &'a Standing) -> Self {
        let sds = match standing.score {
            Score::Sds(sds) => Some(tenth(sds)),
            _ => None,
        };
        JsonStanding { difference: tenth(standing.difference), sds, reference: &standing.reference }
    }
}

impl JsonAdultHeight {
    fn of(predicted: &Result<AdultHeight, NoAdultHeight>) -> Self {
        match predicted {
            Ok(adult) => JsonAdultHeight::Predicted {
                centimetres: tenth(adult.height),
                percent_reached: tenth(adult.reached),
                table: adult.tempo.as_str(),
            },
            Err(reason) => JsonAdultHeight::None { reason: reason.words() },
        }
    }
}
