//! The allocator's settings for a process that reads a few films and ends.
//!
//! Half a dozen buffers of several megabytes come and go while one film is read. By default each is mapped
//! when it is taken and given back when it is dropped, in pages of 4 KiB: some 10,000 page faults, a tenth of
//! the whole time of `boneage predict`.

/// Address space for which large pages are asked at the start; nothing of it is touched before it is used.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE_PAGES: usize = 96 << 20;
/// Above any buffer of ours, below what an `int` holds.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const NEVER: libc::c_int = 1 << 30;

/// Lets one heap, in large pages where the system has them, keep what was once taken. To be called before the
/// first thread starts. Does nothing where the allocator is not glibc's.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn keep_what_is_freed() {
    // SAFETY: settings of the allocator alone; what it refuses stays as it was.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_THRESHOLD, NEVER);
        libc::mallopt(libc::M_TRIM_THRESHOLD, NEVER);
    }
    // SAFETY: the memory is taken and given back here, and between the two only the pages that lie wholly
    // inside it are spoken of; the advice changes how large they are, not what they hold.
    unsafe {
        let memory = libc::malloc(LARGE_PAGES);
        if memory.is_null() {
            return;
        }
        let page = libc::sysconf(libc::_SC_PAGESIZE).max(1) as usize;
        let skipped = memory.align_offset(page);
        libc::madvise(memory.byte_add(skipped), LARGE_PAGES - page - skipped, libc::MADV_HUGEPAGE);
        libc::free(memory);
    }
}

/// As above.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn keep_what_is_freed() {}
