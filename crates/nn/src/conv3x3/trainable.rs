use super::convolution::padded;
use super::direct::{DirectConv3x3, direct_weight_gradient};
use super::finish_gradient::Passed;
use super::kernels::DirectImage;
use super::tiles::{self, Finish, PassWeights};
use super::transformed_weights::{Direction, WeightSource};
use super::weight_gradient::weight_gradient;
use super::weights::Weights3x3;
use crate::blocked::Blocked;
use crate::buffer::{Buffer, LINE};
use crate::error::NnError;
use crate::param::Param;
use crate::simd::Isa;

/// A 3x3 convolution that learns; forward as [`Conv3x3`](crate::Conv3x3), all passes by Winograd. Made by
/// [`Weights3x3::trainable`].
///
/// With `g` the gradient in the convolution's sums (the one in the output, past pool and ReLU),
///
/// ```text
/// dx[c] = sum over k of g[k] convolved with weight[k, c] turned by half a circle
/// dweight[k, c, tap] = sum over images and pixels p of x[c, p + tap] g[k, p]
/// dbias[k] = sum over images and pixels p of g[k, p]
/// ```
///
/// As the weights change after each step, every pass transforms them where it uses them.
#[derive(Clone)]
pub struct TrainableConv3x3(Learned);

/// The first layer, with plain input of few channels, that learns; forward as
/// [`DirectConv3x3`](crate::DirectConv3x3). Made by [`Weights3x3::trainable_direct`].
///
/// Gradients as for [`TrainableConv3x3`], computed as they are defined. There is none in the image.
#[derive(Clone)]
pub struct TrainableDirectConv3x3(Learned);

/// What either of them learns.
#[derive(Clone)]
struct Learned {
    weight: Param,
    bias: Param,
    isa: Isa,
}

impl Learned {
    fn new(name: &str, layer: Weights3x3<'_>) -> Self {
        let Weights3x3 { weights, bias, channels: [in_channels, out_channels], isa } = layer;
        isa.assert_available();
        let shape = [out_channels, in_channels, 3, 3];
        Self {
            weight: Param::new(format!("{name}.weight"), &shape, weights.widened()),
            bias: Param::new(format!("{name}.bias"), &shape[..1], bias.into_owned()),
            isa,
        }
    }

    /// In and out.
    fn channels(&self) -> [usize; 2] {
        [self.weight.shape[1], self.weight.shape[0]]
    }
}

impl TrainableConv3x3 {
    pub(super) fn new(name: &str, layer: Weights3x3<'_>) -> Self {
        Self(Learned::new(name, layer))
    }

    /// Weights `[out, in, 3, 3]`, then bias `[out]`.
    pub fn params(&self) -> [&Param; 2] {
        [&self.0.weight, &self.0.bias]
    }

    /// The same, to be changed.
    pub fn params_mut(&mut self) -> [&mut Param; 2] {
        [&mut self.0.weight, &mut self.0.bias]
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
        let [in_channels, out_channels] = self.0.channels();
        NnError::check_length("channels of the convolution's input", x.channels(), in_channels)?;
        let (height, width) = finish.size(x.height(), x.width());
        let mut y = Blocked::stale(x.batch(), out_channels, height, width);
        let passed = passed.map(|slot| slot.insert(Passed::new(&y, finish, [x.height(), x.width()])));
        let choices = passed.and_then(|passed| passed.choices_mut());
        let weights = self.source(Direction::Forward);
        let bias = padded(&self.0.bias.value);
        tiles::forward(PassWeights::Streamed(&weights), bias.as_slice(), x, finish, &mut y, choices);
        Ok(y)
    }

    fn source(&self, direction: Direction) -> WeightSource<'_> {
        WeightSource::new(&self.0.weight.value, self.0.channels(), direction, self.0.isa)
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
        let [in_channels, _] = self.0.channels();
        passed.check_input(x.batch(), x.height(), x.width())?;
        NnError::check_length("channels of the convolution's input", x.channels(), in_channels)?;
        let before = passed.backward(dy, self.0.isa, &mut self.0.bias.grad)?;
        let g = before.as_ref().unwrap_or(dy);
        weight_gradient(x, g, self.0.isa, &mut self.0.weight.grad);
        if !want_dx {
            return Ok(None);
        }
        let turned = self.source(Direction::InputGradient);
        let mut dx = Blocked::stale(x.batch(), in_channels, x.height(), x.width());
        let no_bias = Buffer::zeroed(in_channels.next_multiple_of(LINE));
        tiles::forward(
            PassWeights::Streamed(&turned),
            &no_bias.as_slice()[..dx.blocks() * LINE],
            g,
            Finish::default(),
            &mut dx,
            None,
        );
        Ok(Some(dx))
    }
}

impl TrainableDirectConv3x3 {
    pub(super) fn new(name: &str, layer: Weights3x3<'_>) -> Self {
        Self(Learned::new(name, layer))
    }

    /// Weights `[out, in, 3, 3]`, then bias `[out]`.
    pub fn params(&self) -> [&Param; 2] {
        [&self.0.weight, &self.0.bias]
    }

    /// The same, to be changed.
    pub fn params_mut(&mut self) -> [&mut Param; 2] {
        [&mut self.0.weight, &mut self.0.bias]
    }

    /// Plain `[batch, in, height, width]` of `size` `[batch, height, width]` to blocked
    /// `[batch, out, height, width]`.
    ///
    /// # Errors
    /// When `x` has another length.
    pub fn forward(&self, x: &[f32], size: [usize; 3], relu: bool) -> Result<Blocked, NnError> {
        self.layer()?.forward(x, size, relu)
    }

    /// The same, for a step of training: the second value is for [`backward`](Self::backward).
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_train(
        &self,
        x: &[f32],
        size: [usize; 3],
        relu: bool,
    ) -> Result<(Blocked, Passed), NnError> {
        self.layer()?.forward_train(x, size, relu)
    }

    /// Its few weights, in the order of the kernel, cost nothing beside a pass.
    fn layer(&self) -> Result<DirectConv3x3, NnError> {
        let Learned { weight, bias, isa } = &self.0;
        Ok(Weights3x3::new(&weight.value, &bias.value, self.0.channels())?.on(*isa).direct())
    }

    /// Sets the gradients of weights and bias for `dy`, the gradient in the output, with the input and the
    /// second result of the forward pass.
    ///
    /// # Errors
    /// When the shapes are not those of the forward pass.
    pub fn backward(&mut self, x: &[f32], passed: &Passed, dy: &Blocked) -> Result<(), NnError> {
        let [channels, _] = self.0.channels();
        let (height, width) = (dy.height(), dy.width());
        NnError::check_length("the convolution's input", x.len(), dy.batch() * channels * height * width)?;
        let before = passed.backward(dy, self.0.isa, &mut self.0.bias.grad)?;
        let image = DirectImage { pixels: x, channels, height, width, lanes: 1 };
        direct_weight_gradient(image, before.as_ref().unwrap_or(dy), self.0.isa, &mut self.0.weight.grad);
        Ok(())
    }
}
