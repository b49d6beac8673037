use super::convolution::{check_lengths, padded};
use super::direct::{DirectConv3x3, direct_weight_gradient};
use super::finish_gradient::Passed;
use super::kernels::DirectImage;
use super::tiles::{self, Finish};
use super::transformed_weights::{Direction, TransformedWeights};
use super::weight_gradient::weight_gradient;
use crate::blocked::Blocked;
use crate::buffer::{Buffer, LINE};
use crate::error::NnError;
use crate::param::Param;
use crate::simd::Isa;
use std::sync::OnceLock;

/// A 3x3 convolution that learns; forward as [`Conv3x3`](crate::Conv3x3), all passes by Winograd.
///
/// With `g` the gradient in the convolution's sums (the one in the output, past pool and ReLU),
///
/// ```text
/// dx[c] = sum over k of g[k] convolved with weight[k, c] turned by half a circle
/// dweight[k, c, tap] = sum over images and pixels p of x[c, p + tap] g[k, p]
/// dbias[k] = sum over images and pixels p of g[k, p]
/// ```
///
/// The weights are transformed when they are first used, and again after [`params_mut`](Self::params_mut)
/// has given them out to be changed.
pub struct TrainableConv3x3 {
    weight: Param,
    bias: Param,
    isa: Isa,
    /// What the forward pass computes with, made from the parameters on first use.
    ready: OnceLock<(TransformedWeights, Buffer)>,
}

impl Clone for TrainableConv3x3 {
    /// The same parameters; the copy transforms them itself when it is first used.
    fn clone(&self) -> Self {
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        Self { weight, bias, isa: self.isa, ready: OnceLock::new() }
    }
}

impl TrainableConv3x3 {
    /// A layer called `name` from weights `[out, in, 3, 3]` and bias `[out]`; its parameters are called
    /// `name.weight` and `name.bias`.
    ///
    /// # Errors
    /// When an array has another length.
    pub fn new(
        name: &str,
        weight: Vec<f32>,
        bias: Vec<f32>,
        in_channels: usize,
        out_channels: usize,
    ) -> Result<Self, NnError> {
        Self::with_isa(name, weight, bias, [in_channels, out_channels], Isa::detect())
    }

    /// The same for one instruction set and `[in, out]` channels.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// When the processor lacks the set.
    pub fn with_isa(
        name: &str,
        weight: Vec<f32>,
        bias: Vec<f32>,
        channels: [usize; 2],
        isa: Isa,
    ) -> Result<Self, NnError> {
        check_lengths(&weight, &bias, channels)?;
        isa.assert_available();
        let [in_channels, out_channels] = channels;
        Ok(Self {
            weight: Param::new(format!("{name}.weight"), &[out_channels, in_channels, 3, 3], weight),
            bias: Param::new(format!("{name}.bias"), &[out_channels], bias),
            isa,
            ready: OnceLock::new(),
        })
    }

    /// Channels of the input and of the output.
    pub fn channels(&self) -> [usize; 2] {
        [self.weight.shape[1], self.weight.shape[0]]
    }

    /// Weights `[out, in, 3, 3]`, then bias `[out]`.
    pub fn params(&self) -> [&Param; 2] {
        [&self.weight, &self.bias]
    }

    /// The same, to be changed; the next pass transforms the weights anew.
    pub fn params_mut(&mut self) -> [&mut Param; 2] {
        self.ready.take();
        [&mut self.weight, &mut self.bias]
    }

    /// `[batch, in, height, width]` to `[batch, out, height, width]`, or half the size when pooled.
    ///
    /// # Errors
    /// When `x` has another number of channels.
    pub fn forward(&self, x: &Blocked, finish: Finish) -> Result<Blocked, NnError> {
        self.pass(x, finish, None)
    }

    /// The same, for a step of training: the second value is for [`backward`](Self::backward).
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_train(&self, x: &Blocked, finish: Finish) -> Result<(Blocked, Passed), NnError> {
        let mut passed = None;
        let y = self.pass(x, finish, Some(&mut passed))?;
        Ok((y, passed.expect("a pass that is asked to keeps what it passed")))
    }

    fn pass(
        &self,
        x: &Blocked,
        finish: Finish,
        passed: Option<&mut Option<Passed>>,
    ) -> Result<Blocked, NnError> {
        let [in_channels, out_channels] = self.channels();
        NnError::check_length("channels of the convolution's input", x.channels(), in_channels)?;
        let (weights, bias) = self.ready.get_or_init(|| {
            let (weight, channels) = (&self.weight.value, self.channels());
            let weights = TransformedWeights::new(weight, channels, Direction::Forward, self.isa);
            (weights, padded(&self.bias.value))
        });
        let (height, width) = finish.size(x.height(), x.width());
        let mut y = Blocked::stale(x.batch(), out_channels, height, width);
        let passed = passed.map(|slot| slot.insert(Passed::new(&y, finish, [x.height(), x.width()])));
        let choices = passed.and_then(|passed| passed.choices_mut());
        tiles::forward(weights, bias.as_slice(), x, finish, &mut y, choices);
        Ok(y)
    }

    /// Sets the gradients of weights and bias for `dy`, the gradient in the output, with the input and the
    /// second result of the forward pass; returns the gradient in the input where `want_dx`.
    ///
    /// # Errors
    /// When `x` or `dy` have other shapes than in the forward pass.
    pub fn backward(
        &mut self,
        x: &Blocked,
        passed: &Passed,
        dy: &Blocked,
        want_dx: bool,
    ) -> Result<Option<Blocked>, NnError> {
        let [in_channels, out_channels] = self.channels();
        passed.check_input(x.batch(), x.height(), x.width())?;
        NnError::check_length("channels of the convolution's input", x.channels(), in_channels)?;
        let before = passed.backward(dy, self.isa, &mut self.bias.grad)?;
        let g = before.as_ref().unwrap_or(dy);
        weight_gradient(x, g, self.isa, &mut self.weight.grad);
        if !want_dx {
            return Ok(None);
        }
        let (weight, channels) = (&self.weight.value, [in_channels, out_channels]);
        let turned = TransformedWeights::new(weight, channels, Direction::InputGradient, self.isa);
        let mut dx = Blocked::stale(x.batch(), in_channels, x.height(), x.width());
        let no_bias = Buffer::zeroed(in_channels.next_multiple_of(LINE));
        tiles::forward(
            &turned,
            &no_bias.as_slice()[..dx.blocks() * LINE],
            g,
            Finish::default(),
            &mut dx,
            None,
        );
        Ok(Some(dx))
    }
}

/// The first layer, with plain input of few channels, that learns; forward as
/// [`DirectConv3x3`](crate::DirectConv3x3).
///
/// Gradients as for [`TrainableConv3x3`], computed as they are defined. There is none in the image.
pub struct TrainableDirectConv3x3 {
    weight: Param,
    bias: Param,
    isa: Isa,
    ready: OnceLock<DirectConv3x3>,
}

impl Clone for TrainableDirectConv3x3 {
    fn clone(&self) -> Self {
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        Self { weight, bias, isa: self.isa, ready: OnceLock::new() }
    }
}

impl TrainableDirectConv3x3 {
    /// A layer called `name` from weights `[out, in, 3, 3]` and bias `[out]`.
    ///
    /// # Errors
    /// When an array has another length.
    pub fn new(
        name: &str,
        weight: Vec<f32>,
        bias: Vec<f32>,
        in_channels: usize,
        out_channels: usize,
    ) -> Result<Self, NnError> {
        Self::with_isa(name, weight, bias, [in_channels, out_channels], Isa::detect())
    }

    /// The same for one instruction set and `[in, out]` channels.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// When the processor lacks the set.
    pub fn with_isa(
        name: &str,
        weight: Vec<f32>,
        bias: Vec<f32>,
        channels: [usize; 2],
        isa: Isa,
    ) -> Result<Self, NnError> {
        let TrainableConv3x3 { weight, bias, isa, .. } =
            TrainableConv3x3::with_isa(name, weight, bias, channels, isa)?;
        Ok(Self { weight, bias, isa, ready: OnceLock::new() })
    }

    /// Channels of the input and of the output.
    pub fn channels(&self) -> [usize; 2] {
        [self.weight.shape[1], self.weight.shape[0]]
    }

    /// Weights `[out, in, 3, 3]`, then bias `[out]`.
    pub fn params(&self) -> [&Param; 2] {
        [&self.weight, &self.bias]
    }

    /// The same, to be changed.
    pub fn params_mut(&mut self) -> [&mut Param; 2] {
        self.ready.take();
        [&mut self.weight, &mut self.bias]
    }

    /// Plain `[batch, in, height, width]` of the given batch, height and width to blocked
    /// `[batch, out, height, width]`.
    ///
    /// # Errors
    /// When `x` has another length.
    pub fn forward(
        &self,
        x: &[f32],
        [batch, height, width]: [usize; 3],
        relu: bool,
    ) -> Result<Blocked, NnError> {
        self.ready().forward(x, batch, height, width, relu)
    }

    /// The same, for a step of training: the second value is for [`backward`](Self::backward).
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_train(
        &self,
        x: &[f32],
        [batch, height, width]: [usize; 3],
        relu: bool,
    ) -> Result<(Blocked, Passed), NnError> {
        self.ready().forward_train(x, [batch, height, width], relu)
    }

    fn ready(&self) -> &DirectConv3x3 {
        self.ready.get_or_init(|| {
            let [in_channels, out_channels] = self.channels();
            DirectConv3x3::with_isa(&self.weight.value, &self.bias.value, in_channels, out_channels, self.isa)
                .expect("the parameters have the lengths of their shapes")
        })
    }

    /// Sets the gradients of weights and bias for `dy`, the gradient in the output, with the input and the
    /// second result of the forward pass.
    ///
    /// # Errors
    /// When the shapes are not those of the forward pass.
    pub fn backward(&mut self, x: &[f32], passed: &Passed, dy: &Blocked) -> Result<(), NnError> {
        let [channels, _] = self.channels();
        let (height, width) = (dy.height(), dy.width());
        NnError::check_length("the convolution's input", x.len(), dy.batch() * channels * height * width)?;
        let before = passed.backward(dy, self.isa, &mut self.bias.grad)?;
        let image = DirectImage { pixels: x, channels, height, width, lanes: 1 };
        direct_weight_gradient(image, before.as_ref().unwrap_or(dy), self.isa, &mut self.weight.grad);
        Ok(())
    }
}
