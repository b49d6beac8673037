use crate::LabError;
use crate::checkpoint::write_atomically;
use boneage_core::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How much measured time a kill may cost.
const TICK: Duration = Duration::from_secs(5);

/// What is done, in `steps.json` of the folder of results.
pub(super) struct Ledger {
    folder: PathBuf,
    done: BTreeMap<String, Done>,
}

/// A finished step.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Done {
    /// What decided its result.
    key: Digest,
    /// How long it took, the time before a stop included.
    seconds: f64,
    /// Digest of every file that it made.
    outputs: BTreeMap<String, Digest>,
}

impl Ledger {
    pub(super) fn open(folder: &Path) -> Result<Ledger, LabError> {
        let path = folder.join("steps.json");
        let done = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| LabError::Run(format!("file {}: {error}", path.display())))?,
            Err(_) => BTreeMap::new(),
        };
        Ok(Ledger { folder: folder.to_owned(), done })
    }

    /// How long a step took, if it was done with `key` and the files that it made are there unchanged.
    pub(super) fn done(&self, name: &str, key: &Digest) -> Result<Option<f64>, LabError> {
        let Some(done) = self.done.get(name).filter(|done| done.key == *key) else { return Ok(None) };
        for (output, digest) in &done.outputs {
            let path = self.folder.join(output);
            if !path.exists() || Digest::of(&std::fs::read(&path).map_err(LabError::io(&path))?) != *digest {
                return Ok(None);
            }
        }
        Ok(Some(done.seconds))
    }

    /// Remembers a step that made `outputs`, paths relative to the folder.
    pub(super) fn add(
        &mut self,
        name: &str,
        key: Digest,
        seconds: f64,
        outputs: &[String],
    ) -> Result<(), LabError> {
        let digest = |output: &String| {
            let path = self.folder.join(output);
            Ok((output.clone(), Digest::of(&std::fs::read(&path).map_err(LabError::io(&path))?)))
        };
        let outputs = outputs.iter().map(digest).collect::<Result<_, LabError>>()?;
        self.done.insert(name.to_owned(), Done { key, seconds, outputs });
        let json = serde_json::to_vec_pretty(&self.done).expect("words and numbers");
        write_atomically(&self.folder.join("steps.json"), &json)
    }

    /// Seconds of every step that was done, whatever for.
    pub(super) fn seconds(&self) -> impl Iterator<Item = (&str, f64)> {
        self.done.iter().map(|(name, done)| (name.as_str(), done.seconds))
    }
}

/// Measures a step beyond a kill: `running.json` knows how long it has taken so far.
pub(super) struct Stopwatch {
    before: f64,
    start: Instant,
    ticker: Option<(Sender<()>, JoinHandle<()>)>,
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Running {
    name: String,
    key: Digest,
    seconds: f64,
}

impl Stopwatch {
    /// Starts, or goes on where the same step was stopped.
    pub(super) fn start(folder: &Path, name: &str, key: &Digest) -> Result<Stopwatch, LabError> {
        let path = folder.join("running.json");
        let earlier: Option<Running> =
            std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let same = earlier.filter(|running| running.name == name && running.key == *key);
        let before = same.map_or(0.0, |running| running.seconds);
        let start = Instant::now();
        let (stop, stopped) = channel();
        let (name, key, file) = (name.to_owned(), key.clone(), path.clone());
        let tick = move || tick(&stopped, start, &file, Running { name, key, seconds: before });
        let ticker = Some((stop, std::thread::spawn(tick)));
        Ok(Stopwatch { before, start, ticker, path })
    }

    /// Seconds in all.
    pub(super) fn stop(mut self) -> f64 {
        let seconds = self.before + self.start.elapsed().as_secs_f64();
        self.end_ticker();
        // Without the file the next step starts at nothing, which is right.
        let _ = std::fs::remove_file(&self.path);
        seconds
    }

    fn end_ticker(&mut self) {
        if let Some((stop, thread)) = self.ticker.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        self.end_ticker();
    }
}

fn tick(stopped: &Receiver<()>, start: Instant, path: &Path, mut running: Running) {
    let before = running.seconds;
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(TICK) {
        running.seconds = before + start.elapsed().as_secs_f64();
        // Lost time is no reason to stop a training.
        let _ = write_atomically(path, &serde_json::to_vec(&running).expect("words and numbers"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_and_unchanged_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let (key, other) = (Digest::of(b"1"), Digest::of(b"2"));
        std::fs::write(dir.path().join("a.csv"), "1").unwrap();
        let mut ledger = Ledger::open(dir.path()).unwrap();
        assert_eq!(ledger.done("step", &key).unwrap(), None);
        ledger.add("step", key.clone(), 7.0, &["a.csv".into()]).unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        assert_eq!(ledger.done("step", &key).unwrap(), Some(7.0));
        assert_eq!(ledger.done("step", &other).unwrap(), None);
        std::fs::write(dir.path().join("a.csv"), "2").unwrap();
        assert_eq!(ledger.done("step", &key).unwrap(), None);
        std::fs::remove_file(dir.path().join("a.csv")).unwrap();
        assert_eq!(ledger.done("step", &key).unwrap(), None);
    }

    #[test]
    fn time_before_a_kill_counts() {
        let dir = tempfile::tempdir().unwrap();
        let key = Digest::of(b"1");
        let running = Running { name: "step".into(), key: key.clone(), seconds: 100.0 };
        let write = || std::fs::write(dir.path().join("running.json"), serde_json::to_vec(&running).unwrap());
        write().unwrap();
        assert!(Stopwatch::start(dir.path(), "step", &key).unwrap().stop() >= 100.0);
        assert!(Stopwatch::start(dir.path(), "step", &key).unwrap().stop() < 100.0);
        write().unwrap();
        assert!(Stopwatch::start(dir.path(), "another", &key).unwrap().stop() < 100.0);
    }
}
