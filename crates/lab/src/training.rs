use crate::checkpoint::{Checkpoint, TrainingProgress, write_network};
use crate::feeder::{Batch, Feeder};
use crate::run::RunFolder;
use crate::{Backbone, Experiment, LabError, Monitor, Part, Progress, Schedule};
use boneage_assess::{Bundle, ModelWeights};
use boneage_core::{Months, stream};
use boneage_nets::{NamedTensor, Network, ParameterAverage, VggTail};
use boneage_nn::{Adam, AdamConfig, Loss, ReduceOnPlateau};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Instant;

/// Images that are predicted at once.
const PREDICTED: usize = 64;

/// What one epoch came to: a line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: u32,
    /// Mean loss over the training batches, on standardised ages, dropout included.
    pub loss: f64,
    /// Loss on the inner validation.
    pub inner_loss: f64,
    /// Mean absolute error on the inner validation, in months.
    pub inner_mae: f64,
    /// Root mean squared error on the inner validation, in months.
    pub inner_rmse: f64,
    /// Step length of this epoch.
    pub learning_rate: f32,
    /// Whether no epoch before was better.
    pub best: bool,
    /// How long it took.
    pub seconds: f64,
}

/// Trains the network of `experiment` on what `backbone` gives, with those of its layers that are not frozen, in
/// `run`, going on where an earlier call was stopped.
///
/// `until` stops after so many epochs of the whole training, as if killed there. Every random draw is
/// named by the seed, the epoch and the step: stopping and going on gives the same bits as not
/// stopping. `told` hears of every epoch.
///
/// # Errors
/// When features are missing, the run folder holds another training, or the disk fails.
pub fn train(
    experiment: &Experiment,
    backbone: &dyn Backbone,
    run: &RunFolder,
    until: Option<u32>,
    told: &mut dyn FnMut(&EpochRecord),
) -> Result<(), LabError> {
    let recipe = &experiment.recipe;
    let feeder = Feeder::open(experiment, backbone)?;
    let mut checkpoint = begin_or_resume(experiment, backbone.tail(), run)?;
    run.keep_epochs(checkpoint.progress.epochs)?;
    let inner = experiment.indices(Part::Inner);
    let mut plateau = recipe.training.schedule.plateau().map(ReduceOnPlateau::new);
    if let Some(plateau) = &mut plateau {
        plateau.load_state(checkpoint.progress.plateau());
    }
    let last = until.unwrap_or(u32::MAX).min(recipe.training.epochs);
    while checkpoint.progress.epochs < last && !stops_early(experiment, &checkpoint.progress) {
        let start = Instant::now();
        let epoch = checkpoint.progress.epochs;
        if let Schedule::Cosine { min } = recipe.training.schedule {
            let rate = cosine(recipe.training.learning_rate, min, epoch, recipe.training.epochs);
            checkpoint.adam.set_learning_rate(rate);
        }
        let learning_rate = checkpoint.adam.learning_rate();
        let loss = run_epoch(experiment, &feeder, &mut checkpoint, epoch)?;

        let judged = judged_network(&checkpoint)?;
        let (inner_loss, inner_mae, inner_rmse) =
            validate(&judged, &feeder, &inner, recipe.training.loss.into())?;
        let figure = match recipe.training.monitor {
            Monitor::Loss => inner_loss,
            Monitor::Mae => inner_mae,
        };
        // Without an inner validation (the split in thirds) there is nothing to choose by: the last is kept.
        let best = inner.is_empty() || figure < checkpoint.progress.best();
        if best {
            checkpoint.progress.set_best(figure, epoch);
            write_network(&run.best(), &judged.state(), epoch)?;
        }
        if let Some(plateau) = plateau.as_mut().filter(|_| !inner.is_empty()) {
            let rate = plateau.observe(figure, learning_rate);
            checkpoint.adam.set_learning_rate(rate);
            checkpoint.progress.set_plateau(plateau.state());
        }
        let seconds = start.elapsed().as_secs_f64();
        let record = EpochRecord {
            epoch: epoch + 1,
            loss,
            inner_loss,
            inner_mae,
            inner_rmse,
            learning_rate,
            best,
            seconds,
        };
        run.add_epoch(&record)?;
        checkpoint.progress.epochs += 1;
        // Last of all: killed before this line, the epoch is done again and comes out the same.
        checkpoint.write(&run.last())?;
        told(&record);
    }
    Ok(())
}

fn begin_or_resume(
    experiment: &Experiment,
    tail: Option<VggTail>,
    run: &RunFolder,
) -> Result<Checkpoint, LabError> {
    let (training, head) = (&experiment.recipe.training, &experiment.recipe.head);
    let (map, reads) = (experiment.cache.map(), [head.height, head.width, head.channels]);
    let makes = tail.as_ref().map_or(map, |tail| tail.features_map(map));
    if makes != reads {
        return Err(LabError::Recipe(format!(
            "{} has a head for maps of {reads:?} where the backbone makes {makes:?}; hint: leave height and width out",
            experiment.recipe.name
        )));
    }
    let config = AdamConfig { learning_rate: training.learning_rate, ..AdamConfig::default() };
    let mut network = Network::initial(tail, head.clone(), training.seed);
    if !run.last().exists() {
        if let Some(start) = &experiment.recipe.start {
            begin_from(&mut network, start)?;
        }
        return Ok(Checkpoint {
            progress: TrainingProgress::new(experiment.recipe.digest(), experiment.data_digest.clone()),
            network,
            adam: Adam::new(config),
            tail_adam: Adam::new(config),
            average: training.averaging.map(ParameterAverage::exponential),
        });
    }
    let checkpoint = Checkpoint::read(&run.last(), network, config, training.averaging)?;
    for (what, found, expected) in [
        ("recipe", &checkpoint.progress.recipe, &experiment.recipe.digest()),
        ("data set", &checkpoint.progress.data, &experiment.data_digest),
    ] {
        if found != expected {
            let (folder, found, expected) = (run.path().display(), found.short(), expected.short());
            return Err(LabError::Run(format!(
                "folder {folder} was begun with the {what} {found}, now it is {expected}; hint: choose another --out"
            )));
        }
    }
    Ok(checkpoint)
}

/// Gives `network` the weights of a trained model, as far as that one was trained: convolutions that it did not
/// train stay pretrained.
fn begin_from(network: &mut Network, path: &Path) -> Result<(), LabError> {
    let named = |reason: String| LabError::Recipe(format!("start {}: {reason}", path.display()));
    let bundle = Bundle::read(&std::fs::read(path).map_err(LabError::io(path))?)?;
    let ModelWeights::Network(weights) = bundle.weights else {
        return Err(named("it is a regression; hint: name a network's model".to_owned()));
    };
    let trained: Vec<NamedTensor> = weights.head.state().into_iter().chain(weights.tuned).collect();
    let mut state = network.state();
    for tensor in trained {
        let same = state.iter_mut().find(|own| own.name == tensor.name && own.shape == tensor.shape);
        let Some(own) = same else {
            let (name, shape) = (&tensor.name, &tensor.shape);
            return Err(named(format!(
                "its tensor {name} of shape {shape:?} is not trained here; hint: the same [head], and frozen not above {}",
                bundle.manifest.backbone().map_or(0, |backbone| backbone.frozen)
            )));
        };
        *own = tensor;
    }
    Ok(network.load_state(&state)?)
}

fn stops_early(experiment: &Experiment, progress: &TrainingProgress) -> bool {
    let patience = experiment.recipe.training.early_stopping;
    patience.zip(progress.best_epoch).is_some_and(|(patience, best)| progress.epochs > best + patience)
}

/// `min + (start - min) (1 + cos(pi epoch / (epochs - 1))) / 2`
fn cosine(start: f32, min: f32, epoch: u32, epochs: u32) -> f32 {
    let share = f64::from(epoch) / f64::from(epochs.max(2) - 1);
    min + (start - min) * (0.5 * (1.0 + (std::f64::consts::PI * share).cos())) as f32
}

/// All training images once, in an order of this epoch's; returns the mean loss.
fn run_epoch(
    experiment: &Experiment,
    feeder: &Feeder<'_>,
    checkpoint: &mut Checkpoint,
    epoch: u32,
) -> Result<f64, LabError> {
    let training = &experiment.recipe.training;
    let mut order = experiment.indices(Part::Training);
    stream(training.seed, &["order", &epoch.to_string()]).shuffle(&mut order);
    let mut progress = Progress::new(&format!("epoch {}/{}", epoch + 1, training.epochs), order.len());
    let mut batch = Batch::default();
    let mut sum = 0.0;
    for (step, indices) in order.chunks(training.batch).enumerate() {
        feeder.training(indices, epoch, &mut batch)?;
        let mut random = stream(training.seed, &["dropout", &epoch.to_string(), &step.to_string()]);
        let Checkpoint { network, adam, tail_adam, average, .. } = checkpoint;
        let Batch { features, sex, target } = &batch;
        let loss = training.loss.into();
        let loss = network.forward_backward(features, feeder.map(), sex, target, loss, &mut random)?;
        tail_adam.set_learning_rate(adam.learning_rate() * experiment.recipe.transfer.rate);
        adam.step(&mut network.head_params_mut());
        tail_adam.step(&mut network.tail_params_mut());
        if let Some(average) = average {
            average.add(&network.state())?;
        }
        sum += f64::from(loss) * indices.len() as f64;
        progress.advance(indices.len());
    }
    Ok(sum / order.len() as f64)
}

/// The network that is evaluated and kept: the averaged one where weights are averaged.
fn judged_network(checkpoint: &Checkpoint) -> Result<Network, LabError> {
    let mut network = checkpoint.network.clone();
    if let Some(average) = &checkpoint.average {
        network.load_state(average.state())?;
    }
    Ok(network)
}

/// Loss, MAE and RMSE on clean images; all not a number where there are none.
fn validate(
    network: &Network,
    feeder: &Feeder<'_>,
    indices: &[usize],
    loss: Loss,
) -> Result<(f64, f64, f64), LabError> {
    let mut batch = Batch::default();
    let (mut losses, mut absolute, mut squared) = (0.0, 0.0, 0.0);
    for indices in indices.chunks(PREDICTED) {
        feeder.clean(indices, &mut batch)?;
        let value = network.predict(&batch.features, feeder.map(), &batch.sex)?.value;
        let mut unused = vec![0.0; value.len()];
        losses += f64::from(loss.evaluate(&value, &batch.target, &mut unused)) * indices.len() as f64;
        for (predicted, target) in value.iter().zip(&batch.target) {
            let error = f64::from(predicted - target) * f64::from(feeder.scale.sd);
            absolute += error.abs();
            squared += error * error;
        }
    }
    let n = indices.len() as f64;
    Ok((losses / n, absolute / n, (squared / n).sqrt()))
}

/// Ages of clean images from the features in the cache.
pub(crate) fn predict(
    experiment: &Experiment,
    network: &Network,
    backbone: &dyn Backbone,
    indices: &[usize],
) -> Result<Vec<Months>, LabError> {
    let feeder = Feeder::open(experiment, backbone)?;
    let mut batch = Batch::default();
    let mut months = Vec::with_capacity(indices.len());
    for indices in indices.chunks(PREDICTED) {
        feeder.clean(indices, &mut batch)?;
        let values = network.predict(&batch.features, feeder.map(), &batch.sex)?.value;
        months.extend(values.into_iter().map(|value| feeder.scale.months(value)));
    }
    Ok(months)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_begins_at_the_rate_and_ends_at_the_least() {
        assert_eq!(cosine(1e-3, 1e-5, 0, 50), 1e-3);
        assert!((cosine(1e-3, 1e-5, 49, 50) - 1e-5).abs() < 1e-9);
        assert!(cosine(1e-3, 1e-5, 30, 50) < cosine(1e-3, 1e-5, 20, 50));
    }
}
