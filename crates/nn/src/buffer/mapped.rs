//! Memory for large buffers straight from the system.
//!
//! The allocator clears memory of a special alignment itself, page by page and before anybody could ask for
//! large pages. Pages that are mapped here come cleared, when they are first touched, and large.

use std::alloc::Layout;

/// Bytes of a huge page; smaller buffers come from the allocator.
const HUGE: usize = 2 << 20;

/// # Safety
/// As [`std::alloc::alloc_zeroed`]: the layout has a size above zero.
pub(super) unsafe fn alloc_zeroed(layout: Layout) -> *mut u8 {
    if layout.size() < HUGE {
        // SAFETY: the caller's promise.
        return unsafe { std::alloc::alloc_zeroed(layout) };
    }
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: new pages at a place of the system's choice, which take the place of nothing.
    let memory = unsafe { libc::mmap(std::ptr::null_mut(), layout.size(), access, kind, -1, 0) };
    if memory == libc::MAP_FAILED {
        return std::ptr::null_mut();
    }
    // A tile's 36 points lie in 36 places: with pages of 4 KiB most of the time would go into finding them.
    // SAFETY: the pages are ours; the advice changes how large they are, not what they hold.
    unsafe { libc::madvise(memory, layout.size(), libc::MADV_HUGEPAGE) };
    memory.cast()
}

/// # Safety
/// As [`std::alloc::dealloc`], for memory of [`alloc_zeroed`] with the same layout.
pub(super) unsafe fn dealloc(memory: *mut u8, layout: Layout) {
    // SAFETY: the caller's promise; the size tells where the memory came from.
    unsafe {
        if layout.size() < HUGE {
            std::alloc::dealloc(memory, layout);
        } else {
            libc::munmap(memory.cast(), layout.size());
        }
    }
}
