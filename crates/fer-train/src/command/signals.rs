//! Signals that ask a run to end.

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Ctrl-C, `kill` and, where there is such a thing, a terminal that was closed.
const ENDING: &[(i32, &str)] = &[
    (SIGINT, "Ctrl-C"),
    (SIGTERM, "SIGTERM"),
    #[cfg(unix)]
    (signal_hook::consts::SIGHUP, "the end of its terminal"),
];

/// Listens for signals that ask to end. The first sets [`stop`](Self::stop); after it Ctrl-C ends
/// the process at once.
pub(crate) struct Signals {
    /// Whether the run was asked to end.
    pub(crate) stop: Arc<AtomicBool>,
    number: Arc<AtomicUsize>,
}

impl Signals {
    /// Starts to listen. Signals that the process was started to ignore, as under `nohup`, stay
    /// ignored.
    pub(crate) fn listen() -> Result<Self> {
        let signals = Signals {
            stop: Arc::default(),
            number: Arc::default(),
        };
        let ignored = ignored();
        for &(signal, name) in ENDING {
            if ignored & (1 << (signal - 1)) != 0 {
                continue;
            }
            signals
                .listen_for(signal)
                .with_context(|| format!("cannot listen for {name}"))?;
        }
        Ok(signals)
    }

    fn listen_for(&self, signal: i32) -> std::io::Result<()> {
        if signal == SIGINT {
            // Only here: a terminal that closes, and what ends a group of processes, may ask twice.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&self.stop))?;
        }
        let number = Arc::clone(&self.number);
        flag::register_usize(signal, number, signal.unsigned_abs() as usize)?;
        flag::register(signal, Arc::clone(&self.stop))?;
        Ok(())
    }

    fn number(&self) -> i32 {
        self.number.load(Ordering::Relaxed) as i32
    }

    /// What asked the run to end.
    pub(crate) fn name(&self) -> &'static str {
        let number = self.number();
        let found = ENDING.iter().find(|(signal, _)| *signal == number);
        found.map_or("a signal", |(_, name)| name)
    }

    /// What a shell expects of a process that ended on the signal: 128 and its number.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from((128 + self.number()) as u8)
    }
}

/// The signals that this process was started to ignore, one bit each; none where the system does
/// not say.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or(0)
}
