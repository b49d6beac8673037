//! Damaged uploads by the thousand, for `cargo xtask soak uploads`: in this process on the way that the service's worker
//! goes, and over the network to a service that runs.

mod corpus;
mod damage;
mod http;

pub(crate) use http::send;

use anyhow::{Context, Result};
use boneage_assess::Predictor;
use boneage_server::{Rehearsal, rehearse};
use corpus::{Seed, seeds};
use damage::damaged;
use serde_json::{Value, json};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::abort;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Longest that a case may take, in seconds of the processor's time.
const LONGEST: f64 = 5.0;

/// Longest by the clock on the wall, which goes on while others have the processor: after it this process ends itself.
const WATCHDOG: Duration = Duration::from_secs(120);

/// Every so many films that decode are read by the network, which takes longer than all the rest.
const READ_EVERY: u64 = 100;

/// Largest image in pixels: what the service takes without any setting.
const MAX_PIXELS: u64 = 100_000_000;

/// What came of some cases.
#[derive(Debug, Default)]
struct Told {
    /// Films that decoded, of them those that the network read, and files that were refused.
    decoded: u64,
    read: u64,
    refused: u64,
    /// Cases that panicked, and those that took too long.
    panicked: Vec<u64>,
    slow: Vec<u64>,
    /// The longest, in seconds of the processor's time, and its case.
    longest: (f64, u64),
}

/// Cases `first` to `first + count`, as JSON.
pub(crate) fn rehearse_cases(first: u64, count: u64) -> Result<String> {
    let (seeds, predictor) = (seeds()?, predictor()?);
    let told = cases(&seeds, &predictor, first, count);
    let Told { decoded, read, refused, panicked, slow, longest: (seconds, case) } = told;
    let told: Value = json!({
        "decoded": decoded, "read": read, "refused": refused, "panicked": panicked, "slow": slow,
        "seconds": seconds, "case": case, "seeds": seeds.len(),
    });
    Ok(told.to_string())
}

/// Writes the file of a case, to look at it.
pub(crate) fn write_case(case: u64, file: &Path) -> Result<()> {
    fs::write(file, damaged(&seeds()?, case)).with_context(|| file.display().to_string())
}

fn cases(seeds: &[Seed], predictor: &Predictor, first: u64, count: u64) -> Told {
    let (start, at) = (Instant::now(), AtomicU64::new(0));
    let (mut told, done) = (Told::default(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // `at` holds the millisecond at which the case began.
            while done.load(Ordering::Relaxed) == 0 {
                let elapsed = start.elapsed().as_millis() as u64;
                if elapsed.saturating_sub(at.load(Ordering::Relaxed)) > WATCHDOG.as_millis() as u64 {
                    eprintln!("a case from {first} on does not end");
                    abort();
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        for case in first..first + count {
            let bytes = damaged(seeds, case);
            at.store(start.elapsed().as_millis() as u64, Ordering::Relaxed);
            let before = processor_time();
            let rehearsal = if case % READ_EVERY == 0 { Rehearsal::Whole } else { Rehearsal::ToTheModel };
            match catch_unwind(AssertUnwindSafe(|| rehearse(&bytes, predictor, MAX_PIXELS, rehearsal))) {
                Ok(Ok(())) => {
                    told.decoded += 1;
                    told.read += u64::from(rehearsal == Rehearsal::Whole);
                }
                Ok(Err(_)) => told.refused += 1,
                Err(_) => told.panicked.push(case),
            }
            let took = processor_time() - before;
            if took > told.longest.0 {
                told.longest = (took, case);
            }
            if took > LONGEST {
                told.slow.push(case);
            }
        }
        done.store(1, Ordering::Relaxed);
    });
    told
}

/// The model that is shipped.
fn predictor() -> Result<Predictor> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let read = |name: &str| {
        let path = models.join(name);
        fs::read(&path).with_context(|| path.display().to_string())
    };
    let (head, backbone) =
        (read("attention-sex-352-block4.safetensors")?, read("vgg16-imagenet.safetensors")?);
    Ok(Predictor::new(&head, &backbone)?)
}

/// Seconds that all threads of this process have had.
fn processor_time() -> f64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call writes one rusage to where it points, which is large enough for one; zeros are one, too.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_uploads_are_read_or_refused() {
        let seeds = seeds().unwrap();
        assert!(seeds.len() > 50, "{}", seeds.len());
        // Other cases than the first of the great run.
        let told = cases(&seeds, &predictor().unwrap(), 1_000_001, 600);
        assert_eq!((told.panicked.len(), told.slow.len()), (0, 0), "{told:?}");
        assert!(told.decoded > 60 && told.read > 1 && told.refused > 60, "{told:?}");
    }

    #[test]
    fn what_is_sound_is_told_as_it_is() {
        let predictor = predictor().unwrap();
        for seed in seeds().unwrap() {
            let _ = rehearse(&seed.bytes, &predictor, MAX_PIXELS, Rehearsal::ToTheModel);
            let image = ["png", "jpg", "tif", "bmp"].iter().any(|ending| seed.name.contains(ending));
            let read = rehearse(&seed.bytes, &predictor, MAX_PIXELS, Rehearsal::ToTheModel).is_ok();
            assert!(read || !image, "{}", seed.name);
        }
    }
}
