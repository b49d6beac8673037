//! `cargo xtask bench`: we and our peers side by side, in one run, on this machine.
//!
//! Every contestant is a child process that does one named piece of work when asked and tells how long it
//! took ([`contestant`]). They are asked in turn, round after round, and whoever is not asked is stopped, so
//! that a thread pool that spins cannot slow the next one ([`rounds`]). What is measured stands in
//! [`engine`], [`hand`] and [`classical`]; the report names the machine ([`machine`]), the versions and every bar,
//! reached or missed ([`report`]).

mod classical;
mod clinic;
mod contestant;
mod engine;
mod folder;
mod hand;
mod machine;
mod process;
mod python;
mod report;
mod rounds;

pub(crate) use contestant::Contestant;
pub(crate) use folder::Folder;
pub(crate) use report::{Bar, Report};

use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::process::Command;

/// What is measured.
#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// The convolution engine against PyTorch, TensorFlow, ONNX Runtime and OpenVINO.
    Engine(engine::Args),
    /// The hand extraction against scikit-image.
    Hand(hand::Args),
    /// The paper's regressions against scikit-learn.
    Classical(classical::Args),
    /// The service: upload of a large film to its reading.
    Clinic(clinic::Args),
}

/// What every benchmark is told.
#[derive(clap::Args, Clone)]
pub(crate) struct Common {
    /// A Python interpreter whose packages hold peers; may be given several times
    #[arg(long, value_name = "PATH")]
    python: Vec<PathBuf>,
    /// Few rounds and small works: to see that everything runs
    #[arg(long)]
    quick: bool,
    /// The report [default: results/bench-WHAT-HARDWARE.md]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Name of the machine in the report's file name [default: from /proc/cpuinfo]
    #[arg(long, value_name = "NAME")]
    hardware: Option<String>,
    /// Threads of every contestant
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
}

impl Common {
    /// Where the report goes.
    fn report(&self, what: &str) -> PathBuf {
        let hardware = self.hardware.clone().unwrap_or_else(machine::name);
        self.out.clone().unwrap_or_else(|| root().join(format!("results/bench-{what}-{hardware}.md")))
    }
}

/// Runs one benchmark and writes its report.
pub(crate) fn run(what: &Bench) -> Result<()> {
    match what {
        Bench::Engine(args) => engine::run(args),
        Bench::Hand(args) => hand::run(args),
        Bench::Classical(args) => classical::run(args),
        Bench::Clinic(args) => clinic::run(args),
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Builds our side as it is shipped; returns the folder of the binaries.
pub(crate) fn build_ours() -> Result<PathBuf> {
    build("release")
}

/// The same with the checks that a debug build has.
pub(crate) fn build_checked() -> Result<PathBuf> {
    build("dev")
}

fn build(profile: &str) -> Result<PathBuf> {
    eprintln!("building our side");
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--profile",
            profile,
            "-p",
            "boneage-bench",
            "-p",
            "boneage",
            "--message-format",
            "json",
        ])
        .current_dir(root())
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cargo build could not be started")?;
    ensure!(output.status.success(), "our side does not build");
    let text = String::from_utf8_lossy(&output.stdout);
    let executables = text.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    let folder = executables.filter_map(|file| file.parent().map(PathBuf::from)).next_back();
    folder.context("cargo named no executable")
}
