//! The command `boneage`: reads hand radiographs and tells the bone age.
//!
//! What was typed lives in each command's `Args`; `run` turns it into checked settings and does the work.
//! Results go to stdout, the story to stderr, both through the [`Printer`].

mod commands;
mod exit;
mod printer;

use clap::{Parser, Subcommand};
use exit::{Exit, exit_of};
use printer::Printer;
use std::process::ExitCode;

/// Reads a hand radiograph and tells the bone age. For research, not a medical device.
#[derive(Debug, Parser)]
#[command(name = "boneage", version)]
struct Cli {
    /// Say nothing but warnings and errors on stderr
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the models inside this binary
    Models(commands::models::Args),
}

fn run(cli: Cli, printer: &Printer) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Models(args) => commands::models::run(args, printer),
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.quiet);
    let exit = run(cli, &printer).unwrap_or_else(|error| {
        printer.error(&error);
        exit_of(&error)
    });
    exit.into()
}
