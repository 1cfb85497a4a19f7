//! Model files as a stranger may make them: each is refused with its own message, without a panic and
//! without taking the memory that it asks for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::Device;
use fer_model::{Classifier, ModelError};
use serde_json::{Map, Value, json};

/// The built-in model.
fn bytes() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/fer.safetensors");
    fs::read(path).unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    refusal_of(file.path())
}

fn refusal_of(path: &Path) -> String {
    match Classifier::load(path, &Device::Cpu) {
        Ok(_) => panic!("it was accepted"),
        Err(error @ (ModelError::Refused { .. } | ModelError::Io { .. })) => error.to_string(),
        Err(error) => panic!("refused for another reason: {error}"),
    }
}

/// A file with this header over the data of the built-in model.
fn with_header(header: &str) -> Vec<u8> {
    let whole = bytes();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(&whole[8 + length..]);
    file
}

fn header() -> Map<String, Value> {
    let whole = bytes();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    serde_json::from_slice(&whole[8..8 + length]).unwrap()
}

/// What is said to a header that `change` has changed.
fn changed(change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let mut header = header();
    change(&mut header);
    refusal(&with_header(&Value::Object(header).to_string()))
}

/// What is said to a description that `change` has changed.
fn described(change: impl FnOnce(&mut Value)) -> String {
    changed(|header| {
        let text = header["__metadata__"]["fer"].as_str().unwrap();
        let mut description: Value = serde_json::from_str(text).unwrap();
        change(&mut description);
        header["__metadata__"]["fer"] = json!(description.to_string());
    })
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is missing: {text}");
    }
}

/// The name of some tensor with its entry.
fn first(header: &mut Map<String, Value>) -> (String, Value) {
    let mut names = header.keys().filter(|name| *name != "__metadata__");
    let name = names.next().unwrap().clone();
    (name.clone(), header[&name].clone())
}

#[test]
fn a_length_of_the_header_that_is_wrong_is_refused() {
    let whole = bytes();
    for length in [0, 1, 7, u64::MAX, u64::MAX / 2, 1 << 40, whole.len() as u64] {
        let mut file = whole.clone();
        file[..8].copy_from_slice(&length.to_le_bytes());
        says(&refusal(&file), &["no whole safetensors file"]);
    }
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap());
    for other in [length - 1, length + 1] {
        let mut file = whole.clone();
        file[..8].copy_from_slice(&other.to_le_bytes());
        says(&refusal(&file), &["no whole safetensors file"]);
    }
}

#[test]
fn a_file_cut_anywhere_or_with_a_tail_is_refused() {
    let whole = bytes();
    let places = (0..40).map(|part| part * whole.len() / 40);
    for place in places.chain([1, 7, 8, 9, whole.len() - 1]) {
        says(&refusal(&whole[..place]), &["no whole safetensors file"]);
    }
    says(
        &refusal(&[&whole[..], &[0]].concat()),
        &["no whole safetensors file"],
    );
}

#[test]
fn a_huge_header_is_refused_before_it_is_read() {
    let spaces = " ".repeat(101 << 20);
    says(
        &refusal(&with_header(&spaces)),
        &["no whole safetensors file"],
    );
    let nested = "[".repeat(1 << 20);
    says(
        &refusal(&with_header(&nested)),
        &["no whole safetensors file"],
    );
}

#[test]
fn offsets_that_overlap_or_lie_outside_are_refused() {
    for offsets in [
        json!([0, 4]),
        json!([8, 4]),
        json!([0, u64::MAX]),
        json!([u64::MAX, u64::MAX]),
        json!([-4, 4]),
    ] {
        let text = changed(|header| {
            let (name, mut entry) = first(header);
            entry["data_offsets"] = offsets;
            header.insert(name, entry);
        });
        says(&text, &["no whole safetensors file"]);
    }
    let text = changed(|header| {
        let (_, entry) = first(header);
        header.insert("zz_twin".into(), entry);
    });
    says(&text, &["no whole safetensors file"]);
}

#[test]
fn shapes_whose_product_overflows_and_other_types_are_refused() {
    for shape in [
        json!([1u64 << 40, 1u64 << 40]),
        json!([u64::MAX]),
        json!([u64::MAX, 0]),
        json!([0]),
        json!([]),
    ] {
        let text = changed(|header| {
            let (name, mut entry) = first(header);
            entry["shape"] = shape;
            header.insert(name, entry);
        });
        says(&text, &["refused as a model"]);
    }
    let text = changed(|header| {
        let (name, mut entry) = first(header);
        entry["dtype"] = json!("I16");
        header.insert(name, entry);
    });
    says(&text, &["I16", "expected F32, F16 or BF16"]);
}

#[test]
fn a_description_that_is_missing_broken_or_of_the_future_is_refused() {
    let text = changed(|header| {
        header.remove("__metadata__");
    });
    says(&text, &["metadata key `fer`"]);
    let text = changed(|header| header["__metadata__"]["fer"] = json!("{"));
    says(&text, &["description cannot be read"]);
    let text = described(|own| own["format"] = json!(2));
    says(&text, &["2"]);
    let deep = "[".repeat(100_000);
    let text = changed(|header| header["__metadata__"]["fer"] = json!(deep));
    says(&text, &["description cannot be read"]);
}

#[test]
fn classes_that_are_repeated_empty_or_too_few_are_refused() {
    for classes in [
        json!(["happy", "happy"]),
        json!([""]),
        json!([]),
        json!(["happy"]),
    ] {
        says(
            &described(|own| own["classes"] = classes),
            &["refused as a model"],
        );
    }
    let many: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
    says(
        &described(|own| own["classes"] = json!(many)),
        &["refused as a model"],
    );
}

#[test]
fn a_network_that_would_not_fit_any_memory_is_refused() {
    for (name, value) in [
        ("width", json!(1u64 << 40)),
        ("width", json!(0)),
        ("width", json!(-1)),
        ("width", json!(4_000_000_000u64)),
        ("squeeze", json!(1u64 << 40)),
        ("depth", json!(3)),
        ("dropout", json!(2.0)),
    ] {
        let text = described(|own| {
            let architecture = own["architecture"].as_object_mut().unwrap();
            architecture.insert(name.into(), value);
        });
        says(&text, &["refused as a model"]);
    }
}

#[test]
fn values_that_are_not_finite_are_refused_by_name() {
    let mut file = bytes();
    let end = file.len();
    // Not a number, in 16 bits.
    file[end - 2..].copy_from_slice(&0x7e00u16.to_le_bytes());
    says(&refusal(&file), &["not finite"]);
}

#[test]
fn changed_weights_fail_the_self_test() {
    let mut file = bytes();
    let end = file.len();
    for value in file[end - 4000..].chunks_exact_mut(2) {
        value.copy_from_slice(&0x4400u16.to_le_bytes());
    }
    says(&refusal(&file), &["self-test"]);
}

#[test]
fn folders_and_devices_are_no_models() {
    let folder = tempfile::tempdir().unwrap();
    says(&refusal_of(folder.path()), &["expected a file"]);
    if cfg!(unix) {
        says(&refusal_of(Path::new("/dev/zero")), &["expected a file"]);
    }
}

/// Wrong bits anywhere in the header: refused, or the same model with other words in it.
#[test]
fn wrong_bits_never_panic() {
    let whole = bytes();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut outcomes: BTreeMap<bool, usize> = BTreeMap::new();
    let mut random = 7u64;
    for _ in 0..300 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let mut file = whole.clone();
        file[(random >> 33) as usize % (8 + length)] ^= 1 << (random >> 61);
        let path = Path::new("strange.safetensors");
        let engine = fer_model::ops::Engine::detect();
        let read = fer_model::file::load_bytes(&file, path, &Device::Cpu, engine);
        *outcomes.entry(read.is_ok()).or_default() += 1;
    }
    assert!(outcomes[&false] > 100, "{outcomes:?}");
}
