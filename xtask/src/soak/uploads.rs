//! `cargo xtask soak uploads`: damaged files by the thousand on the way of an upload, in one process as the service's worker
//! takes them, and some thousands of them by HTTP to the service itself. None may panic, none may take long.

use crate::bench::{Bar, Contestant, Folder, Report, build_checked, root};
use crate::service::Service;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// What is asked for.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many damaged files are rehearsed
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    cases: u64,
    /// How many are sent by HTTP
    #[arg(long, value_name = "N", default_value_t = 4000)]
    requests: u64,
    /// The first case: others than 0 are others
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u64,
    /// The report, of which one section is replaced [default: results/soak-clinic.md]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The section of the report.
pub(super) const TITLE: &str = "Malformed uploads";

/// Cases of one question.
const BATCH: u64 = 500;

/// Longest that a case may take, in seconds.
const LONGEST: f64 = 5.0;

/// What came of all cases.
#[derive(Default)]
struct Sum {
    decoded: u64,
    read: u64,
    refused: u64,
    seeds: u64,
    panicked: Vec<u64>,
    slow: Vec<u64>,
    longest: f64,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let built = build_checked()?;
    let sum = rehearsed(args, &built.join("boneage-bench"))?;
    let sent = sent(args, &built)?;
    let mut report = Report::section(TITLE);
    report.paragraph(&format!(
        "{} damaged files from {} seeds: films of `examples/` as PNG, JPEG, TIFF and BMP, 8 and 16 bit, grey and colour; the \
         DICOM fixtures, of every transfer syntax; DICOM results. Each has bits flipped, lengths and counts made untrue, \
         pieces dropped, doubled, overwritten or brought from another seed, or its end cut off; of half of the damaged PNGs \
         the check sums are mended. They go through the worker's own code: decoding, the picture for the page and the square \
         that the model sees; of every 100th case also the network, the maps and the reading as it is stored. {} were decoded, \
         {} of them read by the network, {} refused. The build has the checks of a debug build: arithmetic that overflows \
         panics.",
        args.cases, sum.seeds, sum.decoded, sum.read, sum.refused
    ));
    let answers = sent.answers.iter().map(|(status, count)| format!("{status}: {count}"));
    report.paragraph(&format!(
        "{} of them by HTTP to `boneage serve`, as forms that are sound, broken, cut short or told to be of another length; \
         answers {}. The longest answer came after {:.2} s. {} films were taken and all came to an end.",
        args.requests,
        answers.collect::<Vec<_>>().join(", "),
        sent.longest,
        sent.films
    ));
    report.bar_table(&[
        Bar::limit("damaged files that panic", sum.panicked.len() as f64, 0.0, "files"),
        Bar::limit(
            format!("damaged files that take over {LONGEST:.0} s of the processor"),
            sum.slow.len() as f64,
            0.0,
            "files",
        ),
        Bar::limit("longest of them", sum.longest, LONGEST, "s"),
        Bar::limit("readings with a fault, by HTTP", sent.faults as f64, 0.0, "films"),
        Bar::limit("answers 5xx, or none to a whole form", sent.unanswered as f64, 0.0, "requests"),
    ]);
    let out = args.out.clone().unwrap_or_else(|| root().join("results/soak-clinic.md"));
    report.put_into(&out, TITLE)?;
    ensure!(
        sum.panicked.is_empty() && sum.slow.is_empty(),
        "panicked {:?}, slow {:?}",
        sum.panicked,
        sum.slow
    );
    ensure!(
        sent.faults == 0 && sent.unanswered == 0,
        "{} faults, {} unanswered",
        sent.faults,
        sent.unanswered
    );
    Ok(())
}

fn rehearsed(args: &Args, program: &std::path::Path) -> Result<Sum> {
    let mut child = Contestant::start("boneage-bench", &mut Command::new(program))?;
    let mut sum = Sum::default();
    for first in (args.first..args.first + args.cases).step_by(BATCH as usize) {
        let count = BATCH.min(args.first + args.cases - first);
        let told: Value = serde_json::from_str(&child.ask(&format!("uploads {first} {count}"))?)?;
        let number = |name: &str| told[name].as_u64().context("a number of cases");
        let cases = |name: &str| -> Vec<u64> {
            told[name].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
        };
        sum.decoded += number("decoded")?;
        sum.read += number("read")?;
        sum.refused += number("refused")?;
        sum.seeds = number("seeds")?;
        sum.panicked.extend(cases("panicked"));
        sum.slow.extend(cases("slow"));
        sum.longest = sum.longest.max(told["seconds"].as_f64().context("seconds")?);
        eprint!(
            "\r{} cases, longest {:.2} s, {} panics",
            first + count - args.first,
            sum.longest,
            sum.panicked.len()
        );
    }
    eprintln!();
    Ok(sum)
}

/// What came of the requests.
struct Sent {
    answers: BTreeMap<String, u64>,
    longest: f64,
    films: usize,
    faults: usize,
    unanswered: u64,
}

fn sent(args: &Args, built: &std::path::Path) -> Result<Sent> {
    let folder = Folder::new()?;
    let service = Service::start(&built.join("boneage"), &folder.join("data"))?;
    let mut child = Contestant::start("boneage-bench", &mut Command::new(built.join("boneage-bench")))?;
    let (mut answers, mut longest) = (BTreeMap::new(), 0.0f64);
    for first in (args.first..args.first + args.requests).step_by(BATCH as usize) {
        let count = BATCH.min(args.first + args.requests - first);
        let told = child.ask(&format!("uploads {first} {count} {}", service.address()))?;
        let told: Value = serde_json::from_str(&told)?;
        for (status, count) in told["answers"].as_object().context("answers")? {
            *answers.entry(status.clone()).or_default() += count.as_u64().context("a number of answers")?;
        }
        longest = longest.max(told["seconds"].as_f64().context("seconds")?);
        eprint!("\r{} requests", first + count - args.first);
    }
    eprintln!();
    let films = service.films()?;
    let mut faults = 0;
    for film in &films {
        let film = service.read(film["id"].as_str().context("an id")?)?;
        let failure = film["failure"].as_str().unwrap_or_default();
        let fault = failure.contains("fault of boneage") || film["attempts"].as_u64() != Some(1);
        faults += usize::from(fault);
    }
    let unanswered =
        answers.iter().filter(|(status, _)| status.starts_with('5') || status.contains("without"));
    let unanswered = unanswered.map(|(_, count)| count).sum();
    Ok(Sent { answers, longest, films: films.len(), faults, unanswered })
}
