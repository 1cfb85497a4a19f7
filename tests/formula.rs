//! The integer formulas that scripts in oracle/ repeat, so that both sides begin with the same.

use sha2::{Digest, Sha256};

/// splitmix64's output function on stream · 2³² + index.
pub(crate) fn hashed(stream: u64, index: u64) -> u64 {
    let z = ((stream << 32) + index).wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// An f32 from −1 to below 1, of 24 random bits.
pub(crate) fn uniform(stream: u64, index: u64) -> f32 {
    (hashed(stream, index) >> 40) as f32 / 8_388_608.0 - 1.0
}

/// A triangle wave with period 256 between 0 and 255.
pub(crate) fn triangle(time: i64) -> i64 {
    (2 * (time.rem_euclid(256) - 128).abs()).min(255)
}

/// The SHA-256 in hexadecimal.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of the little-endian bytes.
pub(crate) fn float_checksum(values: &[f32]) -> String {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    checksum(&bytes)
}
