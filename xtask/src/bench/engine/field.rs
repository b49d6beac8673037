use super::Common;
use crate::bench::contestant::Contestant;
use crate::bench::folder::Folder;
use crate::bench::rounds::{Plan, Times, measure};
use crate::bench::{build_ours, python};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// Names of the contestants, as the tables call them.
pub(super) const OURS: &str = "ours";
pub(super) const OURS_AVX2: &str = "ours, AVX2";
pub(super) const OPENVINO: &str = "OpenVINO f32";
pub(super) const OPENVINO_BF16: &str = "OpenVINO bf16 (lossy)";
pub(super) const PYTORCH: &str = "PyTorch channels_last";
pub(super) const PYTORCH_NCHW: &str = "PyTorch NCHW";
pub(super) const TENSORFLOW: &str = "TensorFlow";
pub(super) const ONNX: &str = "ONNX Runtime";

/// A peer: its name, its script with arguments, and what its interpreter must have.
type Peer = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const PEERS: [Peer; 6] = [
    (OPENVINO, "peer_openvino.py", &[], &["openvino", "onnx", "safetensors"]),
    (PYTORCH, "peer_pytorch.py", &[], &["torch", "safetensors"]),
    (PYTORCH_NCHW, "peer_pytorch.py", &["--layout", "nchw"], &["torch", "safetensors"]),
    (TENSORFLOW, "peer_tensorflow.py", &[], &["tensorflow", "keras", "safetensors"]),
    (ONNX, "peer_onnxruntime.py", &[], &["onnxruntime", "onnx", "safetensors"]),
    (OPENVINO_BF16, "peer_openvino.py", &["--precision", "bf16"], &["openvino", "onnx", "safetensors"]),
];

/// Everybody who takes part, and what all tables need.
pub(super) struct Field {
    pub(super) contestants: Vec<Contestant>,
    pub(super) plan: Plan,
    pub(super) folder: Folder,
    /// The binaries of our side.
    pub(super) binaries: PathBuf,
    pythons: Vec<PathBuf>,
}

impl Field {
    /// Starts our side and every peer that an interpreter can import.
    pub(super) fn new(common: &Common) -> Result<Self> {
        let binaries = build_ours()?;
        let pythons = common.python.clone();
        let contestants = start(&binaries, &pythons, common.threads)?;
        ensure!(
            contestants.len() > 2,
            "no interpreter has a peer; hint: --python PATH of an environment with torch, openvino, ..."
        );
        Ok(Field { contestants, plan: Plan::new(common.quick), folder: Folder::new()?, binaries, pythons })
    }

    /// Other processes of everybody, with another number of threads.
    pub(super) fn with_threads(&self, threads: usize) -> Result<Vec<Contestant>> {
        start(&self.binaries, &self.pythons, threads)
    }

    /// The first interpreter that has these modules.
    pub(super) fn python(&self, modules: &[&str]) -> Option<PathBuf> {
        python::with(&self.pythons, modules)
    }

    /// The version of each, every text once.
    pub(super) fn versions(&mut self) -> Result<Vec<String>> {
        let mut versions = Vec::new();
        for contestant in &mut self.contestants {
            let version = contestant.ask("version")?;
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
        Ok(versions)
    }

    /// Times of those of `names` who are here.
    pub(super) fn measure(&mut self, names: &[&'static str], work: &str, plan: Plan) -> Standings {
        Standings::measure(&mut self.contestants, names, work, plan)
    }

    /// Our side.
    pub(super) fn ours(&mut self) -> Result<&mut Contestant> {
        self.contestants.iter_mut().find(|c| c.name == OURS).context("our side takes part")
    }

    /// Checks that the results of a work lie within `tolerance` of ours, relative, over all numbers.
    pub(super) fn agree(&mut self, names: &[&str], work: &str, tolerance: f64) -> Result<()> {
        let file = self.folder.join("result");
        let ours = self.ours()?.result(work, &file)?;
        for contestant in self.contestants.iter_mut().filter(|c| names.contains(&c.name.as_str())) {
            let theirs = contestant.result(work, &file)?;
            let difference = difference(&ours, &theirs);
            eprintln!("{work}: {} differs from ours by {difference:.1e}", contestant.name);
            ensure!(
                difference <= tolerance,
                "{work}: {} differs by {difference:.1e}, allowed {tolerance:.0e}",
                contestant.name
            );
        }
        Ok(())
    }
}

fn start(binaries: &Path, pythons: &[PathBuf], threads: usize) -> Result<Vec<Contestant>> {
    let program = binaries.join("boneage-bench");
    let ours = Contestant::start(OURS, &mut Contestant::command(&program, threads))?;
    let mut avx2 = Contestant::command(&program, threads);
    let mut contestants = vec![ours, Contestant::start(OURS_AVX2, avx2.env("NN_ISA", "avx2"))?];
    for (name, script, arguments, modules) in PEERS {
        match python::with(pythons, modules) {
            Some(python) => {
                let mut command = python::script(&python, script, arguments, threads);
                contestants.push(Contestant::start(name, &mut command)?);
            }
            None => eprintln!("{name} is left out: no interpreter has {}", modules.join(", ")),
        }
    }
    Ok(contestants)
}

/// Relative difference, root of the sum of squares; infinite where lengths differ.
fn difference(ours: &[f32], theirs: &[f32]) -> f64 {
    if ours.len() != theirs.len() {
        return f64::INFINITY;
    }
    let square = |x: f64| x * x;
    let apart: f64 = ours.iter().zip(theirs).map(|(&a, &b)| square(f64::from(a) - f64::from(b))).sum();
    let norm: f64 = theirs.iter().map(|&b| square(f64::from(b))).sum();
    (apart / norm).sqrt()
}

/// What everybody needed for one work.
pub(super) struct Standings(Vec<(&'static str, Option<Times>)>);

impl Standings {
    /// Times of those of `names` who are among `contestants`.
    pub(super) fn measure(
        contestants: &mut [Contestant],
        names: &[&'static str],
        work: &str,
        plan: Plan,
    ) -> Standings {
        eprintln!("{work}");
        let mut asked: Vec<&mut Contestant> =
            contestants.iter_mut().filter(|c| names.contains(&c.name.as_str())).collect();
        let times = measure(&mut asked, work, plan);
        let found = asked.iter().zip(times).filter_map(|(contestant, times)| {
            Some((*names.iter().find(|name| **name == contestant.name)?, times))
        });
        Standings(found.collect())
    }

    /// Everybody's times, in the order in which they were asked.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &Times)> {
        self.0.iter().filter_map(|(name, times)| Some((*name, times.as_ref()?)))
    }

    /// The times of one.
    pub(super) fn of(&self, name: &str) -> Option<&Times> {
        self.all().find(|(known, _)| *known == name).map(|(_, times)| times)
    }

    /// How many times as fast as `peer` one of ours is.
    pub(super) fn ratio(&self, ours: &str, peer: &str) -> Option<f64> {
        Some(self.of(peer)?.median() / self.of(ours)?.median())
    }
}
