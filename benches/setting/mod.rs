//! What the benchmarks share: the allocator of the command, its devices, some faces.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use fer_data::Picture;
use fer_data::drawn::DrawnFaces;
use fer_model::{DeviceChoice, SelectedDevice};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The CPU, and the GPU that this build knows and that answers.
pub(crate) fn devices() -> Vec<SelectedDevice> {
    let mut devices = vec![DeviceChoice::Cpu.select().unwrap()];
    let best = DeviceChoice::Auto.select().unwrap();
    if best.name != "cpu" {
        devices.push(best);
    }
    devices
}

/// The first drawn faces.
pub(crate) fn faces(count: usize) -> Vec<Picture> {
    let faces = DrawnFaces::new(1);
    (0..count)
        .map(|index| Picture::from_pixels(&faces.draw(index).pixels, "drawn").unwrap())
        .collect()
}
