use super::folder::Folder;
use super::report::{Bar, Report, number};
use super::{Common, build_ours};
use crate::phantom::{Phantom, Syntax};
use crate::service::{Service, dcmtk, echo, store};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The service: upload of a large film to its reading and its picture; C-STORE while many wait.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
}

/// Width and height of the films: a radiograph as it comes from the machine.
const SIZE: (u32, u32) = (2000, 2500);

/// Width and height of the objects of which many wait.
const SMALL: (u32, u32) = (480, 600);

/// Films that are timed of each kind, and with `--quick`.
const FILMS: [u32; 2] = [20, 3];

/// Objects that wait, and with `--quick`; senders, an association each; objects that are timed meanwhile.
const WAITING: [u32; 2] = [1000, 24];
const SENDERS: u32 = 8;
const TIMED: u32 = 100;

/// Kinds of files with the seconds that half and 19 of 20 of them may take.
const KINDS: [(&str, Option<Syntax>, f64, f64); 4] = [
    ("PNG, 8 bit", None, 1.0, 2.0),
    ("DICOM, uncompressed", Some(Syntax::Uncompressed), 1.0, 2.0),
    ("DICOM, JPEG Lossless", Some(Syntax::JpegLossless), 1.0, 2.0),
    ("DICOM, JPEG 2000", Some(Syntax::Jpeg2000), 3.0, 3.0),
];

/// Megabytes that the waiting service may hold, seconds until it answers, seconds of an acknowledgement.
const BARS: [f64; 3] = [300.0, 1.0, 0.2];

pub(crate) fn run(args: &Args) -> Result<()> {
    let Args { common } = args;
    let boneage = build_ours()?.join("boneage");
    let folder = Folder::new()?;
    let service = Service::start(&boneage, &folder.join("data"))?;
    let (started, idle) = (service.started.as_secs_f64(), service.megabytes()?);
    let films = FILMS[usize::from(common.quick)];
    let python = common.python.first().cloned().unwrap_or_else(|| PathBuf::from("python3"));
    let phantom = Phantom::new(SIZE.0, SIZE.1)?;
    let (mut rows, mut bars, mut number_of_film) = (Vec::new(), Vec::new(), 0);
    for (what, syntax, half, nearly_all) in KINDS {
        // The first warms the caches and is not counted.
        let mut files = Vec::new();
        for _ in 0..=films {
            number_of_film += 1;
            files.push(file(&phantom, number_of_film, syntax, &folder.join("film.dcm"), &python)?);
        }
        let (mut read, mut shown) = (Vec::new(), Vec::new());
        for file in &files {
            let start = Instant::now();
            let id = service.upload(file)?;
            let answer = service.read(&id)?;
            read.push(start.elapsed().as_secs_f64());
            ensure!(answer["state"] == "done", "{answer}");
            service.image(&id)?;
            shown.push(start.elapsed().as_secs_f64());
        }
        let (read, shown) = (&mut read[1..], &mut shown[1..]);
        let megabytes = files.last().map_or(0.0, |file| file.len() as f64 / 1e6);
        let times = [quantile(read, 0.5), quantile(read, 0.95), quantile(shown, 0.5), quantile(shown, 0.95)];
        rows.push(
            [vec![what.to_owned()], [megabytes].iter().chain(&times).map(|&n| number(n)).collect()].concat(),
        );
        bars.push(Bar::limit(format!("{what}: to the picture, p50"), times[2], half, "s"));
        bars.push(Bar::limit(format!("{what}: to the picture, p95"), times[3], nearly_all, "s"));
    }
    let after = service.megabytes()?;
    let mut report = Report::new("The service");
    report.paragraph(&format!(
        "{films} films of each kind, {} x {} pixels, one after another over loopback: from the first byte of the upload to \
         the reading, and to the last byte of the film's picture for the page.",
        SIZE.0, SIZE.1
    ));
    let header = ["file", "MB", "reading p50, s", "reading p95, s", "picture p50, s", "picture p95, s"];
    report.table(&header, &rows);
    drop(service);
    let acknowledged = crowded(common, &boneage, &folder, &mut report)?;
    bars.extend([
        Bar::limit("acknowledgement while many wait, p95", acknowledged, BARS[2], "s"),
        Bar::limit("idle memory, model loaded", idle, BARS[0], "MB"),
        Bar::limit("memory after the films", after, BARS[0], "MB"),
        Bar::limit("time to serve after start", started, BARS[1], "s"),
    ]);
    report.bars(&bars);
    report.write(&common.report("clinic"))
}

/// A film's file.
fn file(phantom: &Phantom, number: u32, syntax: Option<Syntax>, at: &Path, python: &Path) -> Result<Vec<u8>> {
    let Some(syntax) = syntax else { return phantom.png(number) };
    phantom.write(number, syntax, at, python)?;
    Ok(std::fs::read(at)?)
}

/// Fills the queue by C-STORE and times further objects while it is full; the time that 19 of 20 took, of storescu as a
/// whole process.
fn crowded(common: &Common, boneage: &Path, folder: &Folder, report: &mut Report) -> Result<f64> {
    let service = Service::start(boneage, &folder.join("crowded"))?;
    let phantom = Phantom::new(SMALL.0, SMALL.1)?;
    let waiting = WAITING[usize::from(common.quick)];
    let each = waiting / SENDERS;
    for sender in 0..SENDERS {
        let room = folder.join(format!("sender-{sender}"));
        std::fs::create_dir_all(&room)?;
        for number in 0..each {
            let number = 1_000_000 + sender * each + number;
            let syntax = if sender % 2 == 0 { Syntax::Uncompressed } else { Syntax::JpegLossless };
            phantom.write(number, syntax, &room.join(format!("{number}.dcm")), Path::new("python3"))?;
        }
    }
    let start = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let syntax = if sender % 2 == 0 { "-xe" } else { "-xs" };
            let mut command = dcmtk("storescu");
            command.args([syntax, "+sd", "127.0.0.1", service.node()]);
            command.arg(folder.join(format!("sender-{sender}"))).spawn()
        })
        .collect();
    for sender in senders {
        ensure!(sender.context("storescu")?.wait()?.success(), "an association did not store all it had");
    }
    let filled = start.elapsed();
    let queued = || -> Result<u64> { service.count("queued") };
    let before = queued()?;
    let (mut stored, mut echoed) = (Vec::new(), Vec::new());
    let film = folder.join("timed.dcm");
    for number in 0..TIMED {
        std::fs::write(&film, phantom.dicom(2_000_000 + number))?;
        let start = Instant::now();
        ensure!(store(service.node(), &film), "an object was not taken");
        stored.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        ensure!(echo(service.node()), "C-ECHO was not answered");
        echoed.push(start.elapsed().as_secs_f64());
    }
    let after = queued()?;
    while queued()? > 0 {
        std::thread::sleep(Duration::from_millis(200));
    }
    let emptied = start.elapsed();
    let done = service.count("done")? + service.count("leased")?;
    ensure!(done == u64::from(each * SENDERS + TIMED), "{done} films were read");
    report.heading("While many wait");
    report.paragraph(&format!(
        "{} objects of {} x {} pixels, half of them uncompressed and half JPEG Lossless, by C-STORE over {SENDERS} \
         associations at a time: all were acknowledged after {:.1} s and read after {:.0} s. While {before} to {after} \
         waited, {TIMED} further ones, each by a storescu of its own; the time is that of the whole process, beside an \
         echoscu of its own.",
        each * SENDERS,
        SMALL.0,
        SMALL.1,
        filled.as_secs_f64(),
        emptied.as_secs_f64()
    ));
    let row = |what: &str, times: &mut [f64]| {
        [vec![what.to_owned()], [0.5, 0.95].map(|share| number(quantile(times, share))).to_vec()].concat()
    };
    report.table(
        &["seconds", "p50", "p95"],
        &[row("C-STORE, whole process", &mut stored), row("C-ECHO, whole process", &mut echoed)],
    );
    Ok(quantile(&mut stored, 0.95))
}

/// The value that this share of the values does not exceed.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (share * values.len() as f64).ceil() as usize;
    values[rank.clamp(1, values.len()) - 1]
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_quantile_is_a_value_that_was_measured() {
        let mut values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert_eq!([0.5, 0.95, 1.0].map(|share| super::quantile(&mut values, share)), [10.0, 19.0, 20.0]);
    }
}
