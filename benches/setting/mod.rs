//! What the benchmarks share: the allocator of the command and some faces.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

mod allocator;

use fer_data::Picture;
use fer_data::drawn::DrawnFaces;

/// The first drawn faces.
pub(crate) fn faces(count: usize) -> Vec<Picture> {
    let faces = DrawnFaces::new(1);
    (0..count)
        .map(|index| Picture::from_pixels(&faces.draw(index).pixels, "drawn").unwrap())
        .collect()
}
