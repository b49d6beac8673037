#[cfg(all(test, target_os = "linux"))]
mod guarded;
#[cfg(all(not(test), target_os = "linux"))]
mod mapped;

#[cfg(all(test, target_os = "linux"))]
use guarded::{alloc_zeroed, dealloc};
#[cfg(all(not(test), target_os = "linux"))]
use mapped::{alloc_zeroed, dealloc};
use std::alloc::{Layout, handle_alloc_error};
#[cfg(not(target_os = "linux"))]
use std::alloc::{alloc_zeroed, dealloc};
use std::ptr::NonNull;
use std::sync::Mutex;

/// Channels in a block, and floats in a cache line: one AVX-512 register.
pub(crate) const LINE: usize = 16;

/// Floats that begin on a cache line; their number is a multiple of 16.
pub(crate) struct Buffer {
    start: NonNull<f32>,
    floats: usize,
}

impl Buffer {
    /// At least `floats` zeros.
    pub(crate) fn zeroed(floats: usize) -> Self {
        let floats = floats.next_multiple_of(LINE).max(LINE);
        let layout = Buffer::layout(floats);
        // SAFETY: the layout has a size above zero.
        let memory = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(memory.cast()) else { handle_alloc_error(layout) };
        Buffer { start, floats }
    }

    fn layout(floats: usize) -> Layout {
        let line = LINE * size_of::<f32>();
        Layout::from_size_align(floats * size_of::<f32>(), line).expect("a buffer is smaller than memory")
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        // SAFETY: the memory holds `floats` floats, initialised from the start and owned by the buffer.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.floats) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as above, and the borrow of the buffer is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.floats) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated in `zeroed` with the same layout, and dropped once.
        unsafe { dealloc(self.start.as_ptr().cast(), Buffer::layout(self.floats)) }
    }
}

// SAFETY: a buffer owns its memory and gives it out by the rules of borrowing alone.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

/// Scratch memory that outlives a call: fresh pages would cost more in faults than the convolution that
/// fills them.
static SPARE: Mutex<Vec<Buffer>> = Mutex::new(Vec::new());

/// Floats of the smallest buffer that is kept.
const SMALLEST_KEPT: usize = 4096;

/// A buffer on loan; its contents are whatever the last user left.
pub(crate) struct Scratch(Buffer);

impl Scratch {
    /// A buffer of at least `floats` floats.
    pub(crate) fn take(floats: usize) -> Self {
        if cfg!(test) {
            // Of exactly this size, for the pages around it to mean something, and full of what shows when
            // it is used without having been written.
            let mut buffer = Buffer::zeroed(floats);
            buffer.as_mut_slice().fill(f32::NAN);
            return Scratch(buffer);
        }
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
        let buffer = std::mem::replace(&mut self.0, Buffer::zeroed(0));
        let mut spare = SPARE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // A step of training holds a few buffers a layer. Small ones are cheap to claim anew.
        if !cfg!(test) && spare.len() < 256 && buffer.as_slice().len() >= SMALLEST_KEPT {
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
