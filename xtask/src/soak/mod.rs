//! `cargo xtask soak`: the service is killed again and again while films come in by both ways, and then flooded with
//! connections that say nothing or nonsense. Nothing may be lost or doubled, and C-ECHO is answered throughout. DCMTK
//! (storescu, echoscu) stands for the archive.

mod uploads;

use crate::bench::{Bar, Folder, Report, build_ours};
use crate::phantom::{Phantom, instance};
use crate::service::{Service, echo, store, upload};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What is asked for.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    instead: Option<Instead>,
    #[command(flatten)]
    killed: Killed,
}

/// Other ways to try the service's patience.
#[derive(clap::Subcommand)]
enum Instead {
    /// Uploads that are damaged files, a hundred thousand of them
    Uploads(uploads::Args),
}

#[derive(clap::Args)]
struct Killed {
    /// How often the process is killed
    #[arg(long, value_name = "N", default_value_t = 50)]
    kills: u32,
    /// How many senders there are at a time, of each way
    #[arg(long, value_name = "N", default_value_t = 2)]
    senders: u32,
    /// How many connections say nothing or nonsense
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    connections: u32,
    /// Where the report goes [default: results/soak-clinic.md]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Sides of the films: small, so that most of the time is spent between disk and network.
const SIZE: (u32, u32) = (240, 320);

/// Longest life of a process in milliseconds.
const LONGEST: u32 = 1500;

/// How long a sender rests between two films, so that some 1,500 come in fifty lives and not many times as many.
const REST: Duration = Duration::from_millis(80);

/// Connections that stand at a time, and between two C-ECHOs.
const AT_A_TIME: u32 = 250;

/// Films that the service said that it has: ids of uploads, numbers of objects.
#[derive(Default)]
struct Acknowledged {
    uploads: Mutex<BTreeSet<String>>,
    objects: Mutex<BTreeSet<String>>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.instead {
        Some(Instead::Uploads(args)) => uploads::run(args),
        None => run_killed(&args.killed),
    }
}

fn run_killed(args: &Killed) -> Result<()> {
    let boneage = build_ours()?.join("boneage");
    let folder = Folder::new()?;
    let mut report = Report::new("The service under SIGKILL and in a flood");
    let (service, lost, doubled) = killed(args, &boneage, &folder, &mut report)?;
    let (grown, unanswered) = flooded(args, &service, &mut report)?;
    report.bars(&[
        Bar::limit("lost: acknowledged and not read at the end", f64::from(lost), 0.0, "films"),
        Bar::limit("doubled: the same bytes or number twice", doubled as f64, 0.0, "films"),
        Bar::limit("C-ECHO without an answer", f64::from(unanswered), 0.0, "times"),
        Bar::limit("memory after the flood to before", grown, 1.1, "times"),
    ]);
    let out = args.out.clone().unwrap_or_else(|| crate::bench::root().join("results/soak-clinic.md"));
    report.keep_section(&out, uploads::TITLE);
    report.write(&out)?;
    ensure!(lost == 0 && doubled == 0, "{lost} films lost, {doubled} doubled");
    ensure!(unanswered == 0 && grown <= 1.1, "{unanswered} unanswered, memory {grown:.2} times");
    Ok(())
}

/// Kills and starts again; the last service, and how many films are lost and doubled.
fn killed(
    args: &Killed,
    boneage: &std::path::Path,
    folder: &Folder,
    report: &mut Report,
) -> Result<(Service, u32, usize)> {
    let data = folder.join("data");
    let phantom = Phantom::new(SIZE.0, SIZE.1)?;
    let (next, acknowledged) = (AtomicU32::new(0), Acknowledged::default());
    let number = || next.fetch_add(1, Ordering::Relaxed);
    for kill in 0..args.kills {
        let service = Service::start(boneage, &data)?;
        let (address, node) = (service.address().to_owned(), service.node().to_owned());
        std::thread::scope(|scope| -> Result<()> {
            for sender in 0..args.senders {
                // The process is dead at the first that is not taken: the next one is asked by other senders.
                scope.spawn(|| {
                    while let Ok(id) = phantom.png(number()).and_then(|film| upload(&address, &film)) {
                        acknowledged.uploads.lock().expect("no sender panics").insert(id);
                        std::thread::sleep(REST);
                    }
                });
                let file = folder.join(format!("{sender}.dcm"));
                let (phantom, acknowledged, node) = (&phantom, &acknowledged, &node);
                scope.spawn(move || {
                    loop {
                        let number = number();
                        let written = std::fs::write(&file, phantom.dicom(number));
                        if written.is_err() || !store(node, &file) {
                            return;
                        }
                        acknowledged.objects.lock().expect("no sender panics").insert(instance(number));
                        std::thread::sleep(REST);
                    }
                });
            }
            // Any moment of its life is as likely as any other; the hash is random enough.
            let life = 20 + kill.wrapping_mul(0x9e37_79b1).rotate_left(9) % LONGEST;
            std::thread::sleep(Duration::from_millis(life.into()));
            service.kill()
        })?;
        eprint!("\r{} kills", kill + 1);
    }
    eprintln!();
    let service = Service::start(boneage, &data)?;
    let uploads = acknowledged.uploads.into_inner().context("no sender panics")?;
    let objects = acknowledged.objects.into_inner().context("no sender panics")?;
    let ids: Vec<String> =
        service.films()?.iter().filter_map(|film| film["id"].as_str().map(str::to_owned)).collect();
    for id in &ids {
        service.read(id)?;
    }
    let films = service.films()?;
    let of = |field: &str| -> Vec<&str> {
        let done = films.iter().filter(|film| film["state"] == "done");
        done.filter_map(|film| film[field].as_str()).collect()
    };
    let read: BTreeSet<&str> = of("id").into_iter().chain(of("instance")).collect();
    let missing = |wanted: &BTreeSet<String>| wanted.iter().filter(|id| !read.contains(id.as_str())).count();
    let lost = (missing(&uploads) + missing(&objects)) as u32;
    let twice = |values: Vec<&str>| values.len() - values.iter().collect::<BTreeSet<_>>().len();
    let doubled = twice(of("digest")) + twice(of("instance"));
    ensure!((uploads.len() + objects.len()) as u32 >= args.kills, "hardly a film was taken");
    report.paragraph(&format!(
        "Killed {} times at any moment of its first {:.1} s while {} senders uploaded and {} stored by C-STORE (DCMTK's \
         storescu). {} films were sent, {} uploads and {} objects acknowledged, {} are there: those beyond were taken and \
         died before the answer.",
        args.kills,
        f64::from(LONGEST) / 1e3,
        args.senders,
        args.senders,
        next.into_inner(),
        uploads.len(),
        objects.len(),
        films.len()
    ));
    Ok((service, lost, doubled))
}

/// Connects and says nothing, half a request or nonsense; how much the service has grown, and how many C-ECHOs it did
/// not answer.
fn flooded(args: &Killed, service: &Service, report: &mut Report) -> Result<(f64, u32)> {
    let address = format!("127.0.0.1:{}", service.node());
    let half = [[1, 0].as_slice(), &200u32.to_be_bytes(), &[0, 1, 0, 0], &[b' '; 32]].concat();
    let huge = [[1, 0].as_slice(), &u32::MAX.to_be_bytes(), &[0; 512]].concat();
    let unknown = [[0x42, 0].as_slice(), &64u32.to_be_bytes(), &[0; 64]].concat();
    let data = [[4, 0].as_slice(), &10u32.to_be_bytes(), &6u32.to_be_bytes(), &[1, 2, 0, 0, 0, 0]].concat();
    let said: [&[u8]; 6] = [b"", &half, &huge, &unknown, &data, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"];
    let (mut unanswered, mut asked) = (0, 0);
    // What the first connections need for good is no leak.
    let mut flood = |connections: u32| -> Result<()> {
        let mut standing = Vec::new();
        for number in 0..connections {
            let mut stream = TcpStream::connect(&address).context("the node does not accept")?;
            // Whoever was thrown out already cannot be told more.
            let _ = stream.write_all(said[number as usize % said.len()]);
            standing.push(stream);
            if standing.len() as u32 == AT_A_TIME {
                unanswered += u32::from(!echo(service.node()));
                asked += 1;
                standing.clear();
            }
        }
        Ok(())
    };
    flood(4 * AT_A_TIME)?;
    let before = service.megabytes()?;
    flood(args.connections)?;
    let after = service.megabytes()?;
    report.paragraph(&format!(
        "Then {} connections to the DICOM node, {AT_A_TIME} at a time, that say nothing, half an association request, a PDU \
         of 4 GiB, one of an unknown kind, data without an association, or HTTP. After each {AT_A_TIME}, before they end, \
         C-ECHO by DCMTK's echoscu: {asked} times, {unanswered} without an answer. Memory {before:.1} MB before, {after:.1} \
         MB after.",
        args.connections
    ));
    Ok((after / before, unanswered))
}
