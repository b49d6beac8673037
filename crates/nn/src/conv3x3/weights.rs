use super::convolution::Conv3x3;
use super::direct::DirectConv3x3;
use super::trainable::{TrainableConv3x3, TrainableDirectConv3x3};
use crate::error::NnError;
use crate::simd::{Isa, Simd};
use bytes::Bytes;
use half::f16;
use std::borrow::Cow;

/// Weights `[out, in, 3, 3]` as a file or a parameter holds them.
#[derive(Clone, Debug)]
pub enum StoredWeights<'a> {
    /// As f32.
    Full(Cow<'a, [f32]>),
    /// As f16, little-endian, two bytes each; they may begin at any byte.
    Half(Bytes),
}

impl StoredWeights<'_> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.numbers().len()
    }

    /// All of them as f32.
    pub fn widened(self) -> Vec<f32> {
        match self {
            StoredWeights::Full(values) => values.into_owned(),
            StoredWeights::Half(bytes) => {
                bytes.as_chunks::<2>().0.iter().map(|&pair| f16::from_le_bytes(pair).to_f32()).collect()
            }
        }
    }

    pub(super) fn numbers(&self) -> Numbers<'_> {
        match self {
            StoredWeights::Full(values) => Numbers::Full(values),
            StoredWeights::Half(bytes) => Numbers::Half(bytes),
        }
    }
}

impl<'a> From<&'a [f32]> for StoredWeights<'a> {
    fn from(values: &'a [f32]) -> Self {
        StoredWeights::Full(values.into())
    }
}

impl<'a> From<&'a Vec<f32>> for StoredWeights<'a> {
    fn from(values: &'a Vec<f32>) -> Self {
        StoredWeights::Full(values.into())
    }
}

impl From<Vec<f32>> for StoredWeights<'_> {
    fn from(values: Vec<f32>) -> Self {
        StoredWeights::Full(values.into())
    }
}

/// The numbers alone, as kernels read them.
#[derive(Clone, Copy)]
pub(crate) enum Numbers<'a> {
    Full(&'a [f32]),
    /// Little-endian f16.
    Half(&'a [u8]),
}

impl<'a> Numbers<'a> {
    pub(crate) fn len(self) -> usize {
        match self {
            Numbers::Full(values) => values.len(),
            Numbers::Half(bytes) => bytes.len() / 2,
        }
    }

    /// Those from `start` on.
    pub(crate) fn starting_at(self, start: usize) -> Numbers<'a> {
        match self {
            Numbers::Full(values) => Numbers::Full(&values[start..]),
            Numbers::Half(bytes) => Numbers::Half(&bytes[2 * start..]),
        }
    }

    /// A register of them.
    ///
    /// # Safety
    /// The instruction set of `S` is present; there are `S::LANES` numbers from `index` on.
    #[inline(always)]
    pub(crate) unsafe fn load<S: Simd>(self, index: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Numbers::Full(values) => S::load(values.as_ptr().add(index)),
                Numbers::Half(bytes) => S::load_halves(bytes.as_ptr().add(2 * index)),
            }
        }
    }

    /// One of them.
    ///
    /// # Safety
    /// There is a number at `index`.
    #[inline(always)]
    pub(crate) unsafe fn at(self, index: usize) -> f32 {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Numbers::Full(values) => *values.get_unchecked(index),
                Numbers::Half(bytes) => {
                    f16::from_le_bytes(bytes.as_ptr().add(2 * index).cast::<[u8; 2]>().read()).to_f32()
                }
            }
        }
    }
}

/// Weights and bias of a 3x3 convolution, of which each kind of layer is made.
///
/// ```
/// use boneage_nn::{Blocked, Finish, Weights3x3};
///
/// let weights = Weights3x3::new(vec![0.1; 18], vec![0.0; 2], [1, 2])?;
/// let x = Blocked::from_nhwc(&[1.0; 16], 1, 1, 4, 4);
/// let often = weights.clone().prepared().forward(&x, Finish::default())?;
/// let once = weights.streamed().forward(&x, Finish::default())?;
/// assert_eq!(often.to_nchw(), once.to_nchw());
/// # Ok::<(), boneage_nn::NnError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Weights3x3<'a> {
    pub(super) weights: StoredWeights<'a>,
    pub(super) bias: Cow<'a, [f32]>,
    /// In and out.
    pub(super) channels: [usize; 2],
    pub(super) isa: Isa,
}

impl<'a> Weights3x3<'a> {
    /// Weights `[out, in, 3, 3]` and bias `[out]` for `channels` `[in, out]`, to be computed with the best
    /// instruction set at hand.
    ///
    /// # Errors
    /// When an array has another length.
    pub fn new(
        weights: impl Into<StoredWeights<'a>>,
        bias: impl Into<Cow<'a, [f32]>>,
        channels: [usize; 2],
    ) -> Result<Self, NnError> {
        let (weights, bias, [in_channels, out_channels]) = (weights.into(), bias.into(), channels);
        NnError::check_length("convolution weights", weights.count(), out_channels * in_channels * 9)?;
        NnError::check_length("convolution bias", bias.len(), out_channels)?;
        Ok(Weights3x3 { weights, bias, channels, isa: Isa::detect() })
    }

    /// The same for one instruction set.
    ///
    /// # Panics
    /// When the processor lacks the set.
    pub fn on(self, isa: Isa) -> Self {
        isa.assert_available();
        Weights3x3 { isa, ..self }
    }

    /// A layer that has its weights transformed, 36 floats a kernel: for many images.
    pub fn prepared(self) -> Conv3x3 {
        Conv3x3::prepared(self)
    }

    /// A layer that computes as it is defined, several times slower: each output is a plain sum of products
    /// in f32. For holding the fast path against.
    pub fn exact(self) -> Conv3x3 {
        Conv3x3::exact(self)
    }

    /// A layer for plain images of few channels, computed as it is defined.
    pub fn direct(self) -> DirectConv3x3 {
        DirectConv3x3::new(self)
    }

    /// A layer that learns, called `name`; its parameters are `name.weight` and `name.bias`.
    pub fn trainable(self, name: &str) -> TrainableConv3x3 {
        TrainableConv3x3::new(name, self)
    }

    /// The same for plain images of few channels.
    pub fn trainable_direct(self, name: &str) -> TrainableDirectConv3x3 {
        TrainableDirectConv3x3::new(name, self)
    }
}

impl Weights3x3<'static> {
    /// A layer that keeps its weights as they are and transforms them part by part in each pass, where they
    /// are used: for one image. The results have the bits of [`prepared`](Self::prepared).
    pub fn streamed(self) -> Conv3x3 {
        Conv3x3::streamed(self)
    }
}
