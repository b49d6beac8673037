use crate::exit::Exit;
use crate::kept::keep;
use crate::models::{self, Images, ModelArgs};
use crate::printer::Printer;
use anyhow::Context;
use boneage_lab::figures::Film;
use boneage_lab::{ModelReport, Part, Readings, Scored, model_card};
use std::fs;
use std::path::{Path, PathBuf};

/// Write the report of a model: figures, tables and the model card.
///
/// From readings that are there already, of the holdout and of the calibration part; no film of them is read.
/// The sheet of attention maps is made of the films of --films, which must be such as anyone may share.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  boneage report-model --predictions runs/model/predictions.csv --out results/model --card MODEL_CARD.md")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// The model's readings of the holdout: predictions.csv of its training, or of boneage evaluate
    #[arg(long, value_name = "CSV")]
    predictions: PathBuf,
    /// Its readings of the calibration part, where --predictions has none
    #[arg(long, value_name = "CSV")]
    calibration: Option<PathBuf>,
    /// Films for the sheet of attention maps, such as anyone may share
    #[arg(long, value_name = "DIR")]
    films: Option<PathBuf>,
    /// Folder for model-report.md and its figures: made where it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Also write the model card to this file
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(long)]
    force: bool,
}

/// Draws the figures and writes the files, which are named on stdout.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    let report_file = args.out.join("model-report.md");
    keep([Some(&report_file), args.card.as_ref()].into_iter().flatten(), args.force)?;
    let manifest = models::bundle(&args.model)?.manifest;
    let held_out = readings(&args.predictions, Part::Holdout)?;
    let calibration = match &args.calibration {
        Some(table) => readings(table, Part::Calibration)?,
        None => of_calibration(&args.predictions)?,
    };
    let report = ModelReport::new(manifest, &held_out, calibration)?;
    let mut drawings = report.figures()?;
    if let Some(films) = &args.films {
        let predictor = models::predictor(&args.model, Images::Many)?;
        drawings.push(("attention-maps", report.attention(&predictor, &Film::folder(films)?)?));
    }
    ModelReport::write_figures(&args.out.join("figures"), &drawings)?;
    let names: Vec<&str> = drawings.iter().map(|(name, _)| *name).collect();
    let command = command(&args);
    write(&report_file, &report.to_markdown(&names, &command), printer)?;
    if let Some(card) = &args.card {
        write(card, &model_card(&report, &args.out.display().to_string(), &command), printer)?;
    }
    Ok(Exit::Done)
}

fn readings(table: &Path, part: Part) -> anyhow::Result<Vec<Scored>> {
    Ok(Readings::read(table, None, Some(part.as_str()))?.scored()?)
}

/// The calibration part of a training's table; a table without parts has none.
fn of_calibration(table: &Path) -> anyhow::Result<Vec<Scored>> {
    let readings = Readings::read(table, None, Some(Part::Calibration.as_str()))?;
    Ok(if readings.has_parts { readings.scored()? } else { Vec::new() })
}

fn write(file: &Path, text: &str, printer: &Printer) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| file.display().to_string())?;
    printer.result(format!("{}\n", file.display()))?;
    Ok(())
}

/// The command that makes the same again.
fn command(args: &Args) -> String {
    let mut words = vec!["boneage report-model".to_owned()];
    words.extend(args.model.model.as_ref().map(|model| format!("--model {model}")));
    words.push(format!("--predictions {}", args.predictions.display()));
    let files = [("--calibration", &args.calibration), ("--films", &args.films)];
    words
        .extend(files.iter().filter_map(|(name, file)| Some(format!("{name} {}", file.as_ref()?.display()))));
    words.push(format!("--out {}", args.out.display()));
    words.extend(args.card.as_ref().map(|card| format!("--card {}", card.display())));
    words.join(" ")
}
