use crate::exit::Exit;
use crate::printer::Printer;
use anyhow::{Context, bail};
use boneage_lab::{Dataset, DatasetAnalysis, Findings, KeypointFindings};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// Look at a folder of labelled radiographs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Count images, sexes and ages; find unreadable and missing files and duplicates
    ///
    /// Exit code: 0 nothing to put right, 1 something is missing or unreadable.
    #[command(after_help = "Example:
  boneage dataset check --data rsna")]
    Check {
        /// Folder of the data set: boneage-training-dataset.csv and its folder of images
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// How the result is written
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Tell the ages by sex: counts, mean, spread, range
    ///
    /// No image is read.
    #[command(after_help = "Example:
  boneage dataset ages --data rsna")]
    Ages {
        /// Folder of the data set: boneage-training-dataset.csv and its folder of images
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// How the result is written; json has the counts of every year too
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Measure where SIFT and SURF look on annotated films: at contours or at bones
    ///
    /// Writes keypoints.md and keypoints.csv.
    #[command(after_help = "Example:
  boneage dataset keypoints --data rsna --out keypoints")]
    Keypoints {
        /// Folder of the data set, with its folder of annotations
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Folder for the report: made where it is missing
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Replace files that are there already
        #[arg(long)]
        force: bool,
    },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Prints the findings or the ages, or writes where keypoints lie.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    match args.command {
        Command::Check { data, format } => {
            let findings = Findings::of(&Dataset::read(&data)?)?;
            print(printer, format, &findings, findings.to_text())?;
            match findings.problems() {
                0 => Ok(Exit::Done),
                problems => {
                    printer.note(format!("{problems} things to put right"));
                    Ok(Exit::No)
                }
            }
        }
        Command::Ages { data, format } => {
            let analysis = DatasetAnalysis::of(&Dataset::read(&data)?);
            print(printer, format, &analysis, analysis.to_text())?;
            Ok(Exit::Done)
        }
        Command::Keypoints { data, out, force } => keypoints(&data, &out, force, printer),
    }
}

fn keypoints(data: &Path, out: &Path, force: bool, printer: &Printer) -> anyhow::Result<Exit> {
    if !KeypointFindings::can_be_measured(data) {
        bail!("{} has no annotated film; hint: its folder annotations is missing", data.display());
    }
    let files = ["keypoints.md", "keypoints.csv"].map(|name| out.join(name));
    if let Some(there) = files.iter().find(|file| !force && file.exists()) {
        bail!("{} exists already; hint: --force replaces it", there.display());
    }
    let found = KeypointFindings::measure(data, &Dataset::read(data)?)?;
    // As a reader would type it: folders of this machine are nobody's business.
    let texts = [found.to_markdown("boneage dataset keypoints --data DIR --out DIR"), found.to_csv()];
    fs::create_dir_all(out).with_context(|| format!("folder {}", out.display()))?;
    for (file, text) in files.iter().zip(texts) {
        fs::write(file, text).with_context(|| format!("report {}", file.display()))?;
        printer.result(format!("{}\n", file.display()))?;
    }
    Ok(Exit::Done)
}

fn print(printer: &Printer, format: Format, result: &impl Serialize, text: String) -> anyhow::Result<()> {
    match format {
        Format::Text => printer.result(text)?,
        Format::Json => printer.result(format!("{}\n", serde_json::to_string_pretty(result)?))?,
    }
    Ok(())
}
