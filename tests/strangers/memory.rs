use std::fmt::Display;

use anyhow::{Result, ensure};
use cap::Cap;
use peak_alloc::PeakAlloc;

/// Counts what is allocated, and refuses what goes beyond a limit.
#[global_allocator]
static ALLOCATOR: Cap<PeakAlloc> = Cap::new(PeakAlloc, usize::MAX);

/// Does `work`, and returns how many bytes more than before it held at once.
pub(crate) fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = PeakAlloc.current_usage();
    PeakAlloc.reset_peak_usage();
    let done = work();
    (done, PeakAlloc.peak_usage().saturating_sub(before))
}

/// Does `work` on `what`; an error where it held more than `bound` bytes at once. What goes far beyond is refused
/// by the allocator, which ends the process.
pub(crate) fn within<T>(what: impl Display, bound: usize, work: impl FnOnce() -> T) -> Result<T> {
    let (done, held) = limited(bound, || peak(work));
    ensure!(
        held <= bound,
        "{what}: {held} bytes were held at once, at most {bound} are promised"
    );
    Ok(done)
}

/// Does `work` with room for twice `bound` bytes.
pub(crate) fn limited<T>(bound: usize, work: impl FnOnce() -> T) -> T {
    let _limited = Limited::new(ALLOCATOR.allocated() + 2 * bound);
    work()
}

/// The limit is there as long as this is.
struct Limited;

impl Limited {
    fn new(limit: usize) -> Self {
        // Below what is allocated a limit is refused, which this never is.
        let _ = ALLOCATOR.set_limit(limit);
        Limited
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let _ = ALLOCATOR.set_limit(usize::MAX);
    }
}
