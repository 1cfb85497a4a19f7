use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Does `work`, for two minutes at most: an error where it hangs or panics.
pub(crate) fn in_time<T: Send + 'static>(
    what: impl Display,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || done.send(catch_unwind(AssertUnwindSafe(work))));
    match wait.recv_timeout(PATIENCE) {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(_)) => Err(anyhow!("{what}: a panic, told above")),
        Err(_) => Err(anyhow!("{what}: it hangs")),
    }
}
