use crate::buffer::LINE;
use crate::simd::{Job, Simd};

/// The gradient before pool and ReLU of one plane, from the one behind them; and its sum over the plane.
///
/// # Safety
/// `out` holds `height * width * 16` floats, `gradient` and `choices` as many, or a pooled plane's; unless
/// null. No one else touches `out`.
pub(crate) struct FinishGradient<'a> {
    /// `[height, width, 16]`, or half of height and width when pooled.
    pub(crate) gradient: *const f32,
    /// Laid out as `gradient`; see [`OutputTiles`](super::OutputTiles). Null for a convolution with nothing
    /// behind it, whose gradient is only summed.
    pub(crate) choices: *const u8,
    pub(crate) pool: bool,
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// `[height, width, 16]`.
    pub(crate) out: *mut f32,
    /// The sum of each channel; rows are summed in f32, the rows' sums in f64.
    pub(crate) sums: &'a mut [f64; LINE],
}

impl Job for FinishGradient<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&mut self) {
        for lane in (0..LINE).step_by(S::LANES) {
            // SAFETY: the caller's promise.
            unsafe {
                if self.pool {
                    self.pooled::<S>(lane);
                } else {
                    self.plain::<S>(lane);
                }
            }
        }
    }
}

impl FinishGradient<'_> {
    /// # Safety
    /// As for the job.
    #[inline(always)]
    unsafe fn plain<S: Simd>(&mut self, lane: usize) {
        for row in 0..self.height {
            // SAFETY: the caller's promise.
            unsafe {
                let mut sum = S::splat(0.0);
                for column in 0..self.width {
                    let at = (row * self.width + column) * LINE + lane;
                    let mut gradient = S::load(self.gradient.add(at));
                    if !self.choices.is_null() {
                        gradient = chosen::<S>(S::load_bytes(self.choices.add(at)), 0, gradient);
                        S::store(self.out.add(at), gradient);
                    }
                    sum = S::add(sum, gradient);
                }
                self.add_row::<S>(sum, lane);
            }
        }
    }

    /// # Safety
    /// As for the job.
    #[inline(always)]
    unsafe fn pooled<S: Simd>(&mut self, lane: usize) {
        let (height, width) = (self.height / 2, self.width / 2);
        for row in 0..height {
            // SAFETY: the caller's promise.
            unsafe {
                let mut sum = S::splat(0.0);
                for column in 0..width {
                    let at = (row * width + column) * LINE + lane;
                    let (gradient, choice) =
                        (S::load(self.gradient.add(at)), S::load_bytes(self.choices.add(at)));
                    for k in 0..4 {
                        let pixel = (2 * row + k / 2) * self.width + 2 * column + k % 2;
                        S::store(self.out.add(pixel * LINE + lane), chosen::<S>(choice, k, gradient));
                    }
                    sum = S::add(sum, S::select_greater(S::splat(3.5), choice, gradient, S::splat(0.0)));
                }
                self.add_row::<S>(sum, lane);
                // The pool dropped an odd last column, and below an odd last row.
                if self.width % 2 == 1 {
                    for row in 2 * row..2 * row + 2 {
                        let pixel = (row + 1) * self.width - 1;
                        S::store(self.out.add(pixel * LINE + lane), S::splat(0.0));
                    }
                }
            }
        }
        for pixel in 2 * height * self.width..self.height * self.width {
            // SAFETY: the caller's promise.
            unsafe { S::store(self.out.add(pixel * LINE + lane), S::splat(0.0)) }
        }
    }

    /// # Safety
    /// The instruction set of `S` is present.
    #[inline(always)]
    unsafe fn add_row<S: Simd>(&mut self, sum: S::V, lane: usize) {
        let mut row = [0.0f32; LINE];
        // SAFETY: a register fits into 16 floats.
        unsafe { S::store(row.as_mut_ptr(), sum) };
        for (total, value) in self.sums[lane..lane + S::LANES].iter_mut().zip(row) {
            *total += f64::from(value);
        }
    }
}

/// `gradient` where `choice` is `k`, else 0.
///
/// # Safety
/// The instruction set of `S` is present.
#[inline(always)]
unsafe fn chosen<S: Simd>(choice: S::V, k: usize, gradient: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, k) = (S::splat(0.0), k as f32);
        let at_most = S::select_greater(S::splat(k + 0.5), choice, gradient, zero);
        S::select_greater(choice, S::splat(k - 0.5), at_most, zero)
    }
}
