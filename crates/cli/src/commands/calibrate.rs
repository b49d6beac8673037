use crate::exit::Exit;
use crate::kept::keep;
use crate::labelled::LabelledArgs;
use crate::models::{self, Images, ModelArgs};
use crate::printer::Printer;
use anyhow::{Context, anyhow, bail};
use boneage_assess::{AgeLine, Recalibration};
use boneage_lab::{read_all, recalibrate};
use std::fs;
use std::path::PathBuf;

/// How many cases a line for each sex should rest on.
const ENOUGH: usize = 50;

/// Fit a model to the readers of one site: write a model file that reads as they do.
///
/// From 50 to 200 cases with the site's own readings: for each sex a line that takes the model's readings to
/// those, shrunk so that few cases change little. Intervals follow it. Bias and mean absolute error are told
/// before and after with 95 % intervals; after is cross-validated.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  boneage calibrate --images films --labels ages.csv --out site.safetensors")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    labelled: LabelledArgs,
    /// The model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace the file if it is there already
    #[arg(long)]
    force: bool,
}

/// Reads the cases, fits, writes the model and prints what changed.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    keep([&args.out], args.force)?;
    let mut bundle = models::bundle(&args.model)?;
    if bundle.manifest.recalibration.is_some() {
        bail!(
            "model {} is fitted to a site already; hint: begin from the model that it was made of",
            bundle.manifest.name
        );
    }
    let cases = args.labelled.read()?;
    if cases.len() < ENOUGH {
        printer.warning(format!("{} cases are few; from {ENOUGH} on a line means something", cases.len()));
    }
    let (scored, unreadable) =
        read_all(&models::predictor(&args.model, Images::Many)?, &cases.iter().collect::<Vec<_>>());
    unreadable.iter().for_each(|reason| printer.error(&anyhow!("{reason}")));
    let fitted = recalibrate(&scored)?;
    printer.result(told(&fitted))?;
    bundle.manifest.recalibration = Some(fitted);
    fs::write(&args.out, bundle.to_bytes()?).with_context(|| format!("model {}", args.out.display()))?;
    printer.note(format!("model {}", args.out.display()));
    Ok(if unreadable.is_empty() { Exit::Done } else { Exit::Input })
}

fn told(fitted: &Recalibration) -> String {
    let Recalibration { male, female, metrics } = fitted;
    let line = |AgeLine { offset, slope }: &AgeLine| {
        format!("{offset:+.1} months at 120, {slope:+.3} a month above it")
    };
    let mut text = format!("male    {}\nfemale  {}\n\n", line(male), line(female));
    text.push_str(&format!("{:<12} {:<7} {:>6}  {:>24}\n", "months", "sex", "cases", "(95 %)"));
    for metric in metrics {
        let [low, high] = metric.interval_95.unwrap_or([metric.value; 2]);
        let estimate = format!("{:.2} ({low:.2} to {high:.2})", metric.value);
        text.push_str(&format!(
            "{:<12} {:<7} {:>6}  {estimate:>24}\n",
            metric.name, metric.set, metric.images
        ));
    }
    text
}
