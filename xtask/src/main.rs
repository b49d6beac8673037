//! The project's chores, `cargo xtask <chore>`.

mod bench;
mod check;
mod layers;
mod phantom;
mod service;
mod soak;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Formatting, lints, docs, layers, licences: all that a submission must pass besides the tests.
    Check,
    /// We and our peers side by side on this machine; writes a report under results/.
    Bench {
        #[command(subcommand)]
        what: bench::Bench,
    },
    /// Kills the service while films come in, or sends it damaged ones; writes a report under results/.
    Soak(soak::Args),
    /// Fails on an import that points upward in the house; see ARCHITECTURE.md.
    Layers,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Bench { what } => bench::run(&what),
        Chore::Check => check::run(),
        Chore::Soak(args) => soak::run(&args),
        Chore::Layers => layers::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
