use boneage_nn::{Blocked, Param, Passed, TrainableConv3x3, TrainableDirectConv3x3};
use bytes::Bytes;
use safetensors::SafeTensors;

use crate::NetsError;
use crate::named_tensor::{NamedShape, NamedTensor, matched, shape_of};
use crate::vgg16::{Features, VGG16_BLOCKS, VggLayer, colours, features_of};
use crate::weights::WeightsFile;

/// The last convolutions of VGG16, to be trained: what lies between the frozen ones and the head.
///
/// Inputs are what the frozen convolutions give, `[n, height, width, channels]`; where none is frozen, the
/// greys of the images, 0..255, as one channel.
#[derive(Clone)]
pub struct VggTail {
    /// The very first convolution, where it is trained too.
    first: Option<TrainableDirectConv3x3>,
    rest: Vec<(VggLayer, TrainableConv3x3)>,
}

/// What [`VggTail::backward`] needs from [`VggTail::forward`].
pub struct TailTrace {
    /// Greys in three colours, `[n, 3, height, width]`, and what the first convolution passed.
    first: Option<(Vec<f32>, Passed)>,
    /// Input of each other convolution and what it passed.
    rest: Vec<(Blocked, Passed)>,
    output: Blocked,
}

impl TailTrace {
    /// The features, `[n, height, width, channels]`.
    pub fn features(&self) -> Vec<f32> {
        self.output.to_nhwc()
    }
}

impl VggTail {
    /// All convolutions but the first `frozen`, from the safetensors file of the whole VGG16.
    ///
    /// # Errors
    /// When the file lacks a tensor or holds one of another shape.
    pub fn from_safetensors(bytes: &[u8], frozen: usize) -> Result<Self, NetsError> {
        let file = WeightsFile::new(Bytes::copy_from_slice(bytes));
        let tensors = SafeTensors::deserialize(file.bytes())?;
        let (mut first, mut rest) = (None, Vec::new());
        for (index, layer) in VggLayer::all().into_iter().enumerate().skip(frozen) {
            let weights = layer.read(&file, &tensors)?;
            if index == 0 {
                first = Some(weights.trainable_direct(&layer.name));
            } else {
                let convolution = weights.trainable(&layer.name);
                rest.push((layer, convolution));
            }
        }
        Ok(VggTail { first, rest })
    }

    /// How many convolutions are trained.
    pub(crate) fn convolutions(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// Names and shapes of the tensors of all convolutions but the first `frozen`.
    pub fn shapes(frozen: usize) -> Vec<(String, Vec<usize>)> {
        VggLayer::all().iter().skip(frozen).flat_map(VggLayer::shapes).collect()
    }

    /// What the convolutions give for `inputs` `[n, height, width, channels]` with `map`
    /// `[height, width, channels]`.
    ///
    /// # Errors
    /// When the map has other channels than the first convolution reads.
    pub fn features(&self, inputs: &[f32], map: [usize; 3]) -> Result<Features, NetsError> {
        let [height, width, channels] = map;
        let batch = batch_of(inputs, map)?;
        let mut maps = match &self.first {
            Some(first) => {
                first.forward(&colours(inputs.to_vec(), height * width), [batch, height, width], true)?
            }
            None => Blocked::from_nhwc(inputs, batch, channels, height, width),
        };
        for (layer, convolution) in &self.rest {
            maps = convolution.forward(&maps, layer.finish)?;
        }
        Ok(features_of(&maps))
    }

    /// `[height, width, channels]` of the features for inputs of `map`.
    pub fn features_map(&self, [mut height, mut width, mut channels]: [usize; 3]) -> [usize; 3] {
        if self.first.is_some() {
            channels = VGG16_BLOCKS[0][0];
        }
        for (layer, _) in &self.rest {
            channels = layer.outputs;
            if layer.finish.pool {
                (height, width) = (height / 2, width / 2);
            }
        }
        [height, width, channels]
    }

    /// As [`features`](Self::features), with everything kept that [`backward`](Self::backward) needs.
    ///
    /// # Errors
    /// As [`features`](Self::features).
    pub fn forward(&self, inputs: &[f32], map: [usize; 3]) -> Result<TailTrace, NetsError> {
        let [height, width, channels] = map;
        let batch = batch_of(inputs, map)?;
        let (mut maps, first) = match &self.first {
            Some(first) => {
                let image = colours(inputs.to_vec(), height * width);
                let (maps, passed) = first.forward_train(&image, [batch, height, width], true)?;
                (maps, Some((image, passed)))
            }
            None => (Blocked::from_nhwc(inputs, batch, channels, height, width), None),
        };
        let mut rest = Vec::with_capacity(self.rest.len());
        for (layer, convolution) in &self.rest {
            let (output, passed) = convolution.forward_train(&maps, layer.finish)?;
            rest.push((std::mem::replace(&mut maps, output), passed));
        }
        Ok(TailTrace { first, rest, output: maps })
    }

    /// Sets the gradients of all convolutions for `grad` `[n, height, width, channels]`, the gradient in the
    /// features of `trace`.
    ///
    /// # Errors
    /// When the convolutions are not those of the forward pass.
    pub fn backward(&mut self, trace: TailTrace, grad: &[f32]) -> Result<(), NetsError> {
        let TailTrace { first, rest, output } = trace;
        let (batch, channels, height, width) =
            (output.batch(), output.channels(), output.height(), output.width());
        drop(output);
        let mut grad = Blocked::from_nhwc(grad, batch, channels, height, width);
        for (index, ((_, convolution), (input, passed))) in self.rest.iter_mut().zip(rest).enumerate().rev() {
            // Nothing below the frozen convolutions asks for a gradient.
            let wanted = index > 0 || self.first.is_some();
            match convolution.backward(&input, &passed, &grad, wanted)? {
                Some(below) => grad = below,
                None => return Ok(()),
            }
        }
        if let (Some(convolution), Some((image, passed))) = (&mut self.first, first) {
            convolution.backward(&image, &passed, &grad)?;
        }
        Ok(())
    }

    /// The trained convolutions' parameters, from the image on, weights before bias.
    pub fn params_mut(&mut self) -> impl Iterator<Item = &mut Param> {
        let first = self.first.iter_mut().flat_map(TrainableDirectConv3x3::params_mut);
        first.chain(self.rest.iter_mut().flat_map(|(_, convolution)| convolution.params_mut()))
    }

    fn params(&self) -> impl Iterator<Item = &Param> {
        let first = self.first.iter().flat_map(TrainableDirectConv3x3::params);
        first.chain(self.rest.iter().flat_map(|(_, convolution)| convolution.params()))
    }

    pub(crate) fn named_shapes(&self) -> Vec<NamedShape> {
        self.params().map(shape_of).collect()
    }

    /// Weights and biases by name.
    pub fn state(&self) -> Vec<NamedTensor> {
        self.params().map(NamedTensor::of).collect()
    }

    /// Takes over a state, whose tensors may come in any order.
    ///
    /// # Errors
    /// When a tensor is missing, unknown or of another shape; the tail is then as it was.
    pub fn load_state(&mut self, state: &[NamedTensor]) -> Result<(), NetsError> {
        let ordered = matched(&self.named_shapes(), state, "the trained convolutions")?;
        for (param, tensor) in self.params_mut().zip(ordered) {
            param.value.copy_from_slice(&tensor.values);
        }
        Ok(())
    }
}

/// How many maps of `[height, width, channels]` the inputs are.
fn batch_of(inputs: &[f32], map: [usize; 3]) -> Result<usize, NetsError> {
    let one = map.iter().product::<usize>();
    match inputs.len().checked_div(one) {
        Some(batch) if batch * one == inputs.len() => Ok(batch),
        _ => Err(NetsError::Inputs { length: inputs.len(), map }),
    }
}
