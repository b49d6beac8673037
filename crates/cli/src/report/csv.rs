use super::{Report, tenth};
use boneage_core::{Decision, Months};
use boneage_report::Case;
use std::io::{self, Write};

/// One line a file for spreadsheets: months empty when refused, `lower` and `upper` empty without an interval,
/// `accepted` false when refused, flags joined by `;`.
pub(super) struct Csv;

const COLUMNS: [&str; 8] = ["file", "sex", "months", "lower", "upper", "accepted", "flags", "model"];

impl Report for Csv {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        line(out, &COLUMNS)
    }

    fn add(&mut self, out: &mut dyn Write, file: &str, case: &Case<'_>) -> io::Result<()> {
        let assessment = case.assessment;
        let months = |months: Option<Months>| {
            months.map_or_else(String::new, |months| format!("{:.1}", tenth(months)))
        };
        let flags: Vec<&str> = assessment.flags.iter().map(|flag| flag.code.as_str()).collect();
        let accepted = assessment.decision != Decision::Refused;
        line(
            out,
            &[
                file,
                assessment.sex.value.map_or("", |sex| sex.as_str()),
                &months(assessment.months),
                &months(assessment.interval.map(|interval| interval.lower)),
                &months(assessment.interval.map(|interval| interval.upper)),
                if accepted { "true" } else { "false" },
                &flags.join(";"),
                &assessment.model.name,
            ],
        )
    }

    fn end(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn line(out: &mut dyn Write, fields: &[&str]) -> io::Result<()> {
    // A writer a line: it holds no state between lines but the number of fields, which is fixed here.
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(fields).map_err(io::Error::other)?;
    writer.flush()
}
