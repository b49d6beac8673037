use crate::LabError;
use boneage_core::Digest;
use boneage_nets::{NamedTensor, Network, ParameterAverage};
use boneage_nn::{Adam, AdamConfig, AdamMoments, AdamState, Param, PlateauState};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

/// Key of the JSON among the metadata.
const STATE: &str = "state";

/// Everything that a training is between two epochs: from it, the rest of the training follows to
/// the last bit, as all random draws are named by epoch and step.
pub(crate) struct Checkpoint {
    pub(crate) progress: TrainingProgress,
    pub(crate) network: Network,
    /// The head's optimiser.
    pub(crate) adam: Adam,
    /// That of the trained convolutions, which take smaller steps; without any it has nothing to do.
    pub(crate) tail_adam: Adam,
    pub(crate) average: Option<ParameterAverage>,
}

/// The small part of a checkpoint. Floats are kept as bits: JSON knows no infinity and rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainingProgress {
    /// Of the recipe and of the data: another recipe or other images are another training.
    pub(crate) recipe: Digest,
    pub(crate) data: Digest,
    /// Epochs done.
    pub(crate) epochs: u32,
    /// Epoch (from 0) of the best figure.
    pub(crate) best_epoch: Option<u32>,
    best_bits: u64,
    rate_bits: u32,
    plateau_best_bits: u64,
    plateau_wait: u32,
    plateau_cooldown: u32,
    adam_steps: u64,
    average_count: u64,
}

impl TrainingProgress {
    pub(crate) fn new(recipe: Digest, data: Digest) -> Self {
        let infinite = f64::INFINITY.to_bits();
        TrainingProgress {
            recipe,
            data,
            epochs: 0,
            best_epoch: None,
            best_bits: infinite,
            rate_bits: 0,
            plateau_best_bits: infinite,
            plateau_wait: 0,
            plateau_cooldown: 0,
            adam_steps: 0,
            average_count: 0,
        }
    }

    /// The best figure so far; infinite before the first epoch.
    pub(crate) fn best(&self) -> f64 {
        f64::from_bits(self.best_bits)
    }

    pub(crate) fn set_best(&mut self, figure: f64, epoch: u32) {
        (self.best_bits, self.best_epoch) = (figure.to_bits(), Some(epoch));
    }

    pub(crate) fn plateau(&self) -> PlateauState {
        PlateauState {
            best: f64::from_bits(self.plateau_best_bits),
            wait: self.plateau_wait,
            cooldown_left: self.plateau_cooldown,
        }
    }

    pub(crate) fn set_plateau(&mut self, state: PlateauState) {
        self.plateau_best_bits = state.best.to_bits();
        (self.plateau_wait, self.plateau_cooldown) = (state.wait, state.cooldown_left);
    }
}

impl Checkpoint {
    /// Writes the checkpoint; a kill leaves the old one or the new one, never half of one.
    pub(crate) fn write(&mut self, path: &Path) -> Result<(), LabError> {
        self.progress.rate_bits = self.adam.learning_rate().to_bits();
        self.progress.adam_steps = self.adam.state().step;
        self.progress.average_count = self.average.as_ref().map_or(0, ParameterAverage::count);
        let mut tensors: Vec<(String, NamedTensor)> = Vec::new();
        let named = |group: &str, state: &[NamedTensor]| -> Vec<(String, NamedTensor)> {
            state.iter().map(|t| (format!("{group}/{}", t.name), t.clone())).collect()
        };
        tensors.extend(named("network", &self.network.state()));
        if let Some(average) = &self.average {
            tensors.extend(named("average", average.state()));
        }
        for moments in self.adam.state().moments.iter().chain(&self.tail_adam.state().moments) {
            let vector = |group: &str, values: &[f32]| {
                let name = moments.name.clone();
                let tensor = NamedTensor { name, shape: vec![values.len()], values: values.to_vec() };
                (format!("{group}/{}", moments.name), tensor)
            };
            tensors.push(vector("adam_first", &moments.first));
            tensors.push(vector("adam_second", &moments.second));
        }
        let json = serde_json::to_string(&self.progress).expect("digests and whole numbers");
        write_tensors(path, &tensors, json)
    }

    /// Reads a checkpoint of a network that was made as `network` was.
    pub(crate) fn read(
        path: &Path,
        mut network: Network,
        adam: AdamConfig,
        averaging: Option<f32>,
    ) -> Result<Self, LabError> {
        let (groups, json) = read_tensors(path)?;
        let unreadable = |reason: String| {
            let path = path.display();
            LabError::Run(format!("checkpoint {path}: {reason}; hint: delete the run folder and train anew"))
        };
        let progress: TrainingProgress =
            serde_json::from_str(&json).map_err(|e| unreadable(e.to_string()))?;
        let group = |name: &str| groups.get(name).cloned().unwrap_or_default();
        network.load_state(&group("network"))?;
        let config = AdamConfig { learning_rate: f32::from_bits(progress.rate_bits), ..adam };
        let (first, second) = (group("adam_first"), group("adam_second"));
        let moments_of = |name: &str| {
            let values = |group: &[NamedTensor]| Some(group.iter().find(|t| t.name == name)?.values.clone());
            Some(AdamMoments { name: name.to_owned(), first: values(&first)?, second: values(&second)? })
        };
        let optimiser = |params: &[&mut Param]| -> Result<Adam, LabError> {
            // In the order of the parameters, which the file does not keep.
            let moments: Option<Vec<AdamMoments>> = params.iter().map(|p| moments_of(&p.name)).collect();
            let moments = moments.ok_or_else(|| unreadable("the optimiser's state is missing".to_owned()))?;
            let mut adam = Adam::new(config);
            let state = AdamState { step: progress.adam_steps, moments };
            adam.load_state(state, params).map_err(|e| unreadable(e.to_string()))?;
            Ok(adam)
        };
        let adam = optimiser(&network.head_params_mut())?;
        let tail_adam = optimiser(&network.tail_params_mut())?;
        let average = averaging.map(|decay| {
            // In the order of the network's state, again.
            let found = group("average");
            let ordered =
                network.state().into_iter().filter_map(|t| found.iter().find(|f| f.name == t.name).cloned());
            ParameterAverage::exponential(decay).resumed(ordered.collect(), progress.average_count)
        });
        Ok(Checkpoint { progress, network, adam, tail_adam, average })
    }
}

/// Writes a network's state alone: the best epoch.
pub(crate) fn write_network(path: &Path, state: &[NamedTensor], epoch: u32) -> Result<(), LabError> {
    let tensors: Vec<(String, NamedTensor)> =
        state.iter().map(|t| (format!("network/{}", t.name), t.clone())).collect();
    write_tensors(path, &tensors, format!("{{\"epoch\":{epoch}}}"))
}

/// Reads what [`write_network`] wrote into a network that was made as the written one was.
pub(crate) fn read_network(path: &Path, mut network: Network) -> Result<Network, LabError> {
    let (groups, _) = read_tensors(path)?;
    network.load_state(groups.get("network").map_or(&[], Vec::as_slice))?;
    Ok(network)
}

fn write_tensors(path: &Path, tensors: &[(String, NamedTensor)], json: String) -> Result<(), LabError> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, t)| t.values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, tensor), bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes);
        (name, view.expect("as many bytes as the shape says"))
    });
    let metadata = Some(HashMap::from([(STATE.to_owned(), json)]));
    let file = safetensors::serialize(views, metadata).expect("names are distinct");
    write_atomically(path, &file)
}

/// Tensors by the word before the slash of their name, and the JSON.
fn read_tensors(path: &Path) -> Result<(HashMap<String, Vec<NamedTensor>>, String), LabError> {
    let bytes = std::fs::read(path).map_err(LabError::io(path))?;
    let damaged = |reason: &dyn std::fmt::Display| {
        let path = path.display();
        LabError::Run(format!(
            "checkpoint {path} is damaged: {reason}; hint: delete the run folder and train anew"
        ))
    };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(&e))?;
    let json = metadata.metadata().as_ref().and_then(|pairs| pairs.get(STATE)).cloned();
    let json = json.ok_or_else(|| damaged(&"it has no state"))?;
    let mut groups: HashMap<String, Vec<NamedTensor>> = HashMap::new();
    for (name, view) in SafeTensors::deserialize(&bytes).map_err(|e| damaged(&e))?.tensors() {
        let (group, name) =
            name.split_once('/').ok_or_else(|| damaged(&format!("tensor {name} has no group")))?;
        let values = view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        let tensor = NamedTensor { name: name.to_owned(), shape: view.shape().to_vec(), values };
        groups.entry(group.to_owned()).or_default().push(tensor);
    }
    Ok((groups, json))
}

/// Writes beside the file and renames: a kill at any moment leaves the old file or the new one.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    let beside = path.with_extension("part");
    let mut file = std::fs::File::create(&beside).map_err(LabError::io(&beside))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(LabError::io(&beside))?;
    std::fs::rename(&beside, path).map_err(LabError::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_nets::{HeadConfig, HeadKind};

    #[test]
    fn a_checkpoint_comes_back_to_the_bit() {
        let config = HeadConfig { channels: 6, hidden: 5, ..HeadConfig::new(HeadKind::Attention, 2, 2) };
        let initial = |seed| Network::initial(None, config.clone(), seed);
        let mut network = initial(3);
        let mut adam = Adam::new(AdamConfig::default());
        let mut params = network.head_params_mut();
        params.iter_mut().for_each(|p| p.grad.iter_mut().enumerate().for_each(|(i, g)| *g = i as f32 / 7.0));
        adam.step(&mut params);
        adam.set_learning_rate(0.1 + 0.2);
        let mut average = ParameterAverage::exponential(0.9);
        average.add(&network.state()).unwrap();
        let mut progress = TrainingProgress::new(Digest::of(b"r"), Digest::of(b"d"));
        progress.epochs = 4;
        progress.set_best(0.1 + 0.2, 3);
        let mut tail_adam = Adam::new(AdamConfig::default());
        tail_adam.step(&mut []);
        let mut checkpoint = Checkpoint { progress, network, adam, tail_adam, average: Some(average) };

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("last.safetensors");
        checkpoint.write(&path).unwrap();
        let again = Checkpoint::read(&path, initial(0), AdamConfig::default(), Some(0.9)).unwrap();
        assert_eq!(again.progress, checkpoint.progress);
        assert_eq!(again.network.state(), checkpoint.network.state());
        assert_eq!(again.adam.state(), checkpoint.adam.state());
        assert_eq!(again.adam.learning_rate(), checkpoint.adam.learning_rate());
        assert_eq!(again.average, checkpoint.average);

        std::fs::write(&path, b"half").unwrap();
        let message =
            Checkpoint::read(&path, initial(0), AdamConfig::default(), None).err().unwrap().to_string();
        assert!(message.contains("last.safetensors is damaged"), "{message}");
    }
}
