use crate::exit::Exit;
use crate::models::embedded;
use crate::printer::Printer;
use std::fmt::Write;

/// List the models inside this program, the default first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Prints a block a model: name, version, measured error, licence.
pub(crate) fn run(_args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    let mut text = String::new();
    for (i, (name, manifest)) in embedded().enumerate() {
        let default = if i == 0 { " (default)" } else { "" };
        writeln!(text, "{name}{default}\n  version      {}", manifest.version)?;
        for metric in manifest.metrics.iter().filter(|metric| metric.unit == "months") {
            write!(
                text,
                "  {:<11}  {:.2} months on {} images ({})",
                metric.name, metric.value, metric.images, metric.set
            )?;
            match metric.interval_95 {
                Some([lower, upper]) => writeln!(text, ", 95 % interval {lower:.2} to {upper:.2}")?,
                None => writeln!(text)?,
            }
        }
        writeln!(text, "  licence      {}\n  attribution  {}", manifest.licence, manifest.attribution)?;
    }
    if text.is_empty() {
        printer.note("no model is inside this program; give one with --model FILE");
    }
    printer.result(text)?;
    Ok(Exit::Done)
}
