use crate::Work;
use crate::forward::{drawing, weights};
use crate::layers::tensor;
use anyhow::{Context, Result, ensure};
use boneage_core::Plane;
use boneage_nets::{VGG16_BLOCKS, Vgg16};
use boneage_nn::{
    Adam, AdamConfig, Blocked, Dense, Finish, Loss, Passed, TrainableConv3x3, TrainableDirectConv3x3,
};
use safetensors::SafeTensors;

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
    /// What comes before block 5, where only that is trained.
    frozen: Option<Vgg16>,
    first: Option<TrainableDirectConv3x3>,
    rest: Vec<(TrainableConv3x3, Finish)>,
    last: Dense,
    adam: Adam,
    losses: Vec<f32>,
}

/// A convolution's input and what it passed.
type Kept = (Blocked, Passed);

/// The images in three colours and what the first convolution passed, where it is trained.
type Begun = Option<(Vec<f32>, Passed)>;

impl Training {
    pub(crate) fn new(trainable: &str, batch: usize, side: usize) -> Result<Self> {
        ensure!(["block5", "all"].contains(&trainable), "{trainable} is neither block5 nor all");
        let frozen = trainable == "block5";
        let bytes = weights()?;
        let file = SafeTensors::deserialize(&bytes)?;
        let (mut first, mut rest, mut in_channels) = (None, Vec::new(), 3);
        for (block, convolutions) in VGG16_BLOCKS.iter().enumerate() {
            for (index, &out) in convolutions.iter().enumerate() {
                let inputs = std::mem::replace(&mut in_channels, out);
                if frozen && block < 4 {
                    continue;
                }
                let name = format!("block{}_conv{}", block + 1, index + 1);
                let weight = tensor(&file, &format!("{name}.weight"))?;
                let bias = tensor(&file, &format!("{name}.bias"))?;
                if block == 0 && index == 0 {
                    first = Some(TrainableDirectConv3x3::new(&name, weight, bias, inputs, out)?);
                } else {
                    let finish = Finish { relu: true, pool: index + 1 == convolutions.len() };
                    rest.push((TrainableConv3x3::new(&name, weight, bias, inputs, out)?, finish));
                }
            }
        }
        let mut last = Dense::new("last", 512, 1, &mut || 0.5);
        last.params_mut()[0].value.fill(1.0 / 512.0);
        Ok(Training {
            images: (0..batch).map(|image| drawing(image, side)).collect(),
            target: (0..batch).map(|i| 2.0 * i as f32 / (batch - 1).max(1) as f32 - 1.0).collect(),
            frozen: if frozen { Some(Vgg16::from_safetensors(&bytes)?) } else { None },
            first,
            rest,
            last,
            adam: Adam::new(AdamConfig { learning_rate: LEARNING_RATE, ..AdamConfig::default() }),
            losses: Vec::new(),
        })
    }

    /// Up to what the first trained convolution of 16 channels and more reads.
    fn begin(&self) -> Result<(Blocked, Begun)> {
        let images: Vec<&Plane> = self.images.iter().collect();
        if let Some(frozen) = &self.frozen {
            let f = frozen.features_after(&images, BEFORE_BLOCK_5)?;
            return Ok((Blocked::from_nhwc(&f.values, f.batch, f.channels, f.height, f.width), None));
        }
        let first = self.first.as_ref().context("nothing is frozen")?;
        let mut colours = Vec::with_capacity(3 * images.len() * images[0].pixels().len());
        for image in &images {
            for mean in [103.939, 116.779, 123.68] {
                colours.extend(image.pixels().iter().map(|grey| grey - mean));
            }
        }
        let size = [images.len(), images[0].height(), images[0].width()];
        let (maps, passed) = first.forward_train(&colours, size, true)?;
        Ok((maps, Some((colours, passed))))
    }

    fn step(&mut self) -> Result<f32> {
        let (mut maps, begun) = self.begin()?;
        let mut kept: Vec<Kept> = Vec::with_capacity(self.rest.len());
        for (convolution, finish) in &self.rest {
            let (output, passed) = convolution.forward_train(&maps, *finish)?;
            kept.push((std::mem::replace(&mut maps, output), passed));
        }
        let (batch, positions, channels) = (maps.batch(), maps.height() * maps.width(), maps.channels());

        let features = maps.to_nhwc();
        let mut pooled = vec![0.0f32; batch * channels];
        for (pooled, features) in
            pooled.chunks_exact_mut(channels).zip(features.chunks_exact(positions * channels))
        {
            for pixel in features.chunks_exact(channels) {
                pooled.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value / positions as f32);
            }
        }
        let (mut value, mut grad) = (vec![0.0; batch], vec![0.0; batch]);
        self.last.forward(&pooled, &mut value);
        let loss = Loss::Mse.evaluate(&value, &self.target, &mut grad);
        self.last.backward_parameters(&pooled, &grad);
        let mut grad_pooled = vec![0.0; batch * channels];
        self.last.backward_input(&grad, &mut grad_pooled);
        let spread: Vec<f32> = grad_pooled
            .chunks_exact(channels)
            .flat_map(|row| {
                row.iter().map(|grad| grad / positions as f32).collect::<Vec<_>>().repeat(positions)
            })
            .collect();

        let mut grad = Blocked::from_nhwc(&spread, batch, channels, maps.height(), maps.width());
        drop(maps);
        for (index, ((convolution, _), (input, passed))) in self.rest.iter_mut().zip(kept).enumerate().rev() {
            let wanted = index > 0 || begun.is_some();
            if let Some(below) = convolution.backward(&input, &passed, &grad, wanted)? {
                grad = below;
            }
        }
        if let (Some(first), Some((colours, passed))) = (&mut self.first, begun) {
            first.backward(&colours, &passed, &grad)?;
        }
        let mut params: Vec<_> = self.first.iter_mut().flat_map(TrainableDirectConv3x3::params_mut).collect();
        params.extend(self.rest.iter_mut().flat_map(|(convolution, _)| convolution.params_mut()));
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
