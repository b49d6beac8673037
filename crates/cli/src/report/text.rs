use super::{Report, tenth};
use boneage_core::SexSource;
use boneage_report::{Case, Standing};
use std::io::{self, Write};

/// A block of lines a file, for people.
#[derive(Default)]
pub(super) struct Text {
    blocks: usize,
}

impl Report for Text {
    fn begin(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn add(&mut self, out: &mut dyn Write, file: &str, case: &Case<'_>) -> io::Result<()> {
        let assessment = case.assessment;
        if self.blocks > 0 {
            writeln!(out)?;
        }
        self.blocks += 1;
        writeln!(out, "{file}")?;
        match assessment.months {
            Some(months) => writeln!(out, "  bone age  {months} ({:.1} months)", tenth(months))?,
            None => writeln!(out, "  bone age  none given")?,
        }
        if let Some(interval) = assessment.interval {
            let (lower, upper) = (tenth(interval.lower), tenth(interval.upper));
            writeln!(out, "  interval  {lower:.1} to {upper:.1} months ({:.0} %)", interval.level * 100.0)?;
        }
        if let Some(age) = assessment.chronological {
            writeln!(out, "  child     {} ({:.1} months)", age.months, tenth(age.months))?;
        }
        if let Some(Standing { difference, score, reference, .. }) = case.standing {
            writeln!(out, "  standing  {difference:+.1} months, {} ({reference})", score.words())?;
        }
        match &case.adult_height {
            Some(Ok(adult)) => writeln!(
                out,
                "  adult     {:.1} cm ({:.1} % reached; Bayley and Pinneau, {})",
                adult.height,
                adult.reached,
                adult.tempo.as_str()
            )?,
            Some(Err(reason)) => writeln!(out, "  adult     no height predicted: {}", reason.words())?,
            None => {}
        }
        let from = match assessment.sex.source {
            SexSource::Table => ", from the table",
            SexSource::Header => ", from the header",
            _ => "",
        };
        match assessment.sex.value {
            Some(sex) => writeln!(out, "  sex       {sex}{from}")?,
            None => writeln!(out, "  sex       unknown")?,
        }
        writeln!(out, "  model     {} ({})", assessment.model.name, assessment.model.digest.short())?;
        writeln!(out, "  decision  {}", assessment.decision.as_str())?;
        for (i, flag) in assessment.flags.iter().enumerate() {
            let label = if i == 0 { "flags" } else { "" };
            writeln!(out, "  {label:<8}  {}: {}", flag.code.as_str(), flag.message)?;
        }
        Ok(())
    }

    fn end(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
