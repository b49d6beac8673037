use crate::exit::Exit;
use crate::kept::keep;
use crate::models::{self, Images, ModelArgs};
use crate::printer::Printer;
use anyhow::{Context, anyhow, bail};
use boneage_lab::{
    Coverage, Dataset, INTERVAL_LEVEL, Part, Radiograph, Readings, Scored, calibrate_intervals,
    cross_conformal, part_of, read_all,
};
use clap::{Subcommand, ValueEnum};
use std::fs;
use std::path::{Path, PathBuf};

/// Give a model intervals, or see how well intervals would keep their promise.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Calibrate(CalibrateArgs),
    Check(CheckArgs),
}

/// Write a model file with intervals, calibrated on images that trained nothing.
///
/// The calibration part of the RSNA data is read with the model; which readings are usual for each age and
/// sex goes into the new model file. Intervals that the model has already are replaced.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  boneage intervals calibrate --model run/model.safetensors --data rsna --out model.safetensors")]
struct CalibrateArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Folder of the RSNA training data, whose calibration part is read
    #[arg(long, value_name = "DIR", required_unless_present = "readings")]
    data: Option<PathBuf>,
    /// Readings of the calibration part by this very model, as `boneage evaluate --split calibration
    /// --predictions` writes them, instead of --data
    #[arg(long, value_name = "CSV", conflicts_with = "data")]
    readings: Option<PathBuf>,
    /// Promised coverage, as a share
    #[arg(long, value_name = "SHARE", default_value_t = INTERVAL_LEVEL)]
    level: f32,
    /// The model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace the file if it is there already
    #[arg(long)]
    force: bool,
}

/// Tell by cross-calibration how intervals keep their promise.
///
/// Readings that trained nothing are cut into folds by their ids; each fold gets the intervals that the others
/// calibrate. No image is read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  boneage intervals check runs/model/predictions.csv --folds 5")]
struct CheckArgs {
    /// Tables with id, sex, truth and predicted: predictions.csv of a training, or of boneage evaluate
    #[arg(required = true, value_name = "CSV")]
    readings: Vec<PathBuf>,
    /// Parts, one of which is left out in turn
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(2..=100))]
    folds: u32,
    /// Promised coverage, as a share
    #[arg(long, value_name = "SHARE", default_value_t = INTERVAL_LEVEL)]
    level: f32,
    /// How the result is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Calibrates or checks.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    match args.command {
        Command::Calibrate(args) => calibrate(&args, printer),
        Command::Check(args) => check(&args, printer),
    }
}

fn calibrate(args: &CalibrateArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let level = checked(args.level)?;
    keep([&args.out], args.force)?;
    let mut bundle = models::bundle(&args.model)?;
    if bundle.manifest.recalibration.is_some() {
        bail!(
            "model {} is fitted to a site, the data set's labels are not that site's; hint: intervals first, boneage calibrate after",
            bundle.manifest.name
        );
    }
    let scored = match (&args.readings, &args.data) {
        (Some(readings), _) => Readings::read(readings, None, Some(Part::Calibration.as_str()))?.scored()?,
        (None, Some(data)) => read_calibration_part(&args.model, data, printer)?,
        (None, None) => bail!("nothing to calibrate on is given; hint: --data DIR"),
    };
    if let Some(other) = scored.iter().find(|s| part_of(&s.id) != Part::Calibration) {
        let (id, part) = (&other.id, part_of(&other.id).as_str());
        bail!("id {id} is of the part {part}; hint: intervals are calibrated on the part calibration alone");
    }
    let table = calibrate_intervals(&scored, level)?;
    printer.note(format!("{:.0} % intervals from {} radiographs", level * 100.0, table.images));
    bundle.manifest.interval = Some(table);
    fs::write(&args.out, bundle.to_bytes()?).with_context(|| format!("model {}", args.out.display()))?;
    printer.result(format!("{}\n", args.out.display()))?;
    Ok(Exit::Done)
}

fn read_calibration_part(model: &ModelArgs, data: &Path, printer: &Printer) -> anyhow::Result<Vec<Scored>> {
    let dataset = Dataset::read(data)?;
    let part: Vec<&Radiograph> =
        dataset.radiographs.iter().filter(|r| part_of(&r.id) == Part::Calibration).collect();
    let (scored, unreadable) = read_all(&models::predictor(model, Images::Many)?, &part);
    unreadable.iter().for_each(|reason| printer.error(&anyhow!("{reason}")));
    Ok(scored)
}

fn check(args: &CheckArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let level = checked(args.level)?;
    let mut scored = Vec::new();
    for table in &args.readings {
        scored.extend(Readings::read(table, None, None)?.scored()?);
    }
    let coverage = Coverage::of(&cross_conformal(&scored, level, args.folds)?);
    let coverage = coverage.context("the tables hold no reading")?;
    match args.format {
        Format::Text => printer.result(coverage.to_text())?,
        Format::Json => printer.result(format!("{}\n", serde_json::to_string_pretty(&coverage)?))?,
    }
    Ok(Exit::Done)
}

fn checked(level: f32) -> anyhow::Result<f32> {
    if !(0.5..1.0).contains(&level) {
        bail!("a coverage of {level} cannot be promised; hint: a share from 0.5 to below 1, such as 0.9");
    }
    Ok(level)
}
