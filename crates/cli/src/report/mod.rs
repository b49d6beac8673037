//! Readings as text, CSV, JSON and FHIR: one file a format, each written as the images are read, so that a batch
//! of any length needs the memory of one.

mod csv;
mod fhir;
mod json;
mod text;

use boneage_report::Case;
use std::io::{self, Write};

/// The formats of `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One array.
    Json,
    /// One line a file.
    Csv,
    /// One FHIR R4 Bundle.
    Fhir,
}

/// A way of writing assessments down.
pub(crate) trait Report {
    /// What stands before the first.
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()>;
    /// One reading; `file` is the path as it was typed or found.
    fn add(&mut self, out: &mut dyn Write, file: &str, case: &Case<'_>) -> io::Result<()>;
    /// What stands after the last.
    fn end(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// The writer of a format.
pub(crate) fn report(format: Format) -> Box<dyn Report> {
    match format {
        Format::Text => Box::new(text::Text::default()),
        Format::Json => Box::new(json::Json::default()),
        Format::Csv => Box::new(csv::Csv),
        Format::Fhir => Box::new(fhir::Fhir::default()),
    }
}

/// Months as every format tells them: to a tenth. The network's further digits are noise.
fn tenth(months: boneage_core::Months) -> f64 {
    (f64::from(months.0) * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::{
        AgeSource, Assessment, ChronologicalAge, Date, Decision, Digest, Flag, FlagCode, Interval, ModelName,
        Moment, Months, Sex, SexGiven, SexSource,
    };
    use boneage_report::Reference;

    fn read() -> Assessment {
        Assessment {
            months: Some(Months(127.349)),
            interval: None,
            decision: Decision::Accepted,
            flags: Vec::new(),
            sex: SexGiven { value: Some(Sex::Female), source: SexSource::Given },
            chronological: None,
            model: ModelName { name: "attention-256".into(), digest: Digest::of(b"model") },
            attention: None,
            hand: None,
            input: Some(Digest::of(b"file")),
        }
    }

    fn flagged() -> Assessment {
        let interval = Interval { lower: Months(100.0), upper: Months(140.04), level: 0.9 };
        Assessment {
            interval: Some(interval),
            decision: Decision::Flagged,
            flags: vec![
                Flag::new(FlagCode::SexUnknown, "no sex was given"),
                Flag::new(FlagCode::Colour, "3 % are coloured"),
            ],
            sex: SexGiven { value: None, source: SexSource::Unknown },
            chronological: Some(ChronologicalAge { months: Months(119.96), source: AgeSource::Dates }),
            ..read()
        }
    }

    fn refused() -> Assessment {
        let flags = vec![Flag::new(FlagCode::LowContrast, "the image is blank")];
        Assessment { months: None, decision: Decision::Refused, flags, ..read() }
    }

    fn written(format: Format, of: &[Assessment]) -> String {
        let (mut report, mut out) = (report(format), Vec::new());
        report.begin(&mut out).unwrap();
        for (i, assessment) in of.iter().enumerate() {
            let reference = Reference::brush_foundation();
            let known = assessment.chronological.zip(assessment.months);
            let standing = known.map(|(age, months)| reference.standing(Some(Sex::Male), age, months));
            let written = Moment { date: Date::new(2024, 5, 6).unwrap(), time: [0; 3] };
            let standing = standing.as_ref();
            let case = Case {
                assessment,
                study_date: None,
                standing,
                adult_height: None,
                written,
                version: "VERSION",
            };
            report.add(&mut out, &format!("a, b/{i}.png"), &case).unwrap();
        }
        report.end(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text() {
        insta::assert_snapshot!(written(Format::Text, &[read(), flagged(), refused()]));
    }

    #[test]
    fn csv() {
        insta::assert_snapshot!(written(Format::Csv, &[read(), flagged(), refused()]));
    }

    #[test]
    fn json() {
        let text = written(Format::Json, &[read(), flagged(), refused()]);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value.as_array().unwrap().len(), 3);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn fhir() {
        let text = written(Format::Fhir, &[read(), refused()]);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["entry"].as_array().unwrap().len(), 4);
        let empty: serde_json::Value = serde_json::from_str(&written(Format::Fhir, &[])).unwrap();
        assert!(empty.get("entry").is_none(), "FHIR knows no empty list");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn nothing_read_is_an_empty_array_and_a_header() {
        assert_eq!(written(Format::Json, &[]), "[]\n");
        assert_eq!(written(Format::Csv, &[]), "file,sex,months,lower,upper,accepted,flags,model\n");
        assert_eq!(written(Format::Text, &[]), "");
    }
}
