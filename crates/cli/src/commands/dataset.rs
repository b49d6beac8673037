use crate::exit::Exit;
use crate::printer::Printer;
use boneage_lab::{Dataset, DatasetAnalysis, Findings};
use serde::Serialize;
use std::path::PathBuf;

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
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Prints the findings, or the ages.
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
    }
}

fn print(printer: &Printer, format: Format, result: &impl Serialize, text: String) -> anyhow::Result<()> {
    match format {
        Format::Text => printer.result(text)?,
        Format::Json => printer.result(format!("{}\n", serde_json::to_string_pretty(result)?))?,
    }
    Ok(())
}
