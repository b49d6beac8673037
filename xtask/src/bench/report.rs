use super::machine;
use anyhow::{Context, Result};
use std::fmt::Write;
use std::path::Path;

/// A report in the making: Markdown.
#[derive(Default)]
pub(crate) struct Report(String);

impl Report {
    /// The head: title, the command that makes it, the machine, the date.
    pub(crate) fn new(title: &str) -> Self {
        let mut words: Vec<String> = std::env::args().skip(1).collect();
        for word in &mut words {
            // Where somebody's Python or data lies says nothing.
            if word.ends_with("/bin/python") || word.ends_with("/bin/python3") {
                *word = "PYTHON".to_owned();
            } else if Path::new(word).is_absolute() {
                *word = "DIR".to_owned();
            }
        }
        let mut report = Report(format!("# {title}\n"));
        report.paragraph(&format!("`cargo xtask {}`", words.join(" ")));
        report.paragraph(&format!("{}.", machine::description()));
        report
    }

    /// A section of a report, with the command that makes it.
    pub(crate) fn section(title: &str) -> Self {
        Report(Report::new(title).0.replacen("# ", "\n## ", 1))
    }

    /// Writes a section into a report in place of that of the same title, which is the last.
    pub(crate) fn put_into(&self, file: &Path, title: &str) -> Result<()> {
        let there = std::fs::read_to_string(file).unwrap_or_default();
        let before = there.split(&section_head(title)).next().unwrap_or_default();
        Report(format!("{before}{}", self.0)).write(file)
    }

    /// Adds the section of this title as a file has it, if it has one: others make it.
    pub(crate) fn keep_section(&mut self, file: &Path, title: &str) {
        let there = std::fs::read_to_string(file).unwrap_or_default();
        if let Some((_, kept)) = there.split_once(&section_head(title)) {
            self.0.push_str(&section_head(title));
            self.0.push_str(kept);
        }
    }

    pub(crate) fn heading(&mut self, text: &str) {
        write!(self.0, "\n## {text}\n").ok();
    }

    pub(crate) fn paragraph(&mut self, text: &str) {
        write!(self.0, "\n{text}\n").ok();
    }

    /// A table; the first column is text, the others are numbers.
    pub(crate) fn table(&mut self, header: &[&str], rows: &[Vec<String>]) {
        let alignment = header.iter().enumerate().map(|(i, _)| if i == 0 { "---" } else { "---:" });
        let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
        self.0.push('\n');
        self.0.push_str(&line(header.to_vec()));
        self.0.push_str(&line(alignment.collect()));
        for row in rows {
            self.0.push_str(&line(row.iter().map(String::as_str).collect()));
        }
    }

    /// Adds all of another.
    pub(crate) fn append(&mut self, other: &Report) {
        self.0.push_str(&other.0);
    }

    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        std::fs::write(file, &self.0).with_context(|| file.display().to_string())?;
        println!("{}", file.display());
        Ok(())
    }
}

/// A required ratio, the least that will do, and whether it was reached.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    pub(crate) what: String,
    /// How many times as fast (or a limit, for memory and time).
    pub(crate) measured: f64,
    pub(crate) required: f64,
    pub(crate) unit: &'static str,
    pub(crate) kind: Kind,
}

/// Which side of the bar is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    AtLeast,
    AtMost,
}

impl Bar {
    /// So many times as fast as a peer.
    pub(crate) fn faster(what: impl Into<String>, measured: f64, required: f64) -> Self {
        Bar { what: what.into(), measured, required, unit: "times", kind: Kind::AtLeast }
    }

    /// No more than so much.
    pub(crate) fn limit(what: impl Into<String>, measured: f64, required: f64, unit: &'static str) -> Self {
        Bar { what: what.into(), measured, required, unit, kind: Kind::AtMost }
    }

    fn reached(&self) -> bool {
        match self.kind {
            Kind::AtLeast => self.measured >= self.required,
            Kind::AtMost => self.measured <= self.required,
        }
    }

    fn row(&self) -> Vec<String> {
        let word = if self.kind == Kind::AtLeast { "at least" } else { "at most" };
        vec![
            self.what.clone(),
            format!("{} {}", number(self.measured), self.unit),
            format!("{word} {}", number(self.required)),
            if self.reached() { "reached" } else { "**missed**" }.to_owned(),
        ]
    }
}

impl Report {
    /// Every bar with what was measured against it.
    pub(crate) fn bars(&mut self, bars: &[Bar]) {
        let missed = bars.iter().filter(|bar| !bar.reached()).count();
        self.heading("Bars");
        self.paragraph(&format!("{} of {} reached.", bars.len() - missed, bars.len()));
        self.bar_table(bars);
    }

    /// The same without heading and sum.
    pub(crate) fn bar_table(&mut self, bars: &[Bar]) {
        let rows: Vec<_> = bars.iter().map(Bar::row).collect();
        self.table(&["work", "measured", "bar", ""], &rows);
    }
}

fn section_head(title: &str) -> String {
    format!("\n## {title}\n")
}

/// Three significant digits.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_reached_or_missed_on_the_right_side() {
        assert!(Bar::faster("a", 2.4, 2.4).reached() && !Bar::faster("a", 2.39, 2.4).reached());
        assert!(
            Bar::limit("b", 450.0, 450.0, "MB").reached() && !Bar::limit("b", 451.0, 450.0, "MB").reached()
        );
        assert_eq!(Bar::faster("c", 2.3, 2.4).row()[3], "**missed**");
    }

    #[test]
    fn a_section_is_replaced_and_kept_when_the_rest_is_made_anew() {
        let folder = crate::bench::Folder::new().unwrap();
        let file = folder.join("report.md");
        let text = || std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, "# Title\n\nold\n\n## Other\n\nfirst\n").unwrap();
        Report("\n## Other\n\nsecond\n".to_owned()).put_into(&file, "Other").unwrap();
        assert_eq!(text(), "# Title\n\nold\n\n## Other\n\nsecond\n");
        let mut anew = Report("# Title\n\nnew\n".to_owned());
        anew.keep_section(&file, "Other");
        anew.write(&file).unwrap();
        assert_eq!(text(), "# Title\n\nnew\n\n## Other\n\nsecond\n");
    }

    #[test]
    fn numbers_keep_three_digits() {
        assert_eq!([1234.4, 35.29, 2.345].map(number), ["1234", "35.3", "2.35"]);
    }
}
