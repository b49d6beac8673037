//! `cargo xtask soak`: the service is killed again and again while films come in; nothing may be lost or doubled.

use crate::bench::{Folder, Report, build_ours};
use crate::phantom::film;
use crate::service::{Service, upload};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What is asked for.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often the process is killed
    #[arg(long, value_name = "N", default_value_t = 50)]
    kills: u32,
    /// How many senders there are at a time
    #[arg(long, value_name = "N", default_value_t = 4)]
    senders: u32,
    /// Where the report goes [default: results/soak-clinic.md]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Sides of the films: small, so that most of the time is spent between disk and network.
const SIZE: (u32, u32) = (240, 320);

/// Longest life of a process in milliseconds.
const LONGEST: u32 = 1500;

pub(crate) fn run(args: &Args) -> Result<()> {
    let boneage = build_ours()?.join("boneage");
    let folder = Folder::new()?;
    let data = folder.join("data");
    // Every number that was sent, and whether the service said that it has the film.
    let (next, acknowledged) = (AtomicU32::new(0), Mutex::new(BTreeSet::new()));
    for kill in 0..args.kills {
        let service = Service::start(&boneage, &data)?;
        let address = service.address().to_owned();
        std::thread::scope(|scope| -> Result<()> {
            for _ in 0..args.senders {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Ok(film) = film(SIZE.0, SIZE.1, number) else { return };
                        // The process is dead: the next one will be asked by other senders.
                        let Ok(id) = upload(&address, &film) else { return };
                        acknowledged.lock().expect("no sender panics").insert(id);
                    }
                });
            }
            // Any moment of its life is as likely as any other; the hash is random enough.
            let life = 20 + kill.wrapping_mul(0x9e37_79b1).rotate_left(9) % LONGEST;
            std::thread::sleep(Duration::from_millis(life.into()));
            service.kill()
        })?;
        eprint!("\r{} kills, {} films", kill + 1, acknowledged.lock().expect("no sender panics").len());
    }
    eprintln!();
    let service = Service::start(&boneage, &data)?;
    let acknowledged = acknowledged.into_inner().context("no sender panics")?;
    let mut lost = 0;
    for id in &acknowledged {
        lost += u32::from(service.read(id).map_or(true, |film| film["state"] != "done"));
    }
    let films = service.films()?;
    let digests: BTreeSet<&str> = films.iter().filter_map(|film| film["digest"].as_str()).collect();
    let doubled = films.len() - digests.len();
    let sent = next.into_inner();
    let mut report = Report::new("The service under SIGKILL");
    report.paragraph(&format!(
        "Killed {} times at any moment of its first {:.1} s while {} senders uploaded. {sent} films were sent, {} \
         acknowledged, {} are there: those beyond were taken and died before the answer.",
        args.kills,
        f64::from(LONGEST) / 1e3,
        args.senders,
        acknowledged.len(),
        films.len()
    ));
    report.table(
        &["", "films", "at most"],
        &[
            vec!["lost: acknowledged and not read at the end".into(), lost.to_string(), "0".into()],
            vec!["doubled: the same bytes twice".into(), doubled.to_string(), "0".into()],
        ],
    );
    let out = args.out.clone();
    report.write(&out.unwrap_or_else(|| crate::bench::root().join("results/soak-clinic.md")))?;
    ensure!(lost == 0 && doubled == 0, "{lost} films lost, {doubled} doubled");
    ensure!(acknowledged.len() as u32 >= args.kills, "only {} films were taken", acknowledged.len());
    Ok(())
}
