use std::sync::Mutex;

/// Sixteen channels of one pixel: one AVX-512 register, one cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([f32; LINE]);

/// Channels in a block, and floats in a cache line.
pub(crate) const LINE: usize = 16;

/// Floats that begin on a cache line; their number is a multiple of 16.
pub(crate) struct Buffer(Vec<Line>);

impl Buffer {
    /// At least `floats` zeros.
    pub(crate) fn zeroed(floats: usize) -> Self {
        Buffer(vec![Line([0.0; LINE]); floats.div_ceil(LINE)])
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        // SAFETY: a Line is 16 floats without padding, so the vector's memory is 16 times as many floats.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * LINE) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as above, and the borrow of the vector is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * LINE) }
    }
}

/// Scratch memory that outlives a call: fresh pages would cost more in faults than the convolution that
/// fills them.
static SPARE: Mutex<Vec<Buffer>> = Mutex::new(Vec::new());

/// A buffer on loan; its contents are whatever the last user left.
pub(crate) struct Scratch(Buffer);

impl Scratch {
    /// A buffer of at least `floats` floats.
    pub(crate) fn take(floats: usize) -> Self {
        let mut spare = SPARE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // The smallest that is large enough, unless it is so much larger that another will want it.
        let fit = (0..spare.len())
            .filter(|&i| (floats..=floats.saturating_mul(4)).contains(&spare[i].as_slice().len()))
            .min_by_key(|&i| spare[i].as_slice().len());
        let found = fit.map(|i| spare.swap_remove(i));
        drop(spare);
        Scratch(found.unwrap_or_else(|| Buffer::zeroed(floats)))
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        self.0.as_slice()
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        self.0.as_mut_slice()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::replace(&mut self.0, Buffer(Vec::new()));
        let mut spare = SPARE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // Two buffers a thread and one pair for the stages is all that a network takes at a time.
        if spare.len() < 64 {
            spare.push(buffer);
        }
    }
}

/// Gives the scratch memory that past convolutions left back to the allocator.
pub fn release_scratch() {
    SPARE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clear();
}

/// A pointer that tasks share to write disjoint parts of one buffer.
#[derive(Clone, Copy)]
pub(crate) struct Shared(*mut f32);

// SAFETY: a pointer alone does nothing; whoever writes through it says why the parts are disjoint.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    pub(crate) fn new(floats: &mut [f32]) -> Self {
        Shared(floats.as_mut_ptr())
    }

    pub(crate) fn pointer(self) -> *mut f32 {
        self.0
    }
}
