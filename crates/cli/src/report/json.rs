use super::{Report, tenth};
use boneage_core::{AgeSource, Decision, Digest, Flag, Interval, ModelName, Months, SexGiven};
use boneage_report::{AdultHeight, Case, NoAdultHeight, Score, Standing};
use serde::Serialize;
use std::io::{self, Write};

/// One array for programs, an element a file.
#[derive(Default)]
pub(super) struct Json {
    elements: usize,
}

/// An element; the order of the fields is the order on the page.
#[derive(Serialize)]
struct Element<'a> {
    file: &'a str,
    months: Option<f64>,
    interval: Option<IntervalElement>,
    decision: Decision,
    /// An age was given, with or without flags.
    accepted: bool,
    flags: &'a [Flag],
    sex: SexGiven,
    chronological_age: Option<AgeElement>,
    standing: Option<StandingElement<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adult_height: Option<AdultHeightElement>,
    model: &'a ModelName,
    input_digest: Option<&'a Digest>,
    version: &'static str,
}

#[derive(Serialize)]
struct IntervalElement {
    lower: f64,
    upper: f64,
    level: f32,
}

#[derive(Serialize)]
struct AgeElement {
    months: f64,
    source: AgeSource,
}

/// How the bone age stands to the chronological one; `sds` is null outside the reference's table.
#[derive(Serialize)]
struct StandingElement<'a> {
    difference: f64,
    sds: Option<f64>,
    reference: &'a str,
}

/// The adult height in centimetres that a given height predicts, or why there is none.
#[derive(Serialize)]
#[serde(untagged)]
enum AdultHeightElement {
    Predicted { centimetres: f64, percent_reached: f64, table: &'static str },
    None { reason: String },
}

impl AdultHeightElement {
    fn of(predicted: &Result<AdultHeight, NoAdultHeight>) -> Self {
        match predicted {
            Ok(adult) => AdultHeightElement::Predicted {
                centimetres: tenth(Months(adult.height)),
                percent_reached: tenth(Months(adult.reached)),
                table: adult.tempo.as_str(),
            },
            Err(reason) => AdultHeightElement::None { reason: reason.words() },
        }
    }
}

impl<'a> StandingElement<'a> {
    fn of(standing: &'a Standing) -> Self {
        let sds = match standing.score {
            Score::Sds(sds) => Some(tenth(Months(sds))),
            _ => None,
        };
        StandingElement {
            difference: tenth(Months(standing.difference)),
            sds,
            reference: &standing.reference,
        }
    }
}

impl Report for Json {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "[")
    }

    fn add(&mut self, out: &mut dyn Write, file: &str, case: &Case<'_>) -> io::Result<()> {
        let assessment = case.assessment;
        let interval = |interval: Interval| IntervalElement {
            lower: tenth(interval.lower),
            upper: tenth(interval.upper),
            level: interval.level,
        };
        let element = Element {
            file,
            months: assessment.months.map(tenth),
            interval: assessment.interval.map(interval),
            decision: assessment.decision,
            accepted: assessment.decision != Decision::Refused,
            flags: &assessment.flags,
            sex: assessment.sex,
            chronological_age: assessment
                .chronological
                .map(|age| AgeElement { months: tenth(age.months), source: age.source }),
            standing: case.standing.map(StandingElement::of),
            adult_height: case.adult_height.as_ref().map(AdultHeightElement::of),
            model: &assessment.model,
            input_digest: assessment.input.as_ref(),
            version: env!("CARGO_PKG_VERSION"),
        };
        let text = serde_json::to_string_pretty(&element)?.replace('\n', "\n  ");
        let separator = if self.elements == 0 { "" } else { "," };
        self.elements += 1;
        write!(out, "{separator}\n  {text}")
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}]", if self.elements == 0 { "" } else { "\n" })
    }
}
