use crate::buffer::LINE;
use crate::conv3x3::transform::{self, POINTS, TILE};
use crate::conv3x3::weights::Numbers;
use crate::simd::{Job, Simd};
use std::ops::Range;

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

/// `U = G g G^T` for one panel and some channel blocks of the sum: `u[36][channels][panel]`, channels filled up
/// to whole blocks, points `point_stride` apart.
///
/// # Safety
/// `u` can be written at all these places and no one else touches them. `weights`, from the panel's first
/// kernel on, are checked here.
pub(crate) struct WeightTransform<'a> {
    pub(crate) weights: Numbers<'a>,
    pub(crate) kernels: PanelKernels,
    pub(crate) blocks: Range<usize>,
    pub(crate) u: *mut f32,
    pub(crate) point_stride: usize,
}

/// The nine taps of 16 channels, a lane a channel of the panel.
#[repr(align(64))]
struct Taps([[f32; LINE]; 9 * LINE]);

impl Job for WeightTransform<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&mut self) {
        let panel = 2 * S::LANES;
        let PanelKernels { channels, channel_stride, lanes, lane_stride, .. } = self.kernels;
        assert!(self.blocks.end <= channels.div_ceil(LINE));
        assert!(self.weights.len() >= (lanes - 1) * lane_stride + (channels - 1) * channel_stride + 9);
        let mut taps = Taps([[0.0; LINE]; 9 * LINE]);
        let mut u = self.u;
        for block in self.blocks.clone() {
            for lane in (0..panel).step_by(S::LANES) {
                // SAFETY: the kernels of all channels and lanes lie within the weights, by the assert; the
                // caller vouches for `u`.
                unsafe {
                    self.gather::<S>(block * LINE, lane, &mut taps);
                    for (channel, taps) in taps.0.as_chunks::<9>().0.iter().enumerate() {
                        transform_kernel::<S>(taps, u.add(channel * panel + lane), self.point_stride);
                    }
                }
            }
            u = u.wrapping_add(LINE * panel);
        }
    }
}

impl WeightTransform<'_> {
    /// The taps of 16 channels from `first` on and of a register of lanes from `lane` on; zero where there is
    /// no such channel or lane.
    ///
    /// # Safety
    /// The weights reach as far as the job asserts.
    #[inline(always)]
    unsafe fn gather<S: Simd>(&self, first: usize, lane: usize, taps: &mut Taps) {
        let PanelKernels { channels, channel_stride, lanes, lane_stride, turned } = self.kernels;
        let last = channels.min(first + LINE);
        let whole = last - first == LINE && lane + S::LANES <= lanes;
        if whole && channel_stride == 9 && !turned {
            // The kernels of a lane follow each other: squares of the array are transposed in registers.
            for tap in (0..9 * LINE).step_by(S::LANES) {
                // SAFETY: the caller's promise; a row of taps has room for a register.
                unsafe {
                    let mut rows = [S::splat(0.0); LINE];
                    for (l, row) in rows.iter_mut().enumerate().take(S::LANES) {
                        *row = self.weights.load::<S>((lane + l) * lane_stride + first * 9 + tap);
                    }
                    transpose::<S>(&mut rows);
                    for (taps, &row) in taps.0[tap..].iter_mut().zip(&rows[..S::LANES]) {
                        S::store(taps.as_mut_ptr(), row);
                    }
                }
            }
            return;
        }
        if !whole {
            taps.0.fill([0.0; LINE]);
        }
        for (channel, taps) in (first..last).zip(taps.0.as_chunks_mut::<9>().0) {
            for l in lane..lanes.min(lane + S::LANES) {
                let kernel = l * lane_stride + channel * channel_stride;
                for (tap, lanes) in taps.iter_mut().enumerate() {
                    // SAFETY: the caller's promise.
                    lanes[l - lane] = unsafe { self.weights.at(kernel + if turned { 8 - tap } else { tap }) };
                }
            }
        }
    }
}

/// `G g G^T` of one channel, a register of lanes wide, its points `point_stride` apart from `target` on.
///
/// # Safety
/// The instruction set of `S` is present; `target` can be written at all points.
#[inline(always)]
unsafe fn transform_kernel<S: Simd>(taps: &[[f32; LINE]; 9], target: *mut f32, point_stride: usize) {
    // SAFETY: the caller's promise; a register fits into 16 floats.
    unsafe {
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
        for i in 0..TILE {
            let row = transform::weights::<S>(half[i]);
            for j in 0..TILE {
                S::store(target.add((i * TILE + j) * point_stride), row[j]);
            }
        }
    }
}

/// Rows become columns, of as many rows as a register has lanes.
///
/// A row and a lane are numbers of as many bits; zipping row `i` with the row half of all further on moves the
/// first bit of the row behind the last of the lane. Done as often as there are bits, row and lane have
/// changed places.
///
/// # Safety
/// The instruction set of `S` is present.
#[inline(always)]
unsafe fn transpose<S: Simd>(rows: &mut [S::V; LINE]) {
    for _ in 0..S::LANES.ilog2() {
        let before = *rows;
        for i in 0..S::LANES / 2 {
            // SAFETY: the caller's promise.
            [rows[2 * i], rows[2 * i + 1]] = unsafe { S::zip(before[i], before[i + S::LANES / 2]) };
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
