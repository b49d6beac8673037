use super::kernels::FinishGradient;
use super::tiles::Finish;
use crate::blocked::Blocked;
use crate::buffer::{LINE, Scratch, Shared};
use crate::error::NnError;
use crate::simd::Isa;
use rayon::prelude::*;

/// What a forward pass keeps for its backward pass, beside its input: for each output one byte that says
/// which pixel the pool took and whether ReLU let it pass. The output itself is not needed.
///
/// Where several pixels of a pool are equal and largest, the first in row order has the gradient, as in
/// PyTorch; where ReLU gives 0 no pixel has it.
pub struct Passed {
    finish: Finish,
    /// Of the convolution's input, which the output cannot tell when it is pooled.
    height: usize,
    width: usize,
    shape: [usize; 4],
    /// One byte an output, in the memory of floats; empty where nothing follows the convolution.
    choices: Scratch,
}

impl Passed {
    /// Room for the choices of a forward pass over images of `height` by `width` that gives `y`.
    pub(super) fn new(y: &Blocked, finish: Finish, [height, width]: [usize; 2]) -> Self {
        let floats = if finish == Finish::default() { 0 } else { y.as_slice().len() / size_of::<f32>() };
        Self { finish, height, width, shape: shape(y), choices: Scratch::take(floats) }
    }

    /// The choices, where anything follows the convolution.
    pub(super) fn choices_mut(&mut self) -> Option<&mut [u8]> {
        let bytes = self.shape[1].next_multiple_of(LINE) * self.shape[0] * self.shape[2] * self.shape[3];
        let floats = self.choices.as_mut_slice();
        assert!(self.finish == Finish::default() || bytes <= size_of_val(floats));
        // SAFETY: floats may be written as bytes, and any bytes are floats; there are enough of them.
        (self.finish != Finish::default())
            .then(|| unsafe { std::slice::from_raw_parts_mut(floats.as_mut_ptr().cast(), bytes) })
    }

    /// An error unless the convolution's input was of this size.
    pub(super) fn check_input(&self, batch: usize, height: usize, width: usize) -> Result<(), NnError> {
        NnError::check_length("images of the convolution's input", batch, self.shape[0])?;
        NnError::check_length("rows of the convolution's input", height, self.height)?;
        NnError::check_length("columns of the convolution's input", width, self.width)
    }

    /// The gradient before ReLU and pool for `dy`, the one behind them, or none where it is `dy` itself;
    /// sets `bias` `[channels]` to its sum over images and pixels.
    pub(super) fn backward(
        &self,
        dy: &Blocked,
        isa: Isa,
        bias: &mut [f32],
    ) -> Result<Option<Blocked>, NnError> {
        isa.assert_available();
        for (what, found, expected) in [
            ("images of the output's gradient", dy.batch(), self.shape[0]),
            ("channels of the output's gradient", dy.channels(), self.shape[1]),
            ("rows of the output's gradient", dy.height(), self.shape[2]),
            ("columns of the output's gradient", dy.width(), self.shape[3]),
            ("convolution bias", bias.len(), self.shape[1]),
        ] {
            NnError::check_length(what, found, expected)?;
        }
        let Self { finish, height, width, .. } = *self;
        let mut before =
            (finish != Finish::default()).then(|| Blocked::stale(dy.batch(), dy.channels(), height, width));
        let out = before.as_mut().map(|before| Shared::new(before.as_mut_slice()));
        let (gradient, choices) = (dy.as_slice(), self.choices.as_slice());
        let plane = dy.height() * dy.width() * LINE;
        let mut sums = vec![[0.0; LINE]; dy.batch() * dy.blocks()];
        sums.par_iter_mut().enumerate().for_each(|(q, sums)| {
            // SAFETY: the set is available; plane `q` lies within `dy`, the choices and `before`, of which
            // each task writes its own.
            unsafe {
                isa.run(&mut FinishGradient {
                    gradient: gradient[q * plane..].as_ptr(),
                    choices: out.map_or(std::ptr::null(), |_| choices.as_ptr().cast::<u8>().add(q * plane)),
                    pool: finish.pool,
                    height,
                    width,
                    out: out.map_or(std::ptr::null_mut(), |out| out.pointer().add(q * height * width * LINE)),
                    sums,
                });
            }
        });
        for (channel, bias) in bias.iter_mut().enumerate() {
            let planes = sums.iter().skip(channel / LINE).step_by(dy.blocks());
            *bias = planes.map(|sums| sums[channel % LINE]).sum::<f64>() as f32;
        }
        Ok(before)
    }
}

/// Batch, channels, height and width.
fn shape(y: &Blocked) -> [usize; 4] {
    [y.batch(), y.channels(), y.height(), y.width()]
}
