//! The project's chores, `cargo xtask <chore>`.

mod check;
mod layers;

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
    /// Fails on an import that points upward in the house; see ARCHITECTURE.md.
    Layers,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Check => check::run(),
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
