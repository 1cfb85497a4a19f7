//! The devices that the benchmarks run on.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use fer_model::{DeviceChoice, SelectedDevice};

/// The CPU, and the GPU that this build knows and that answers.
pub(crate) fn available() -> Vec<SelectedDevice> {
    let mut devices = vec![DeviceChoice::Cpu.select().unwrap()];
    let best = DeviceChoice::Auto.select().unwrap();
    if best.name != "cpu" {
        devices.push(best);
    }
    devices
}
