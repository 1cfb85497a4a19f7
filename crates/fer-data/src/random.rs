//! Randomness: one seed, named streams.
//!
//! Everything random in the workspace asks for a stream by the run's seed, the name of the
//! purpose and an index (of a sample, an epoch, a tensor). A stream depends on these three alone,
//! so no result depends on the order in which threads reach it.

use rand::SeedableRng;
use rand_pcg::Pcg64;
use sha2::{Digest, Sha256};

/// The generator of the stream `name` number `index` under `seed`: PCG XSL RR 128/64
/// (O'Neill 2014), seeded with the SHA-256 of the three.
///
/// ```
/// use fer_data::random::stream;
/// use rand::RngExt;
///
/// let first: f32 = stream(7, "shuffle", 0).random();
/// assert_eq!(first, stream(7, "shuffle", 0).random::<f32>());
/// assert_ne!(first, stream(7, "shuffle", 1).random::<f32>());
/// assert_ne!(first, stream(7, "dropout", 0).random::<f32>());
/// ```
pub fn stream(seed: u64, name: &str, index: u64) -> Pcg64 {
    let mut hash = Sha256::new();
    hash.update(b"fer stream 1");
    hash.update(seed.to_le_bytes());
    hash.update(index.to_le_bytes());
    hash.update(name.as_bytes());
    Pcg64::from_seed(hash.finalize().into())
}
