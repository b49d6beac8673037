//! Memory for the tests of this crate: every buffer lies against a page that must not be touched.
//!
//! A kernel that reads or writes one float too far behind its buffer faults. `NN_GUARD=before` puts the
//! forbidden page directly before each buffer instead. On the other side, up to a page's border, lie bytes
//! that are compared when the buffer is dropped, so that no write there goes unseen.

use std::alloc::Layout;

const PAGE: usize = 4096;
const CANARY: u8 = 0xA5;

/// Where the buffer lies in its mapping: one page, the pages for it, one page.
struct Place {
    mapped: usize,
    /// Of the buffer's pages.
    pages: usize,
    /// Of the buffer from the mapping's start.
    offset: usize,
}

impl Place {
    fn of(layout: Layout) -> Self {
        let pages = layout.size().next_multiple_of(PAGE);
        let before = std::env::var("NN_GUARD").is_ok_and(|side| side == "before");
        let slack = if before { 0 } else { (pages - layout.size()) / layout.align() * layout.align() };
        Self { mapped: pages + 2 * PAGE, pages, offset: PAGE + slack }
    }
}

/// # Safety
/// As [`std::alloc::alloc_zeroed`].
pub(super) unsafe fn alloc_zeroed(layout: Layout) -> *mut u8 {
    let place = Place::of(layout);
    // SAFETY: a new mapping at any address; what is written lies within its accessible pages.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let map = libc::mmap(std::ptr::null_mut(), place.mapped, libc::PROT_NONE, flags, -1, 0);
        assert_ne!(map, libc::MAP_FAILED, "address space for a test");
        let map = map.cast::<u8>();
        let readable = libc::PROT_READ | libc::PROT_WRITE;
        assert_eq!(libc::mprotect(map.add(PAGE).cast(), place.pages, readable), 0);
        map.add(PAGE).write_bytes(CANARY, place.pages);
        let start = map.add(place.offset);
        start.write_bytes(0, layout.size());
        start
    }
}

/// # Safety
/// As [`std::alloc::dealloc`].
pub(super) unsafe fn dealloc(start: *mut u8, layout: Layout) {
    let place = Place::of(layout);
    // SAFETY: `alloc_zeroed` made this mapping for the same layout.
    unsafe {
        let map = start.sub(place.offset);
        let pages = std::slice::from_raw_parts(map.add(PAGE), place.pages);
        let (front, rest) = pages.split_at(place.offset - PAGE);
        let intact = front.iter().chain(&rest[layout.size()..]).all(|&byte| byte == CANARY);
        libc::munmap(map.cast(), place.mapped);
        // A second panic while one unwinds would hide the first.
        assert!(intact || std::thread::panicking(), "a write beside a buffer of {} bytes", layout.size());
    }
}

#[cfg(test)]
mod tests {
    use crate::buffer::Buffer;

    /// A child process reads one float too far, which must end it.
    #[test]
    fn a_float_beyond_the_buffer_faults() {
        const NAME: &str = "buffer::guarded::tests::a_float_beyond_the_buffer_faults";
        if std::env::var_os("NN_OVERREAD").is_some() {
            let buffer = Buffer::zeroed(160);
            let before = std::env::var("NN_GUARD").is_ok_and(|side| side == "before");
            let beyond = buffer.as_slice().as_ptr().wrapping_offset(if before { -1 } else { 160 });
            // SAFETY: none; the read is the fault that this test is about, in a process of its own.
            let value = unsafe { beyond.read_volatile() };
            println!("read {value}");
            return;
        }
        for side in ["before", "behind"] {
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .args([NAME, "--exact", "--nocapture"])
                .env("NN_OVERREAD", "1")
                .env("NN_GUARD", side)
                .output()
                .unwrap();
            assert!(!child.status.success(), "{side}: {}", String::from_utf8_lossy(&child.stdout));
        }
    }

    #[test]
    #[should_panic(expected = "a write beside a buffer of 640 bytes")]
    fn a_write_beside_the_buffer_is_seen() {
        let mut buffer = Buffer::zeroed(160);
        let before = std::env::var("NN_GUARD").is_ok_and(|side| side == "before");
        let beside = buffer.as_mut_slice().as_mut_ptr().wrapping_offset(if before { 160 } else { -1 });
        // SAFETY: the page around the buffer is accessible on this side.
        unsafe { beside.write_volatile(1.0) };
    }
}
