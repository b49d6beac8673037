use crate::exit::Exit;
use crate::models::{embedded, read_manifest};
use crate::printer::Printer;
use boneage_assess::Manifest;
use std::fmt::Write;
use std::path::PathBuf;

/// List the models inside this program, the default first, or those in files.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model files to tell about instead
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Prints a block a model: name, version, measured error, licence.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    let mut text = String::new();
    if args.files.is_empty() {
        for (i, (name, manifest)) in embedded().enumerate() {
            let title = if i == 0 { format!("{name} (default)") } else { name.to_owned() };
            tell(&mut text, &title, &manifest)?;
        }
    }
    for file in &args.files {
        let manifest = read_manifest(file)?;
        tell(&mut text, &manifest.name, &manifest)?;
    }
    if text.is_empty() {
        printer.note("no model is inside this program; give one with --model FILE");
    }
    printer.result(text)?;
    Ok(Exit::Done)
}

fn tell(text: &mut String, title: &str, manifest: &Manifest) -> std::fmt::Result {
    writeln!(text, "{title}\n  version      {}", manifest.version)?;
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
    writeln!(text, "  licence      {}\n  attribution  {}", manifest.licence, manifest.attribution)
}
