//! Writes the table by which a test finds pictures of FER2013 in the repository:
//! `cargo run -p fer-data --example fer2013_hashes -- fer2013.csv tests/fixtures/fer2013_hashes.bin`.

use std::path::PathBuf;
use std::{env, fs};

use fer_data::{OpenSettings, open};
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [table, out] = paths.as_slice() else {
        return Err("usage: fer2013_hashes FER2013_CSV OUT".into());
    };
    let dataset = open(table, &OpenSettings::default())?;
    let mut hashes = Vec::with_capacity(dataset.len());
    for index in 0..dataset.len() {
        let digest = Sha256::digest(dataset.picture(index)?.pixels());
        hashes.push([digest[0], digest[1], digest[2], digest[3]]);
    }
    hashes.sort_unstable();
    hashes.dedup();
    Ok(fs::write(out, hashes.concat())?)
}
