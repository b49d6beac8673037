use super::kernels::{PanelKernels, WeightTransform};
use super::transform::POINTS;
use crate::buffer::{LINE, Scratch, Shared};
use crate::simd::Isa;
use rayon::prelude::*;

/// Weights as the matrix products read them: `U = G g G^T` as `[36][panels][channels][panel]`.
pub(super) struct TransformedWeights {
    isa: Isa,
    in_blocks: usize,
    panels: usize,
    values: Scratch,
}

/// Which convolution an array `[out, in, 3, 3]` is transformed for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From input to output.
    Forward,
    /// From the output's gradient to the input's: channels change their roles, kernels are turned.
    InputGradient,
}

impl TransformedWeights {
    /// Of `weights` `[out, in, 3, 3]`. `isa` must be available.
    pub(super) fn new(
        weights: &[f32],
        [in_channels, out_channels]: [usize; 2],
        direction: Direction,
        isa: Isa,
    ) -> Self {
        isa.assert_available();
        assert_eq!(weights.len(), out_channels * in_channels * 9);
        let (kernel, row) = (9, in_channels * 9);
        let (sum_channels, lane_channels, channel_stride, lane_stride) = match direction {
            Direction::Forward => (in_channels, out_channels, kernel, row),
            Direction::InputGradient => (out_channels, in_channels, row, kernel),
        };
        let panel = isa.panel();
        let in_blocks = sum_channels.div_ceil(LINE);
        let panels = lane_channels.div_ceil(panel);
        let point_stride = point_stride(panels, in_blocks, panel);
        let mut values = Scratch::take(POINTS * point_stride);
        let shared = Shared::new(values.as_mut_slice());
        (0..panels).into_par_iter().for_each(|k| {
            let kernels = PanelKernels {
                lane_stride,
                lanes: panel.min(lane_channels - k * panel),
                channel_stride,
                channels: sum_channels,
                turned: direction == Direction::InputGradient,
            };
            let weights = &weights[k * panel * lane_stride..];
            // SAFETY: the set is available; panels are disjoint parts of the scratch taken above.
            unsafe {
                let u = shared.pointer().add(k * in_blocks * LINE * panel);
                isa.run(&mut WeightTransform { weights, kernels, u, point_stride });
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
