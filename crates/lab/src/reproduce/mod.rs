//! The paper, run whole: every system, table and figure of it as a graph of steps.
//!
//! A [`Step`] is known by the digest of all that decides its result: its settings, the data, the steps that it
//! needs. What is done and unchanged is not done again; what was stopped goes on where it was. [`plan`] lists
//! the steps, [`Ledger`] remembers them, and the other files of this room do them.

mod bands;
mod figures;
mod keypoints;
mod ledger;
mod networks;
mod plan;
mod regions;
mod regressions;
mod report;
mod step;
mod table;

use crate::{Dataset, LabError};
use boneage_core::Digest;
use ledger::{Ledger, Stopwatch};
use plan::plan;
use std::path::PathBuf;
use step::{Step, Work};

/// Radiographs that a quick reproduction looks at.
const QUICK_RADIOGRAPHS: usize = 300;

/// Where a reproduction reads and writes.
#[derive(Clone, Debug)]
pub struct Reproduction {
    /// Folder of the data set.
    pub data: PathBuf,
    /// Folder of the results: made anew, or continued.
    pub out: PathBuf,
    /// Folder of the feature caches.
    pub cache: PathBuf,
    /// Weights of VGG16.
    pub backbone: PathBuf,
    /// Folder of the paper's recipes.
    pub recipes: PathBuf,
    /// Folder of the radiographs that figures show; those of the data set where there is none.
    pub pictures: Option<PathBuf>,
    /// A few hundred radiographs and two epochs: every step in minutes, its numbers worth nothing.
    pub quick: bool,
}

impl Reproduction {
    /// Does every step that is not done yet, or those called `only` and what they need. `told` hears one
    /// line at a time.
    ///
    /// # Errors
    /// When a step fails; those before it are kept.
    pub fn run(&self, only: &[String], told: &mut dyn FnMut(&str)) -> Result<(), LabError> {
        let dataset = Dataset::read(&self.data)?;
        let dataset = if self.quick { dataset.limited(QUICK_RADIOGRAPHS) } else { dataset };
        let data = Data { files: dataset.file_digests()?, dataset };
        let data_digest = data.dataset.digest(&data.files);
        std::fs::create_dir_all(&self.out).map_err(LabError::io(&self.out))?;
        let steps = wanted(plan(self)?, only)?;
        let mut ledger = Ledger::open(&self.out)?;
        let mut keys: Vec<(String, Digest)> = Vec::new();
        let whole: f64 = steps.iter().map(|step| step.minutes).sum();
        let mut before = 0.0;
        for (index, step) in steps.iter().enumerate() {
            let place = format!("[{}/{}] {}", index + 1, steps.len(), step.name);
            let key = step.key(&data_digest, &keys);
            keys.push((step.name.clone(), key.clone()));
            before += step.minutes;
            if let Some(seconds) = ledger.done(&step.name, &key)? {
                told(&format!("{place}: done before in {seconds:.0} s"));
                continue;
            }
            told(&format!("{place}: {}", step.work.describe()));
            let watch = Stopwatch::start(&self.out, &step.name, &key)?;
            let outputs = self.perform(step, &key, &data, &ledger, told)?;
            let seconds = watch.stop();
            ledger.add(&step.name, key, seconds, &outputs)?;
            told(&format!("{place}: done in {seconds:.0} s; {:.0} % of the whole", 100.0 * before / whole));
        }
        Ok(())
    }

    /// Names and descriptions of all steps, in order.
    ///
    /// # Errors
    /// When a recipe cannot be read.
    pub fn steps(&self) -> Result<Vec<(String, String)>, LabError> {
        Ok(plan(self)?.into_iter().map(|step| (step.name, step.work.describe())).collect())
    }

    /// Does one step and names the files that it made, relative to the folder of results.
    fn perform(
        &self,
        step: &Step,
        key: &Digest,
        data: &Data,
        ledger: &Ledger,
        told: &mut dyn FnMut(&str),
    ) -> Result<Vec<String>, LabError> {
        match &step.work {
            Work::Features(recipe) => networks::cache(self, recipe, data),
            Work::Network(recipe) => networks::train_network(self, recipe, key, data, told),
            Work::Regression(recipe) => regressions::train(self, recipe, key, data),
            Work::Bands => bands::write(self),
            Work::Regions(model) => regions::write(self, model, &data.dataset),
            Work::Keypoints => keypoints::write(self, &data.dataset),
            Work::Figures(group, _) => figures::write(self, *group, &data.dataset),
            Work::Table => table::write(self),
            Work::Report => report::write(self, &data.dataset, ledger),
        }
    }
}

/// What all steps read: thousands of files are hashed once for all of them.
struct Data {
    dataset: Dataset,
    /// SHA-256 of every image file, in the order of the radiographs.
    files: Vec<Digest>,
}

/// The steps called `only` and those that they need; all where none is named.
fn wanted(steps: Vec<Step>, only: &[String]) -> Result<Vec<Step>, LabError> {
    if only.is_empty() {
        return Ok(steps);
    }
    if let Some(unknown) = only.iter().find(|name| steps.iter().all(|step| step.name != **name)) {
        return Err(LabError::Run(format!("has no step {unknown:?}; hint: --list names them")));
    }
    let mut named: Vec<String> = only.to_vec();
    // Steps stand after those that they need: one pass from the end finds all.
    for step in steps.iter().rev() {
        if named.contains(&step.name) {
            named.extend(step.needs.iter().cloned());
        }
    }
    Ok(steps.into_iter().filter(|step| named.contains(&step.name)).collect())
}
