use super::Reproduction;
use crate::{Dataset, EpochRecord, Experiment, FrozenVgg16, LabError, Purpose, Recipe, RunFolder, train};
use boneage_core::Digest;
use std::path::Path;

/// What is kept of a run, beside its checkpoints.
const OUTPUTS: [&str; 6] =
    ["recipe.toml", "metrics.jsonl", "predictions.csv", "evaluation.json", "report.md", "model.safetensors"];

/// Where the run of a recipe lies, relative to the folder of results.
pub(super) fn folder_of(name: &str) -> String {
    format!("runs/{name}")
}

/// Fills the cache that recipes like this one read.
pub(super) fn cache(
    reproduction: &Reproduction,
    recipe: &Recipe,
    dataset: &Dataset,
) -> Result<Vec<String>, LabError> {
    let (experiment, backbone) = open(reproduction, recipe, dataset)?;
    experiment.fill(&backbone, Purpose::Report)?;
    Ok(Vec::new())
}

/// Trains one network in its run folder, going on where it was stopped.
pub(super) fn train_network(
    reproduction: &Reproduction,
    recipe: &Recipe,
    key: &Digest,
    dataset: &Dataset,
    told: &mut dyn FnMut(&str),
) -> Result<Vec<String>, LabError> {
    let (experiment, backbone) = open(reproduction, recipe, dataset)?;
    // Caches may be lost between runs: what is there costs nothing here.
    experiment.fill(&backbone, Purpose::Report)?;
    let folder = folder_of(&recipe.name);
    let path = reproduction.out.join(&folder);
    clear_unless(&path, key)?;
    let run = RunFolder::open(&path, &experiment)?;
    let epochs = recipe.training.epochs;
    train(&experiment, &backbone, &run, None, &mut |epoch| told(&line(epoch, epochs)))?;
    let name = reproduction.backbone.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into());
    run.finish(&experiment, Purpose::Report, name, &backbone)?;
    Ok(OUTPUTS.iter().map(|file| format!("{folder}/{file}")).collect())
}

fn open(
    reproduction: &Reproduction,
    recipe: &Recipe,
    dataset: &Dataset,
) -> Result<(Experiment, FrozenVgg16), LabError> {
    let backbone = FrozenVgg16::read(&reproduction.backbone, recipe.transfer.frozen)?;
    let experiment = Experiment::of(recipe.clone(), dataset.clone(), &reproduction.cache, &backbone)?;
    Ok((experiment, backbone))
}

/// Empties a run folder that was begun with other settings or other data: it is this reproduction's own.
fn clear_unless(path: &Path, key: &Digest) -> Result<(), LabError> {
    let named = path.join("step");
    if std::fs::read_to_string(&named).is_ok_and(|found| found == key.0) {
        return Ok(());
    }
    if path.exists() {
        std::fs::remove_dir_all(path).map_err(LabError::io(path))?;
    }
    std::fs::create_dir_all(path).map_err(LabError::io(path))?;
    std::fs::write(&named, &key.0).map_err(LabError::io(&named))
}

fn line(epoch: &EpochRecord, epochs: u32) -> String {
    let EpochRecord { epoch, loss, inner_mae, seconds, .. } = epoch;
    format!("  epoch {epoch}/{epochs}  loss {loss:.4}  MAE {inner_mae:.2} months  {seconds:.1} s")
}
