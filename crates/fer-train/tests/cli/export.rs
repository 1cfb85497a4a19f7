use std::fs;
use std::path::Path;

use fer_model::ops::Engine;
use fer_model::{Device, export, file};

use crate::{fer, small_run, small_table, stderr, stdout};

/// The ONNX file that the library makes of a model file.
fn exported(model: &Path) -> Vec<u8> {
    let model = file::load(model, &Device::Cpu, Engine::detect()).unwrap();
    export::onnx(&model).unwrap()
}

#[test]
fn the_built_in_model_is_written_where_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = fer(folder.path(), &["export", "--onnx", "fer.onnx"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stdout(&output);
    for words in [
        "fer.onnx",
        "uint8 (batch, 1, 48, 48)",
        "0 to 255",
        "float32 (batch, 8)",
        "surprised",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(stderr(&output).contains("built in"), "{}", stderr(&output));
    let model = file::builtin(&Device::Cpu, Engine::detect()).unwrap();
    let written = fs::read(folder.path().join("fer.onnx")).unwrap();
    assert_eq!(written, export::onnx(&model).unwrap());
}

#[test]
fn a_run_is_written_and_says_nothing_of_where_it_lay() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "run", &[]);
    let output = fer(
        at,
        &[
            "export",
            "run/model.safetensors",
            "--onnx",
            "run/model.onnx",
        ],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let written = fs::read(at.join("run/model.onnx")).unwrap();
    assert_eq!(written, exported(&at.join("run/model.safetensors")));
    let text = String::from_utf8_lossy(&written);
    assert!(!text.contains(&at.display().to_string()) && !text.contains("/run"));
}

#[test]
fn what_cannot_be_written_is_said_and_leaves_the_model_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets");
    fs::copy(assets.join("fer.safetensors"), at.join("fer.safetensors")).unwrap();
    let before = fs::read(at.join("fer.safetensors")).unwrap();
    for (arguments, code, words) in [
        (&["export"][..], 2, "--onnx"),
        (
            &["export", "fer.safetensors", "--onnx", "./fer.safetensors"],
            2,
            "the model itself",
        ),
        (
            &["export", "none.safetensors", "--onnx", "fer.onnx"],
            1,
            "none.safetensors",
        ),
        (
            &["export", "--onnx", "nowhere/fer.onnx"],
            1,
            "nowhere/fer.onnx",
        ),
        (&["export", "--onnx", "."], 1, "cannot write"),
    ] {
        let output = fer(at, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let said = stderr(&output);
        assert!(
            said.contains(words) && !said.contains("panicked"),
            "{arguments:?}: {said}"
        );
    }
    assert_eq!(fs::read(at.join("fer.safetensors")).unwrap(), before);
    assert_eq!(
        fs::read_dir(at).unwrap().count(),
        1,
        "nothing half-written is left"
    );
}
