use crate::Work;
use crate::forward::{drawing, weights};
use anyhow::{Result, ensure};
use boneage_core::Plane;
use boneage_nets::{Vgg16, VggTail};
use boneage_nn::{Adam, AdamConfig, AveragePool, Dense, Loss};

/// A step's changes must be seen in the loss and must not lead anywhere in hundreds of rounds.
const LEARNING_RATE: f32 = 1e-6;

/// Steps whose losses are compared with the peers'.
const COMPARED: usize = 4;

/// Convolutions of the first four blocks.
const BEFORE_BLOCK_5: usize = 10;

/// A training step of VGG16: forward, both gradients, Adam. On top the mean over the feature map, one
/// linear layer and the mean squared error, the same in `peer_pytorch.py` and `peer_tensorflow.py`.
pub(crate) struct Training {
    images: Vec<Plane>,
    target: Vec<f32>,
    /// How many convolutions are not trained.
    frozen: usize,
    below: Vgg16,
    tail: VggTail,
    last: Dense,
    adam: Adam,
    losses: Vec<f32>,
}

impl Training {
    pub(crate) fn new(trainable: &str, batch: usize, side: usize) -> Result<Self> {
        ensure!(["block5", "all"].contains(&trainable), "{trainable} is neither block5 nor all");
        let frozen = if trainable == "block5" { BEFORE_BLOCK_5 } else { 0 };
        let bytes = weights()?;
        let mut last = Dense::new("last", 512, 1, &mut || 0.5);
        last.params_mut()[0].value.fill(1.0 / 512.0);
        Ok(Training {
            images: (0..batch).map(|image| drawing(image, side)).collect(),
            target: (0..batch).map(|i| 2.0 * i as f32 / (batch - 1).max(1) as f32 - 1.0).collect(),
            frozen,
            below: Vgg16::from_safetensors(&bytes)?,
            tail: VggTail::from_safetensors(&bytes, frozen)?,
            last,
            adam: Adam::new(AdamConfig { learning_rate: LEARNING_RATE, ..AdamConfig::default() }),
            losses: Vec::new(),
        })
    }

    fn step(&mut self) -> Result<f32> {
        let images: Vec<&Plane> = self.images.iter().collect();
        let inputs = self.below.features_after(&images, self.frozen)?;
        let map = [inputs.height, inputs.width, inputs.channels];
        let trace = self.tail.forward(&inputs.values, map)?;
        let [height, width, channels] = self.tail.features_map(map);
        let (batch, mean) = (images.len(), AveragePool { channels, positions: height * width });

        let features = trace.features();
        let mut pooled = vec![0.0; batch * channels];
        mean.forward(&features, &mut pooled);
        let (mut value, mut grad) = (vec![0.0; batch], vec![0.0; batch]);
        self.last.forward(&pooled, &mut value);
        let loss = Loss::Mse.evaluate(&value, &self.target, &mut grad);

        self.last.backward_parameters(&pooled, &grad);
        let mut grad_pooled = vec![0.0; pooled.len()];
        self.last.backward_input(&grad, &mut grad_pooled);
        let mut grad_features = vec![0.0; features.len()];
        mean.backward(&grad_pooled, &mut grad_features);
        self.tail.backward(trace, &grad_features)?;
        let mut params: Vec<_> = self.tail.params_mut().collect();
        params.extend(self.last.params_mut());
        self.adam.step(&mut params);
        Ok(loss)
    }
}

impl Work for Training {
    fn run(&mut self) -> Result<()> {
        let loss = self.step()?;
        self.losses.push(loss);
        Ok(())
    }

    /// The losses of the first steps.
    fn result(&mut self) -> Result<Vec<f32>> {
        while self.losses.len() < COMPARED {
            self.run()?;
        }
        Ok(self.losses[..COMPARED].to_vec())
    }
}
