//! Model files as a stranger may make them: the counts of what `tests/strange_models.rs` tests one by one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use candle_core::Device;
use fer_model::ModelError;
use fer_model::file::load_bytes;
use fer_model::ops::Engine;
use fer_trials::{Effort, Trial};
use serde_json::{Value, json};

use crate::memory::within;

pub(crate) const TRIALS: [Trial; 1] = [Trial {
    name: "models::refused",
    promise: "a model file that is cut, claims what it does not have, repeats classes, comes from the future, has \
              NaN weights or fails its self-test is refused with its own message, and costs at most 64 MiB beside \
              its bytes",
    run: refused,
}];

/// What reading such a file may hold at once beside its bytes.
const MOST: usize = 64 << 20;

/// A change of the header: its name, and what it does to it.
type Change = (&'static str, fn(&mut Value, &mut Value));

/// Changes of the tensors' entries and of the description, one kind each.
const CHANGES: [Change; 12] = [
    ("offsets that overlap", |header, _| {
        tensor(header)["data_offsets"] = json!([0, 4])
    }),
    ("offsets outside", |header, _| {
        tensor(header)["data_offsets"] = json!([0, u64::MAX])
    }),
    ("offsets backwards", |header, _| {
        tensor(header)["data_offsets"] = json!([8, 4])
    }),
    ("a shape that overflows", |header, _| {
        tensor(header)["shape"] = json!([1u64 << 40, 1u64 << 40])
    }),
    ("another type", |header, _| {
        tensor(header)["dtype"] = json!("F64")
    }),
    ("no metadata", |header, _| {
        header["__metadata__"] = json!({})
    }),
    ("no tensor", |header, _| {
        let kept = header["__metadata__"].take();
        *header = json!({ "__metadata__": kept });
    }),
    ("a future format", |_, own| own["format"] = json!(2)),
    ("classes repeated", |_, own| {
        let first = own["classes"][0].clone();
        own["classes"][1] = first;
    }),
    ("another network", |_, own| {
        own["architecture"]["width"] = json!(3)
    }),
    ("a network beyond any memory", |_, own| {
        own["architecture"]["width"] = json!(1u64 << 60)
    }),
    ("a self-test of other logits", |_, own| {
        let logits = own["self_test"]["logits"].as_array_mut();
        logits
            .into_iter()
            .flatten()
            .for_each(|logit| *logit = json!(9.0));
    }),
];

fn tensor(header: &mut Value) -> &mut Value {
    let entries = header.as_object_mut().into_iter().flatten();
    let mut tensors = entries.filter(|(name, _)| *name != "__metadata__");
    tensors.next().map(|(_, entry)| entry).unwrap()
}

fn refused(_effort: &Effort) -> Result<String> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fuzz/seeds/model/mobile.safetensors"
    );
    let whole = fs::read(path)?;
    let length = u64::from_le_bytes(whole[..8].try_into()?) as usize;
    let (header, data) = whole[8..].split_at(length);
    let mut messages = BTreeSet::new();
    let mut files = 0;
    let mut refuse = |name: &str, bytes: &[u8]| -> Result<()> {
        files += 1;
        messages.insert(message(name, bytes)?);
        Ok(())
    };
    for place in (0..whole.len()).step_by(whole.len() / 200) {
        refuse(&format!("cut to {place} bytes"), &whole[..place])?;
    }
    for claimed in [
        0,
        1,
        7,
        u64::MAX,
        1 << 40,
        whole.len() as u64,
        length as u64 - 1,
    ] {
        let bytes = [&claimed.to_le_bytes(), &whole[8..]].concat();
        refuse(&format!("a header of {claimed} bytes"), &bytes)?;
    }
    for huge in [" ".repeat(101 << 20), "[".repeat(1 << 20)] {
        refuse("a huge header", &joined(huge.as_bytes(), data))?;
    }
    for (name, change) in CHANGES {
        let mut header: Value = serde_json::from_slice(header)?;
        let text = header["__metadata__"]["fer"].as_str();
        let mut own: Value = serde_json::from_str(text.context("a description")?)?;
        change(&mut header, &mut own);
        if header["__metadata__"]["fer"].is_string() {
            header["__metadata__"]["fer"] = json!(own.to_string());
        }
        refuse(name, &joined(header.to_string().as_bytes(), data))?;
    }
    let mut unknown = data.to_vec();
    unknown[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    refuse("a weight that is NaN", &joined(header, &unknown))?;
    Ok(format!(
        "{files} files, all refused, with {} messages",
        messages.len()
    ))
}

fn joined(header: &[u8], data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header, data].concat()
}

/// What is said to bytes that are no usable model.
fn message(name: &str, bytes: &[u8]) -> Result<String> {
    let load = || load_bytes(bytes, Path::new("a model"), &Device::Cpu, Engine::Portable);
    match within(name, MOST + bytes.len(), load)? {
        Err(ModelError::Refused { reason, .. }) => Ok(reason.to_string()),
        Err(error) => bail!("{name}: refused for another reason: {error}"),
        Ok(_) => bail!("{name}: accepted"),
    }
}
