use super::{Data, Reproduction};
use crate::{
    EpochRecord, Experiment, FrozenVgg16, LabError, Part, Purpose, Recipe, RunFolder, Scored,
    read_predictions, train,
};
use boneage_core::Digest;
use std::path::Path;

/// What is kept of a run, beside its checkpoints.
const OUTPUTS: [&str; 6] =
    ["recipe.toml", "metrics.jsonl", "predictions.csv", "evaluation.json", "report.md", "model.safetensors"];

/// Where the run of a recipe lies, relative to the folder of results.
pub(super) fn folder_of(name: &str) -> String {
    format!("runs/{name}")
}

/// What a run of this reproduction predicts for the held-out radiographs; `None` where it has not finished.
pub(super) fn held_out(reproduction: &Reproduction, name: &str) -> Result<Option<Vec<Scored>>, LabError> {
    let file = reproduction.out.join(folder_of(name)).join("predictions.csv");
    file.exists().then(|| read_predictions(&file, Part::Holdout)).transpose()
}

/// Fills the cache that recipes like this one read.
pub(super) fn cache(
    reproduction: &Reproduction,
    recipe: &Recipe,
    data: &Data,
) -> Result<Vec<String>, LabError> {
    let (experiment, backbone) = open(reproduction, recipe, data)?;
    experiment.fill(&backbone, Purpose::Report)?;
    Ok(Vec::new())
}

/// Trains one network in its run folder, going on where it was stopped.
pub(super) fn train_network(
    reproduction: &Reproduction,
    recipe: &Recipe,
    key: &Digest,
    data: &Data,
    told: &mut dyn FnMut(&str),
) -> Result<Vec<String>, LabError> {
    let (experiment, backbone) = open(reproduction, recipe, data)?;
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
    data: &Data,
) -> Result<(Experiment, FrozenVgg16), LabError> {
    let backbone = FrozenVgg16::read(&reproduction.backbone, recipe.transfer.frozen)?;
    let experiment =
        Experiment::of(recipe.clone(), data.dataset.clone(), &data.files, &reproduction.cache, &backbone)?;
    Ok((experiment, backbone))
}

/// Empties a run folder that was begun with other settings or other data: it is this reproduction's own.
pub(super) fn clear_unless(path: &Path, key: &Digest) -> Result<(), LabError> {
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
