//! A batch of any length holds memory constant: files are read one by one and nothing of them is kept.

#![cfg(target_os = "linux")]

#[allow(dead_code)] // what only other tests use
mod bench;

use bench::Bench;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Most that a batch may grow by after its first tenth, in MB.
const MOST_GROWTH: f64 = 20.0;

/// Resident memory of a running batch, in MB of 1024 x 1024 bytes.
#[derive(Clone, Copy, Debug)]
struct Memory {
    /// Rows that were written by then.
    rows: usize,
    /// `VmRSS`: now.
    now: f64,
    /// `VmHWM`: the most so far.
    peak: f64,
}

/// Reads `files` films of five sizes, no two alike, in one batch; what it held after a tenth of them and at
/// the last look before it ended.
fn batch(files: usize) -> (Memory, Memory) {
    let bench = Bench::new();
    fs::create_dir(bench.path("films")).expect("a writable folder");
    for i in 0..files {
        let side = 80 + 60 * (i % 5) as u32;
        // The width tells the files of a size apart, every five hundred of them.
        bench.film(&format!("films/{i:05}.bmp"), side + (i / 5 % 100) as u32, side + (i / 500) as u32);
    }
    let args = ["predict", "films", "--sex", "f", "--model", "model.safetensors", "--format", "csv"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_boneage"))
        .args(args)
        .args(["--out", "ages.csv"])
        .current_dir(bench.dir.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("the command starts");
    let (mut early, mut last) = (None, None);
    let code = loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            break status.code();
        }
        if let Some(memory) = look(child.id(), &bench.path("ages.csv")) {
            if memory.rows >= files / 10 {
                early.get_or_insert(memory);
            }
            // After the last row the program gives its memory back: what is left then proves nothing.
            if memory.rows < files {
                last = Some(memory);
            }
        }
        sleep(Duration::from_millis(20));
    };
    assert_eq!(code, Some(0));
    assert_eq!(rows(&bench.path("ages.csv")), files);
    let (early, last) = (early.expect("a look at a tenth"), last.expect("a look at the end"));
    assert!(last.rows * 10 > files * 9, "the last look came after {} of {files}", last.rows);
    println!("{early:.1?}\n{last:.1?}");
    (early, last)
}

fn look(process: u32, out: &Path) -> Option<Memory> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let megabytes = |field: &str| -> Option<f64> {
        let line = status.lines().find(|line| line.starts_with(field))?;
        Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
    };
    Some(Memory { rows: rows(out), now: megabytes("VmRSS:")?, peak: megabytes("VmHWM:")? })
}

/// Lines below the header; a row is written as soon as its file is read.
fn rows(out: &Path) -> usize {
    let text = fs::read(out).unwrap_or_default();
    text.iter().filter(|&&byte| byte == b'\n').count().saturating_sub(1)
}

fn assert_constant(files: usize) {
    let (early, last) = batch(files);
    assert!(last.now - early.now < MOST_GROWTH, "{early:?} {last:?}");
    assert!(last.peak - early.peak < MOST_GROWTH, "{early:?} {last:?}");
}

#[test]
fn two_hundred_files_need_no_more_memory_than_twenty() {
    assert_constant(200);
}

/// Minutes long; its result stands in `results/batch-memory.md`.
#[test]
#[ignore = "reads 10,000 files"]
fn ten_thousand_files_need_no_more_memory_than_a_thousand() {
    assert_constant(10_000);
}
