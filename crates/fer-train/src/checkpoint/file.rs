use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail, ensure};
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::checkpoint::Identity;
use crate::digest::{hexadecimal, sha256};
use crate::fit::{Record, RunState};

/// The metadata key under which everything but the tensors stands, as JSON.
const KEY: &str = "fer-checkpoint";
/// The format that this version writes, and the only one it reads.
const FORMAT: u32 = 1;
/// How the digest stands in the file: as the first key of JSON within JSON.
const MARK: &[u8] = br#"{\"sha256\":\""#;
/// What stands in the digest's place while it is computed.
const BLANK: [u8; 64] = [b'0'; 64];

const WEIGHTS: &str = "weights.";
const OPTIMISER: &str = "optimiser.";
const AVERAGE: &str = "average.";
const BEST: &str = "best.";

/// What one checkpoint file holds.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Which run it belongs to.
    pub identity: Identity,
    /// Where the run was; without timings.
    pub state: RunState,
}

#[derive(Serialize, Deserialize)]
struct Header<I, R> {
    sha256: String,
    format: u32,
    identity: I,
    record: R,
}

/// The bytes of a checkpoint; equal states of equal runs give equal bytes.
///
/// # Errors
/// None that can happen with tensors on the CPU and finite figures.
pub fn encode(identity: &Identity, state: &RunState) -> Result<Vec<u8>> {
    let header = Header {
        sha256: String::from_utf8_lossy(&BLANK).into_owned(),
        format: FORMAT,
        identity,
        record: &state.record,
    };
    let groups = [
        (WEIGHTS, Some(&state.weights)),
        (OPTIMISER, Some(&state.optimiser)),
        (AVERAGE, state.average.as_ref()),
        (BEST, state.best.as_ref()),
    ];
    let mut tensors = BTreeMap::new();
    for (group, members) in groups {
        for (name, tensor) in members.into_iter().flatten() {
            tensors.insert(format!("{group}{name}"), tensor);
        }
    }
    // One key only: the header's keys come out of a hash map, in another order each time.
    let metadata = HashMap::from([(KEY.to_string(), serde_json::to_string(&header)?)]);
    let mut bytes = safetensors::serialize(tensors, Some(metadata))?;
    let place = digest_place(&bytes).context("the digest has no place")?;
    let digest = sha256(&bytes);
    bytes[place..place + BLANK.len()].copy_from_slice(digest.as_bytes());
    Ok(bytes)
}

/// Reads the bytes of a checkpoint.
///
/// # Errors
/// Bytes that are no whole checkpoint, that differ in a single bit from what was written, or that
/// another version of the format wrote.
pub fn decode(bytes: &[u8]) -> Result<Checkpoint> {
    check_digest(bytes)?;
    let (_, metadata) = SafeTensors::read_metadata(bytes)?;
    let text = metadata
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get(KEY))
        .context("it has no description")?;
    let version: Version = serde_json::from_str(text)?;
    ensure!(
        version.format == FORMAT,
        "it has format {}, this version reads format {FORMAT}",
        version.format
    );
    let header: Header<Identity, Record> = serde_json::from_str(text)?;
    let [weights, optimiser, average, best] = groups(bytes)?;
    let filled = |group: BTreeMap<String, Tensor>| (!group.is_empty()).then_some(group);
    Ok(Checkpoint {
        identity: header.identity,
        state: RunState {
            record: header.record,
            weights,
            optimiser,
            average: filled(average),
            best: filled(best),
            timings: Vec::new(),
        },
    })
}

/// The tensors of each group by name: weights, optimiser, average, best.
fn groups(bytes: &[u8]) -> Result<[BTreeMap<String, Tensor>; 4]> {
    let mut groups = [WEIGHTS, OPTIMISER, AVERAGE, BEST].map(|group| (group, BTreeMap::new()));
    for (name, view) in SafeTensors::deserialize(bytes)?.tensors() {
        let mut places = groups.iter_mut();
        let place = places.find_map(|(group, members)| Some((name.strip_prefix(*group)?, members)));
        let Some((name, members)) = place else {
            bail!("{name} belongs to no group of tensors")
        };
        let values: Vec<f32> = view
            .data()
            .as_chunks()
            .0
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect();
        let tensor = Tensor::from_vec(values, view.shape(), &Device::Cpu)?;
        members.insert(name.to_string(), tensor);
    }
    Ok(groups.map(|(_, members)| members))
}

/// The part of a description that tells whether the rest can be read.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

fn check_digest(bytes: &[u8]) -> Result<()> {
    let place = digest_place(bytes).context("it is no checkpoint")?;
    let end = place + BLANK.len();
    let mut digest = Sha256::new();
    digest.update(&bytes[..place]);
    digest.update(BLANK);
    digest.update(&bytes[end..]);
    let found = hexadecimal(&digest.finalize());
    ensure!(
        found.as_bytes() == &bytes[place..end],
        "its content does not fit its digest"
    );
    Ok(())
}

/// Where the digest begins. The metadata stand first in a safetensors file.
fn digest_place(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(256)];
    let mark = head.windows(MARK.len()).position(|part| part == MARK)?;
    let place = mark + MARK.len();
    (bytes.len() >= place + BLANK.len()).then_some(place)
}
