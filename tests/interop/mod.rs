//! Other programs given our networks. Here ONNX's checker and onnxruntime, in a virtual environment; what
//! PyTorch and Keras say is stored, and `just interop` asks them again.

mod exchange;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use candle_core::Device;
use fer_data::Picture;
use fer_model::file::{self, Model};
use fer_model::ops::Engine;
use fer_model::{Classifier, export, pictures_to_tensor};
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;
use serde_json::Value;

use crate::formula::checksum;
use crate::keras::weights;

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// A Python with what the requirements name: the one that `ONNX_PYTHON` names, or one of a virtual
/// environment that is made here once.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(make_python)
}

fn make_python() -> PathBuf {
    if let Some(named) = std::env::var_os("ONNX_PYTHON") {
        return named.into();
    }
    let requirements = here().join("onnx-requirements.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx");
    let python = environment.join("bin/python");
    let whole = environment.join("requirements.txt");
    if fs::read_to_string(&whole).ok().as_ref() != Some(&wanted) {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment));
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(&requirements));
        fs::write(&whole, wanted).unwrap();
    }
    python
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?} failed; ONNX files are tested by onnx and onnxruntime, which takes python3 with venv and \
         pip (on Debian: apt-get install python3-venv), or a Python that has what \
         tests/interop/onnx-requirements.txt names in the variable ONNX_PYTHON: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Every network passes ONNX's checker, agrees in onnxruntime with us on 1,000 faces, and no tensor and no
/// ReLU of it can be changed without notice.
#[test]
fn onnxruntime_answers_as_we_do_and_notices_every_change() {
    let folder = tempfile::tempdir().unwrap();
    exchange::write(folder.path()).unwrap();
    let script = here().join("onnx_agreement.py");
    let output = run(Command::new(python()).arg(script).arg(folder.path()));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 14, "{found}");
    let changes = |row: &Value| row.get("changes").and_then(Value::as_u64);
    let tried: u64 = rows.iter().filter_map(changes).sum();
    assert!(tried > 100, "{found}");
    for row in rows {
        assert_eq!(row["agrees"], true, "{row}");
        assert_eq!(row["pictures"], 1000, "{row}");
    }
}

/// The README's lines of Python, in a folder with what they name.
#[test]
fn a_few_lines_of_python_predict_as_the_classifier_does() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let model = file::builtin(&Device::Cpu, Engine::available()[0]).unwrap();
    fs::write(at.join("fer.onnx"), export::onnx(&model).unwrap()).unwrap();
    let face = here().join("../../assets/face.png");
    fs::create_dir(at.join("assets")).unwrap();
    fs::copy(&face, at.join("assets/face.png")).unwrap();
    let script = here().join("../../crates/fer-model/examples/python/onnx_predict.py");
    let output = run(Command::new(python()).arg(script).current_dir(at));
    let said = String::from_utf8(output.stdout).unwrap();
    let theirs: HashMap<&str, f32> = said
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, probability)| (name, probability.trim().parse().unwrap()))
        .collect();

    let classifier = Classifier::new(model, &Device::Cpu).unwrap();
    let picture = classifier.open_picture(&face).unwrap();
    let prediction = classifier.predict(&picture).unwrap();
    assert_eq!(theirs.len(), prediction.iter().len());
    for (name, ours) in prediction.iter() {
        assert!((theirs[name] - ours).abs() < 0.002, "{name}: {said}");
    }
}

/// What `just interop --write` keeps.
#[derive(Deserialize)]
struct Stored {
    built_in: StoredAnswers,
    /// The description that import_keras.py gave a network with the weights of a formula.
    keras: Value,
}

/// What other programs said of the first faces.
#[derive(Deserialize)]
struct StoredAnswers {
    /// SHA-256 of the model file.
    sha256: String,
    /// SHA-256 of the pictures' grey values.
    pictures: String,
    pytorch: Vec<Vec<f32>>,
    onnxruntime: Vec<Vec<f32>>,
}

fn stored() -> Stored {
    serde_json::from_str(include_str!("../oracle/interop.json")).unwrap()
}

fn logits(model: &Model, pictures: &[Picture]) -> Vec<Vec<f32>> {
    let input = pictures_to_tensor(pictures, &Device::Cpu).unwrap();
    let logits = model.logits(None, &input).unwrap();
    logits.to_vec2().unwrap()
}

#[test]
fn the_built_in_model_answers_as_pytorch_and_onnxruntime_do() {
    let stored = stored().built_in;
    let asset = here().join("../../assets/fer.safetensors");
    assert_eq!(
        checksum(&fs::read(asset).unwrap()),
        stored.sha256,
        "the built-in model is another one than other programs were asked about; `just interop --write` asks them again"
    );
    let pictures = exchange::unseen(stored.pytorch.len()).unwrap();
    let pixels: Vec<u8> = pictures.iter().flat_map(Picture::pixels).copied().collect();
    assert_eq!(checksum(&pixels), stored.pictures, "other faces are drawn");
    let ours = logits(
        &file::builtin(&Device::Cpu, Engine::available()[0]).unwrap(),
        &pictures,
    );
    for theirs in [&stored.pytorch, &stored.onnxruntime] {
        assert!(theirs.len() >= 24);
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_eq!(ours.len(), theirs.len());
            for (one, other) in ours.iter().zip(theirs) {
                assert!((one - other).abs() < 1e-4, "{one} {other}");
            }
        }
    }
}

/// A model file of these weights that says of itself what import_keras.py said.
fn brought_in(folder: &Path, weights: &BTreeMap<String, (Vec<usize>, Vec<f32>)>) -> PathBuf {
    let bytes: BTreeMap<&String, Vec<u8>> = weights
        .iter()
        .map(|(name, (_, values))| {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes());
            (name, bytes.collect())
        })
        .collect();
    let views = weights.iter().map(|(name, (shape, _))| {
        let view = TensorView::new(Dtype::F32, shape.clone(), &bytes[name]);
        (name, view.unwrap())
    });
    let metadata = HashMap::from([("fer".to_string(), stored().keras.to_string())]);
    let path = folder.join("keras.safetensors");
    fs::write(
        &path,
        safetensors::serialize(views, Some(metadata)).unwrap(),
    )
    .unwrap();
    path
}

/// What import_keras.py writes is a model file to us, and Keras's logits in it are ours.
#[test]
fn a_network_that_keras_saved_is_taken_with_keras_logits_and_not_with_a_changed_weight() {
    let folder = tempfile::tempdir().unwrap();
    let mut weights = weights();
    let path = brought_in(folder.path(), &weights);
    let model = file::load(&path, &Device::Cpu, Engine::available()[0]).unwrap();
    let said = &stored().keras;
    let classes: Vec<String> = serde_json::from_value(said["classes"].clone()).unwrap();
    let names: Vec<String> = model.description.classes.into();
    assert_eq!(names, classes);
    assert_eq!(model.description.training.data, "a formula");

    let (_, values) = weights.get_mut("dense1.weight").unwrap();
    values.iter_mut().for_each(|value| *value *= 1.01);
    let path = brought_in(folder.path(), &weights);
    let refused = file::load(&path, &Device::Cpu, Engine::available()[0]);
    let error = refused.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("self-test"), "{error}");
}
