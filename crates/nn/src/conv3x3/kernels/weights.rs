use crate::buffer::LINE;
use crate::conv3x3::transform::{self, POINTS, TILE};
use crate::simd::{Job, Simd};

/// Where one panel's 3x3 kernels lie in an array `[out, in, 3, 3]`.
///
/// Forwards a panel's lanes are output channels; for the input gradient the roles of the channels change
/// and the kernels are turned by half a circle.
#[derive(Clone, Copy)]
pub(crate) struct PanelKernels {
    /// Floats from a lane to the next.
    pub(crate) lane_stride: usize,
    /// Lanes that stand for a channel; the others are filling.
    pub(crate) lanes: usize,
    /// Floats from a channel of the sum to the next.
    pub(crate) channel_stride: usize,
    /// Channels of the sum.
    pub(crate) channels: usize,
    /// Turn the kernels.
    pub(crate) turned: bool,
}

/// `U = G g G^T` for one panel: `u[36][channels, filled up to 16][panel]`, points `point_stride` apart.
///
/// # Safety
/// `u` can be written at all these places and no one else touches them. `weights`, from the panel's first
/// kernel on, are checked here.
pub(crate) struct WeightTransform<'a> {
    pub(crate) weights: &'a [f32],
    pub(crate) kernels: PanelKernels,
    pub(crate) u: *mut f32,
    pub(crate) point_stride: usize,
}

impl Job for WeightTransform<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&mut self) {
        let panel = 2 * S::LANES;
        let PanelKernels { channels, channel_stride, lanes, lane_stride, turned } = self.kernels;
        assert!(self.weights.len() >= (lanes - 1) * lane_stride + (channels - 1) * channel_stride + 9);
        for channel in 0..channels.next_multiple_of(LINE) {
            for lane in (0..panel).step_by(S::LANES) {
                let mut taps = [[0.0f32; LINE]; 9];
                let filled = if channel < channels { lanes.min(lane + S::LANES) } else { lane };
                // SAFETY: the kernels of all channels and lanes lie within the weights, by the assert; a
                // register fits into 16 floats; the caller vouches for `u`.
                unsafe {
                    for l in lane..filled {
                        let kernel = self.weights.as_ptr().add(l * lane_stride + channel * channel_stride);
                        for tap in 0..9 {
                            taps[tap][l % S::LANES] = *kernel.add(if turned { 8 - tap } else { tap });
                        }
                    }
                    let mut half = [[S::splat(0.0); 3]; TILE];
                    for j in 0..3 {
                        let column = transform::weights::<S>([
                            S::load(taps[j].as_ptr()),
                            S::load(taps[3 + j].as_ptr()),
                            S::load(taps[6 + j].as_ptr()),
                        ]);
                        for i in 0..TILE {
                            half[i][j] = column[i];
                        }
                    }
                    let target = self.u.add(channel * panel + lane);
                    for i in 0..TILE {
                        let row = transform::weights::<S>(half[i]);
                        for j in 0..TILE {
                            S::store(target.add((i * TILE + j) * self.point_stride), row[j]);
                        }
                    }
                }
            }
        }
    }
}

/// `dg = G^T dU G` for one panel of `du`, laid out as `u` of [`WeightTransform`].
///
/// # Safety
/// `du` can be read, and `gradient` written at the panel's kernels, which no one else touches.
pub(crate) struct WeightTransformGradient {
    pub(crate) du: *const f32,
    pub(crate) point_stride: usize,
    pub(crate) kernels: PanelKernels,
    pub(crate) gradient: *mut f32,
}

impl Job for WeightTransformGradient {
    #[inline(always)]
    unsafe fn run<S: Simd>(&mut self) {
        let panel = 2 * S::LANES;
        let PanelKernels { lanes, lane_stride, channels, channel_stride, .. } = self.kernels;
        for channel in 0..channels {
            for lane in (0..lanes).step_by(S::LANES) {
                let mut taps = [[0.0f32; LINE]; 9];
                // SAFETY: the caller's promise; a register fits into 16 floats.
                unsafe {
                    let source = self.du.add(channel * panel + lane);
                    let mut points = [[S::splat(0.0); TILE]; TILE];
                    for point in 0..POINTS {
                        points[point % TILE][point / TILE] = S::load(source.add(point * self.point_stride));
                    }
                    let mut half = [[S::splat(0.0); TILE]; 3];
                    for j in 0..TILE {
                        let column = transform::weights_gradient::<S>(points[j]);
                        for i in 0..3 {
                            half[i][j] = column[i];
                        }
                    }
                    for i in 0..3 {
                        let row = transform::weights_gradient::<S>(half[i]);
                        for j in 0..3 {
                            S::store(taps[i * 3 + j].as_mut_ptr(), row[j]);
                        }
                    }
                    for l in lane..lanes.min(lane + S::LANES) {
                        let kernel = self.gradient.add(l * lane_stride + channel * channel_stride);
                        for (tap, values) in taps.iter().enumerate() {
                            kernel.add(tap).write(values[l % S::LANES]);
                        }
                    }
                }
            }
        }
    }
}
