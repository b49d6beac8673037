use super::kernels::{PanelKernels, WeightTransform};
use super::transform::POINTS;
use super::weights::{Numbers, StoredWeights};
use crate::buffer::{LINE, Scratch, Shared};
use crate::simd::Isa;
use rayon::prelude::*;
use std::ops::Range;

/// Which convolution an array `[out, in, 3, 3]` is transformed for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From input to output.
    Forward,
    /// From the output's gradient to the input's: channels change their roles, kernels are turned.
    InputGradient,
}

/// Weights `[out, in, 3, 3]` that are yet to be transformed, and how.
pub(super) struct WeightSource<'a> {
    weights: StoredWeights<'a>,
    isa: Isa,
    /// Channels that are summed over, and from one to the next in the array.
    sum: [usize; 2],
    /// Channels that come out, likewise.
    lane: [usize; 2],
    turned: bool,
}

impl<'a> WeightSource<'a> {
    /// `channels` are `[in, out]` of the array. `isa` must be available.
    pub(super) fn new(
        weights: impl Into<StoredWeights<'a>>,
        [in_channels, out_channels]: [usize; 2],
        direction: Direction,
        isa: Isa,
    ) -> Self {
        let weights = weights.into();
        isa.assert_available();
        assert_eq!(weights.count(), out_channels * in_channels * 9);
        let (inputs, outputs) = ([in_channels, 9], [out_channels, in_channels * 9]);
        let turned = direction == Direction::InputGradient;
        let [sum, lane] = if turned { [outputs, inputs] } else { [inputs, outputs] };
        Self { weights, isa, sum, lane, turned }
    }

    pub(super) fn isa(&self) -> Isa {
        self.isa
    }

    /// Blocks of 16 channels that are summed over.
    pub(super) fn in_blocks(&self) -> usize {
        self.sum[0].div_ceil(LINE)
    }

    /// Panels of channels that come out.
    pub(super) fn panels(&self) -> usize {
        self.lane[0].div_ceil(self.isa.panel())
    }

    /// `U = G g G^T` of one panel and some blocks, `u[36][channels][panel]` with points `point_stride` apart.
    ///
    /// # Safety
    /// `u` can be written at all these places and no one else touches them.
    pub(super) unsafe fn transform(
        &self,
        panel: usize,
        blocks: Range<usize>,
        u: *mut f32,
        point_stride: usize,
    ) {
        let first = panel * self.isa.panel();
        let kernels = PanelKernels {
            lane_stride: self.lane[1],
            lanes: self.isa.panel().min(self.lane[0] - first),
            channel_stride: self.sum[1],
            channels: self.sum[0],
            turned: self.turned,
        };
        let weights: Numbers<'_> = self.weights.numbers().starting_at(first * self.lane[1]);
        // SAFETY: the set is available; the caller vouches for `u`.
        unsafe { self.isa.run(&mut WeightTransform { weights, kernels, blocks, u, point_stride }) }
    }
}

/// Weights as the matrix products read them: `U = G g G^T` as `[36][panels][channels][panel]`.
pub(super) struct TransformedWeights {
    isa: Isa,
    in_blocks: usize,
    panels: usize,
    values: Scratch,
}

impl TransformedWeights {
    /// All of `source`.
    pub(super) fn new(source: &WeightSource<'_>) -> Self {
        let (isa, in_blocks, panels) = (source.isa, source.in_blocks(), source.panels());
        let point_stride = point_stride(panels, in_blocks, isa.panel());
        let mut values = Scratch::take(POINTS * point_stride);
        let shared = Shared::new(values.as_mut_slice());
        (0..panels).into_par_iter().for_each(|k| {
            // SAFETY: panels are disjoint parts of the scratch taken above.
            unsafe {
                let u = shared.pointer().add(k * in_blocks * LINE * isa.panel());
                source.transform(k, 0..in_blocks, u, point_stride);
            }
        });
        Self { isa, in_blocks, panels, values }
    }

    pub(super) fn isa(&self) -> Isa {
        self.isa
    }

    /// Blocks of 16 channels that are summed over.
    pub(super) fn in_blocks(&self) -> usize {
        self.in_blocks
    }

    /// Panels of channels that come out.
    pub(super) fn panels(&self) -> usize {
        self.panels
    }

    /// `[channels][panel]` of one matrix product.
    pub(super) fn part(&self, point: usize, panel: usize) -> &[f32] {
        let part = self.in_blocks * LINE * self.isa.panel();
        let start = point * point_stride(self.panels, self.in_blocks, self.isa.panel()) + panel * part;
        &self.values.as_slice()[start..start + part]
    }

    /// The part of the product that follows in memory; after the last one the first.
    pub(super) fn part_after(&self, point: usize, panel: usize) -> &[f32] {
        let next = point * self.panels + panel + 1;
        self.part(next / self.panels % POINTS, next % self.panels)
    }
}

/// Floats from a point to the next in transformed weights: an odd number of cache lines, as in
/// [`TileSlots`](super::tiles::TileSlots).
pub(super) fn point_stride(panels: usize, in_blocks: usize, panel: usize) -> usize {
    ((panels * in_blocks * panel) | 1) * LINE
}
