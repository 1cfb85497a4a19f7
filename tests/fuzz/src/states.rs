use std::path::Path;

use candle_core::Device;
use fer_model::file::load_bytes;
use fer_model::ops::Engine;
use fer_train::checkpoint::{Identity, decode};
use fer_train::config::Config;
use fer_train::predictions::Predictions;
use sha2::{Digest, Sha256};

use crate::{MEBIBYTE, Target, written};

/// A model file.
pub const MODEL: Target = Target {
    name: "model",
    most_memory: 256 * MEBIBYTE,
    seeds: &["tests/fuzz/seeds/model"],
    accepts: |bytes| {
        let name = Path::new("a model");
        load_bytes(bytes, name, &Device::Cpu, Engine::Portable).is_ok()
    },
};

/// A checkpoint with a digest that fits, so that what lies behind the digest is reached.
pub const CHECKPOINT: Target = Target {
    name: "checkpoint",
    most_memory: 64 * MEBIBYTE,
    seeds: &["tests/fuzz/seeds/checkpoint"],
    accepts: |bytes| {
        let signed = signed(bytes);
        let Ok(checkpoint) = decode(&signed) else {
            return false;
        };
        let identity: &Identity = &checkpoint.identity;
        identity.other_settings(&Config::default()).is_ok()
    },
};

/// The configuration of a run.
pub const CONFIG: Target = Target {
    name: "config",
    most_memory: 64 * MEBIBYTE,
    seeds: &["tests/fuzz/seeds/config", "crates/fer-train/src/recipe"],
    accepts: |bytes| {
        let Ok(mut config) = Config::read(&written("config.toml", bytes)) else {
            return false;
        };
        for line in String::from_utf8_lossy(bytes).lines() {
            let _ = config.clone().set(line);
        }
        let again = config.to_toml().map(|text| toml::from_str(&text));
        if let Ok(again) = again {
            let again: Config = again.unwrap_or_else(|error| panic!("its own text: {error}"));
            assert_eq!(format!("{again:?}"), format!("{config:?}"));
        }
        let _ = config.set("training.epochs=2");
        let network = config.model.check().is_ok();
        network && config.training.check().is_ok()
    },
};

/// The table of predictions that `evaluate` reads again.
pub const PREDICTIONS: Target = Target {
    name: "predictions",
    most_memory: 64 * MEBIBYTE,
    seeds: &["tests/fuzz/seeds/predictions"],
    accepts: |bytes| Predictions::from_csv(bytes).is_ok(),
};

/// The bytes with the digest that a checkpoint of them has, where they have a place for one.
pub fn signed(bytes: &[u8]) -> Vec<u8> {
    const MARK: &[u8] = br#"{\"sha256\":\""#;
    let mut bytes = bytes.to_vec();
    let found = bytes.windows(MARK.len()).position(|window| window == MARK);
    let place = found.map(|found| found + MARK.len()..found + MARK.len() + 64);
    if let Some(place) = place.filter(|place| place.end <= bytes.len()) {
        bytes[place.clone()].fill(b'0');
        let digest = Sha256::digest(&bytes);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        bytes[place].copy_from_slice(digest.as_bytes());
    }
    bytes
}
