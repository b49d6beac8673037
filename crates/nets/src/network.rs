use boneage_core::Stream;
use boneage_nn::{Loss, Param};

use crate::named_tensor::{NamedTensor, matched};
use crate::{Head, HeadConfig, HeadOutput, Layer, NetsError, VGG16_CONVOLUTIONS, VggTail, vgg16_layers};

/// Samples that [`Network::predict`] takes through the tail at a time: bounds its memory.
const PREDICT_BATCH: usize = 8;

/// Everything that is trained: a head, and below it the last convolutions of the backbone, where those
/// are not frozen.
///
/// ```text
/// what the frozen convolutions gave [n, h, w, c] -> tail, where there is one -> features -> head -> value [n]
/// ```
///
/// The paper names three ways of transfer (section IV.B.2). With all convolutions frozen and a new head
/// this is its third, the one that its table reports; with none frozen the first; between them the second.
#[derive(Clone)]
pub struct Network {
    tail: Option<VggTail>,
    head: Head,
}

impl Network {
    /// A network whose inputs are what the layers below `tail`, or without one below `head`, give.
    pub fn new(tail: Option<VggTail>, head: Head) -> Self {
        Self { tail, head }
    }

    /// A head with initial values drawn from `seed` on a tail as it was pretrained.
    ///
    /// # Panics
    /// As [`Head::new`].
    pub fn initial(tail: Option<VggTail>, config: HeadConfig, seed: u64) -> Self {
        Self::new(tail, Head::new(config, seed))
    }

    /// The part above the features.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The trained convolutions, where there are any.
    pub fn tail(&self) -> Option<&VggTail> {
        self.tail.as_ref()
    }

    /// As [`Head::predict`], from `inputs` `[n, height, width, channels]` with `map` `[height, width, channels]`.
    ///
    /// # Errors
    /// When the map does not suit the tail.
    ///
    /// # Panics
    /// As [`Head::predict`].
    pub fn predict(&self, inputs: &[f32], map: [usize; 3], sex: &[f32]) -> Result<HeadOutput, NetsError> {
        let Some(tail) = &self.tail else { return Ok(self.head.predict(inputs, sex)) };
        let mut features = Vec::new();
        for inputs in inputs.chunks(PREDICT_BATCH * map.iter().product::<usize>().max(1)) {
            features.extend(tail.features(inputs, map)?.values);
        }
        Ok(self.head.predict(&features, sex))
    }

    /// One step of training, forward and backward, as [`Head::forward_backward`], from `inputs`
    /// `[n, height, width, channels]` with `map` `[height, width, channels]`.
    ///
    /// # Errors
    /// When the map does not suit the tail.
    ///
    /// # Panics
    /// As [`Head::forward_backward`].
    pub fn forward_backward(
        &mut self,
        inputs: &[f32],
        map: [usize; 3],
        sex: &[f32],
        target: &[f32],
        loss: Loss,
        random: &mut Stream,
    ) -> Result<f32, NetsError> {
        let Some(tail) = &mut self.tail else {
            return Ok(self.head.forward_backward(inputs, sex, target, loss, random));
        };
        let trace = tail.forward(inputs, map)?;
        let features = trace.features();
        let mut grad = vec![0.0; features.len()];
        let loss = self.head.forward_backward_through(&features, sex, target, loss, random, Some(&mut grad));
        tail.backward(trace, &grad)?;
        Ok(loss)
    }

    /// The head's trainable parameters, always in the same order.
    pub fn head_params_mut(&mut self) -> Vec<&mut Param> {
        self.head.params_mut()
    }

    /// The tail's, likewise; none without a tail.
    pub fn tail_params_mut(&mut self) -> Vec<&mut Param> {
        self.tail.iter_mut().flat_map(VggTail::params_mut).collect()
    }

    /// All layers for images of `side` x `side` pixels, from the image on: VGG16, the part below the tail
    /// frozen, then the head.
    pub fn layers(&self, side: usize) -> Vec<Layer> {
        let tuned = self.tail.as_ref().map_or(0, VggTail::convolutions);
        let mut layers = vgg16_layers(side, VGG16_CONVOLUTIONS - tuned);
        layers.extend(self.head.layers());
        layers
    }

    /// All that makes this network what it is: head, then tail.
    pub fn state(&self) -> Vec<NamedTensor> {
        let tail = self.tail.iter().flat_map(VggTail::state);
        self.head.state().into_iter().chain(tail).collect()
    }

    /// Takes over a state, whose tensors may come in any order.
    ///
    /// # Errors
    /// When a tensor is missing, unknown or of another shape; the network is then as it was.
    pub fn load_state(&mut self, state: &[NamedTensor]) -> Result<(), NetsError> {
        let network = if self.tail.is_some() { "a head and its trained convolutions" } else { "a head" };
        let mut shapes = self.head.shapes();
        let of_head = shapes.len();
        shapes.extend(self.tail.iter().flat_map(VggTail::named_shapes));
        let ordered = matched(&shapes, state, network)?;
        let (head, tail) = ordered.split_at(of_head);
        let owned = |tensors: &[&NamedTensor]| tensors.iter().map(|&t| t.clone()).collect::<Vec<_>>();
        self.head.load_state(&owned(head))?;
        match &mut self.tail {
            Some(net) => net.load_state(&owned(tail)),
            None => Ok(()),
        }
    }
}
