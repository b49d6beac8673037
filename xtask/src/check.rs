use crate::layers;
use anyhow::{Context, Result, bail};
use std::process::Command;

/// Name, arguments of cargo, variables of its environment.
type Step = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

/// Everything is tried, so that one run shows all that is wrong.
pub(crate) fn run() -> Result<()> {
    let steps: [Step; 4] = [
        ("format", &["fmt", "--all", "--check"], &[]),
        ("lints", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[]),
        ("docs", &["doc", "--workspace", "--no-deps", "--quiet"], &[("RUSTDOCFLAGS", "-D warnings")]),
        ("licences", &["deny", "check", "bans", "licenses", "sources"], &[]),
    ];
    let mut failed = Vec::new();
    for (name, arguments, variables) in steps {
        eprintln!("check {name}: cargo {}", arguments.join(" "));
        let status = Command::new(env!("CARGO"))
            .args(arguments)
            .envs(variables.iter().copied())
            .status()
            .with_context(|| format!("cargo {} could not be started", arguments[0]))?;
        if !status.success() {
            failed.push(name);
        }
    }
    eprintln!("check layers");
    if let Err(error) = layers::run() {
        eprintln!("{error:#}");
        failed.push("layers");
    }
    println!("{} passed, {} failed", steps.len() + 1 - failed.len(), failed.len());
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}
