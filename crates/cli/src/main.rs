//! The command `boneage`: reads hand radiographs and tells the bone age.
//!
//! What was typed lives in each command's `Args`; `run` turns it into checked settings and does the work.
//! Results go to stdout, the story to stderr, both through the [`Printer`].

mod commands;
mod exit;
mod film;
mod heap;
mod inputs;
mod kept;
mod labelled;
mod models;
mod outputs;
mod placing;
mod printer;
mod report;
mod sex_table;

use clap::{Parser, Subcommand};
use exit::{Exit, exit_of};
use printer::Printer;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Reads a hand radiograph and tells the bone age. For research use, not a medical device.
#[derive(Debug, Parser)]
#[command(name = "boneage", version, long_version = LICENCES, after_help = "Start with: boneage predict hand.png --sex female")]
struct Cli {
    /// Say nothing but warnings and errors on stderr
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

/// What `--version` prints: code and weights stand under different terms.
const LICENCES: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "
code     MIT OR Apache-2.0
weights  VGG16 (K. Simonyan and A. Zisserman, Oxford): CC BY 4.0
         models trained here on RSNA's data: non-commercial research and education, by RSNA's terms
         in full: models/LICENSE.md
For research use. Not a medical device."
);

#[derive(Debug, Subcommand)]
enum Command {
    Predict(commands::predict::Args),
    Models(commands::models::Args),
    Evaluate(commands::evaluate::Args),
    Compare(commands::compare::Args),
    Stress(commands::stress::Args),
    Calibrate(commands::calibrate::Args),
    ReportModel(commands::report_model::Args),
    Train(commands::train::Args),
    Intervals(commands::intervals::Args),
    Dataset(commands::dataset::Args),
    Segment(commands::segment::Args),
    Figures(commands::figures::Args),
    FitGuard(commands::fit_guard::Args),
    Reproduce(commands::reproduce::Args),
    Serve(commands::serve::Args),
    Watch(commands::watch::Args),
    Users(commands::users::Args),
}

fn run(cli: Cli, printer: &Printer) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Predict(args) => {
            heap::keep_what_is_freed();
            commands::predict::run(args, printer)
        }
        Command::Models(args) => commands::models::run(args, printer),
        Command::Evaluate(args) => commands::evaluate::run(args, printer),
        Command::Compare(args) => commands::compare::run(args, printer),
        Command::Stress(args) => commands::stress::run(args, printer),
        Command::Calibrate(args) => commands::calibrate::run(args, printer),
        Command::ReportModel(args) => commands::report_model::run(args, printer),
        Command::Train(args) => commands::train::run(args, printer),
        Command::Intervals(args) => commands::intervals::run(args, printer),
        Command::Dataset(args) => commands::dataset::run(args, printer),
        Command::Segment(args) => commands::segment::run(args, printer),
        Command::FitGuard(args) => commands::fit_guard::run(args, printer),
        Command::Figures(args) => commands::figures::run(args, printer),
        Command::Reproduce(args) => commands::reproduce::run(args, printer),
        Command::Serve(args) => commands::serve::run(args, printer),
        Command::Watch(args) => commands::watch::run(args, printer),
        Command::Users(args) => commands::users::run(args, printer),
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.quiet);
    // The panic hook has told the story on stderr by then; what is left is the right exit.
    let ended = catch_unwind(AssertUnwindSafe(|| run(cli, &printer)));
    let exit = match ended {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            printer.error(&error);
            exit_of(&error)
        }
        Err(_) => Exit::Fault,
    };
    exit.into()
}
