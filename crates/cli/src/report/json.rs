use super::Report;
use boneage_report::{Case, JsonReading};
use std::io::{self, Write};

/// One array for programs, an element a file.
#[derive(Default)]
pub(super) struct Json {
    elements: usize,
}

impl Report for Json {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "[")
    }

    fn add(&mut self, out: &mut dyn Write, file: &str, case: &Case<'_>) -> io::Result<()> {
        let text = JsonReading::new(file, case).to_pretty().replace('\n', "\n  ");
        let separator = if self.elements == 0 { "" } else { "," };
        self.elements += 1;
        write!(out, "{separator}\n  {text}")
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}]", if self.elements == 0 { "" } else { "\n" })
    }
}
