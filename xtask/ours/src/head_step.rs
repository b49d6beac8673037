use crate::Work;
use anyhow::Result;
use boneage_core::{Stream, stream};
use boneage_nets::{Head, HeadConfig, HeadKind};
use boneage_nn::{Adam, AdamConfig, Loss};

/// A training step of the attention head, the variant with a 1x1 convolution, on features
/// `[batch, 15, 15, 512]` of images of 500 pixels: dropout, mean squared error, Adam.
pub(crate) struct HeadStep {
    head: Head,
    adam: Adam,
    features: Vec<f32>,
    target: Vec<f32>,
    random: Stream,
    loss: f32,
}

impl HeadStep {
    pub(crate) fn new(batch: usize) -> Self {
        let config = HeadConfig::new(HeadKind::Attention1x1, 15, 15);
        let mut random = stream(1, &["bench"]);
        let count = batch * config.positions() * config.channels;
        HeadStep {
            features: (0..count).map(|_| random.normal().max(0.0) as f32).collect(),
            target: (0..batch).map(|_| random.normal() as f32).collect(),
            head: Head::new(config, 1),
            adam: Adam::new(AdamConfig::default()),
            random,
            loss: f32::NAN,
        }
    }
}

impl Work for HeadStep {
    fn run(&mut self) -> Result<()> {
        let HeadStep { head, adam, features, target, random, loss } = self;
        *loss = head.forward_backward(features, &[], target, Loss::Mse, random);
        adam.step(&mut head.params_mut());
        Ok(())
    }

    /// The loss: initial values and dropout are drawn differently by every engine, so it tells only that
    /// everybody descends.
    fn result(&mut self) -> Result<Vec<f32>> {
        Ok(vec![self.loss])
    }
}
