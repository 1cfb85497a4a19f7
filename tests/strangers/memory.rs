use std::fmt::Display;

use anyhow::{Result, ensure};
use peak_alloc::PeakAlloc;

/// Counts what is allocated.
#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Does `work`, and returns how many bytes more than before it held at once.
pub(crate) fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let done = work();
    (done, ALLOCATOR.peak_usage().saturating_sub(before))
}

/// Does `work` on `what`; an error where it held more than `bound` bytes at once.
pub(crate) fn within<T>(what: impl Display, bound: usize, work: impl FnOnce() -> T) -> Result<T> {
    let (done, held) = peak(work);
    ensure!(
        held <= bound,
        "{what}: {held} bytes were held at once, at most {bound} are promised"
    );
    Ok(done)
}
