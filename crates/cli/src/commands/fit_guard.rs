use crate::exit::Exit;
use crate::kept::keep;
use crate::models::{self, Images, ModelArgs};
use crate::printer::Printer;
use anyhow::Context;
use boneage_lab::{Dataset, Part, Radiograph, fit_guard, part_of};
use std::fs;
use std::path::PathBuf;

/// Teach a model to tell hands from other images.
///
/// Fits the model's guard, which refuses what is no hand and sets turned hands upright, on training
/// films and on images of other things, and prints how each kind of other images fares by a guard
/// that was fitted without it. The model itself stays as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  Other images in folders, one a kind; two of the kinds are only judged:
    boneage fit-guard --data rsna --others others --not-fitted wrists --not-fitted photographs --out guarded.safetensors")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Folder of the RSNA training data, whose training films are the hands
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder of images that are no hands, in folders of one kind each
    #[arg(long, value_name = "DIR")]
    others: PathBuf,
    /// A kind that is judged and not fitted on; may be given more than once
    #[arg(long, value_name = "KIND")]
    not_fitted: Vec<String>,
    /// How many hands are used
    #[arg(long, value_name = "N", default_value = "400", value_parser = clap::value_parser!(u32).range(50..))]
    hands: u32,
    /// The model with its guard
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace the file if it is there already
    #[arg(long)]
    force: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Fits, prints the table and writes the model.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    keep([&args.out], args.force)?;
    let mut dataset = Dataset::read(&args.data)?;
    dataset.radiographs.retain(|radiograph| part_of(&radiograph.id) == Part::Training);
    let dataset = dataset.limited(args.hands as usize);
    let hands: Vec<&Radiograph> = dataset.radiographs.iter().collect();
    let mut bundle = models::bundle(&args.model)?;
    let predictor = models::predictor(&args.model, Images::Many)?;
    let (guard, report) = fit_guard(&predictor, &hands, &args.others, &args.not_fitted)?;
    match args.format {
        Format::Text => {
            printer.result(report.to_text())?;
            for kind in report.kinds.iter().filter(|kind| !kind.passed.is_empty()) {
                printer.note(format!("neither, {}: {}", kind.name, kind.passed.join(", ")));
            }
        }
        Format::Json => {
            let json = serde_json::json!({ "guard": guard, "report": report });
            printer.result(format!("{}\n", serde_json::to_string_pretty(&json)?))?;
        }
    }
    bundle.manifest.guard = Some(guard);
    let bytes = bundle.to_bytes()?;
    fs::write(&args.out, bytes).with_context(|| format!("model {}", args.out.display()))?;
    Ok(Exit::Done)
}
