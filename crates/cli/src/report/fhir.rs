use super::Report;
use boneage_report::{Case, fhir};
use std::io::{self, Write};

/// One FHIR R4 Bundle, two entries a file.
#[derive(Default)]
pub(super) struct Fhir {
    entries: usize,
}

impl Report for Fhir {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{{\n  \"resourceType\": \"Bundle\",\n  \"type\": \"collection\"")
    }

    fn add(&mut self, out: &mut dyn Write, _file: &str, case: &Case<'_>) -> io::Result<()> {
        for entry in fhir(case) {
            // An empty list is no FHIR: it is opened by its first entry.
            write!(out, "{}", if self.entries == 0 { ",\n  \"entry\": [" } else { "," })?;
            self.entries += 1;
            let text = serde_json::to_string_pretty(&entry)?.replace('\n', "\n    ");
            write!(out, "\n    {text}")?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}\n}}", if self.entries == 0 { "" } else { "\n  ]" })
    }
}
