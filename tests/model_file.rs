use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use fer_data::drawn::DrawnFaces;
use fer_data::{Expression, Picture, Resize};
use fer_model::file::{
    self, Calibration, Description, Preprocessing, SelfTest, TemperatureOrigin, TrainingSummary,
};
use fer_model::ops::Engine;
use fer_model::{Agreement, Architecture, Classifier, ModelError, Parameters, Prediction};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::Value;

fn face(index: usize) -> Picture {
    Picture::from_pixels(&DrawnFaces::new(0).draw(index).pixels, "face").unwrap()
}

/// An untrained model in a folder of its own.
fn saved() -> (tempfile::TempDir, PathBuf, BTreeMap<String, Tensor>) {
    saved_as(Architecture::default())
}

fn saved_as(architecture: Architecture) -> (tempfile::TempDir, PathBuf, BTreeMap<String, Tensor>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let parameters = Parameters::new(4, &Device::Cpu);
    let network = architecture
        .build(8, Engine::detect(), parameters.builder())
        .unwrap();
    let weights = parameters.snapshot().unwrap();
    let description = Description {
        format: Description::FORMAT,
        library: Description::library_name(),
        architecture,
        classes: Expression::class_names(),
        preprocessing: Preprocessing::default(),
        training: TrainingSummary {
            validation_fraction: Some(0.1),
            ..TrainingSummary::default()
        },
        calibration: None,
        abstention: None,
        judged: None,
        self_test: SelfTest::record(&network, &face(0), &Device::Cpu).unwrap(),
    };
    file::save(&path, &weights, &description).unwrap();
    (folder, path, weights)
}

/// Writes the file again with its description and its tensors changed.
fn rewrite(
    path: &Path,
    describe: impl FnOnce(&mut Value),
    change: impl FnOnce(&mut BTreeMap<String, (Vec<usize>, Vec<u8>)>),
) {
    let bytes = fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut description: Value =
        serde_json::from_str(&header.metadata().as_ref().unwrap()["fer"]).unwrap();
    describe(&mut description);
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let dtypes: BTreeMap<String, safetensors::Dtype> = tensors
        .iter()
        .map(|(name, view)| (name.to_string(), view.dtype()))
        .collect();
    let mut tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, view)| {
            (
                name.to_string(),
                (view.shape().to_vec(), view.data().to_vec()),
            )
        })
        .collect();
    change(&mut tensors);
    let views = tensors.iter().map(|(name, (shape, data))| {
        let dtype = dtypes.get(name).copied();
        let dtype = dtype.unwrap_or(safetensors::Dtype::F32);
        (
            name.as_str(),
            TensorView::new(dtype, shape.clone(), data).unwrap(),
        )
    });
    let metadata = HashMap::from([("fer".to_string(), description.to_string())]);
    fs::write(path, safetensors::serialize(views, Some(metadata)).unwrap()).unwrap();
}

fn refusal(path: &Path) -> String {
    match Classifier::load(path, &Device::Cpu) {
        Ok(_) => panic!("it was accepted"),
        Err(error @ ModelError::Refused { .. }) => error.to_string(),
        Err(error) => panic!("refused for another reason: {error}"),
    }
}

#[test]
fn weights_classes_and_description_come_back() {
    let (_folder, path, weights) = saved();
    let model = file::load(&path, &Device::Cpu, Engine::detect()).unwrap();
    assert_eq!(model.description.classes, Expression::class_names());
    assert_eq!(model.description.training.validation_fraction, Some(0.1));
    assert_eq!(
        model.weights.keys().collect::<Vec<_>>(),
        weights.keys().collect::<Vec<_>>()
    );
    for (name, tensor) in &weights {
        let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(flat(tensor), flat(&model.weights[name]), "{name}");
    }
}

#[test]
fn the_same_model_is_the_same_bytes() {
    let ((_one, first, _), (_other, second, _)) = (saved(), saved());
    assert_eq!(fs::read(first).unwrap(), fs::read(second).unwrap());
}

#[test]
fn one_picture_and_many_are_predicted_the_same() {
    let (_folder, path, _weights) = saved();
    let classifier = Classifier::load(&path, &Device::Cpu).unwrap();
    let pictures: Vec<Picture> = (0..5).map(face).collect();
    let many = classifier.predict_many(&pictures).unwrap();
    for (picture, together) in pictures.iter().zip(&many) {
        let alone = classifier.predict(picture).unwrap();
        assert_eq!(alone.class(), together.class());
        for (one, other) in alone.probabilities().iter().zip(together.probabilities()) {
            assert!((one - other).abs() < 1e-6);
        }
        let sum: f32 = alone.probabilities().iter().sum();
        assert!((sum - 1.0).abs() < 1e-5);
    }
    assert!(classifier.predict_many(&[]).unwrap().is_empty());
}

#[test]
fn a_file_that_is_no_model_is_refused_with_the_reason() {
    let (folder, path, _weights) = saved();
    let bytes = fs::read(&path).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let text = refusal(&write("notes.txt", b"hello, this is a text"));
    assert!(
        text.contains("notes.txt") && text.contains("no whole safetensors file"),
        "{text}"
    );
    assert!(refusal(&write("empty", b"")).contains("no whole safetensors file"));
    assert!(
        refusal(&write("cut", &bytes[..bytes.len() / 2])).contains("no whole safetensors file")
    );
    let view = TensorView::new(safetensors::Dtype::F32, vec![1], &[0; 4]).unwrap();
    let foreign = safetensors::serialize([("w", view)], None).unwrap();
    assert!(refusal(&write("foreign", &foreign)).contains("metadata key `fer`"));
    let missing = Classifier::load(folder.path().join("missing"), &Device::Cpu)
        .map(|_| ())
        .unwrap_err();
    assert!(missing.to_string().contains("missing"), "{missing}");
}

#[test]
fn the_way_of_resizing_travels_with_the_model() {
    let (folder, path, _weights) = saved();
    let picture = folder.path().join("stripes.png");
    let stripes = image::GrayImage::from_fn(300, 200, |x, y| image::Luma([(x * 90 + y) as u8]));
    stripes.save(&picture).unwrap();
    let seen_by = |resize: &str| {
        let resize = resize.to_string();
        rewrite(
            &path,
            |description| description["preprocessing"]["resize"] = resize.into(),
            |_| (),
        );
        let classifier = Classifier::load(&path, &Device::Cpu).unwrap();
        (
            classifier.resize(),
            classifier.open_picture(&picture).unwrap(),
        )
    };
    let smooth = seen_by("antialiased");
    let opencv = seen_by("opencv-linear");
    assert_eq!(
        (smooth.0, opencv.0),
        (Resize::Antialiased, Resize::OpencvLinear)
    );
    assert_ne!(smooth.1, opencv.1);
    assert_eq!(
        seen_by("antialiased-triangle"),
        smooth,
        "its name in older files"
    );
    rewrite(
        &path,
        |description| description["preprocessing"]["resize"] = "nearest".into(),
        |_| (),
    );
    assert!(refusal(&path).contains("nearest"));
}

#[test]
fn other_formats_architectures_and_preprocessing_are_refused() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 5] = [
        (
            |description| description["format"] = 99.into(),
            "format 99, this library reads format 1",
        ),
        (
            |description| description["architecture"]["arch"] = "transformer".into(),
            "transformer",
        ),
        (
            |description| description["preprocessing"]["side"] = 64.into(),
            "preprocessing",
        ),
        (
            |description| description["classes"][1] = "angry".into(),
            "stands twice",
        ),
        (
            |description| drop(description.as_object_mut().unwrap().remove("classes")),
            "classes",
        ),
    ];
    for (change, reason) in cases {
        let (_folder, path, _weights) = saved();
        rewrite(&path, change, |_| ());
        let text = refusal(&path);
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn missing_extra_and_misshapen_tensors_are_refused_by_name() {
    type Change = fn(&mut BTreeMap<String, (Vec<usize>, Vec<u8>)>);
    let cases: [(Change, &str); 4] = [
        (
            |tensors| drop(tensors.remove("conv2.bias")),
            "conv2.bias is missing",
        ),
        (
            |tensors| drop(tensors.insert("more".into(), (vec![1], vec![0; 4]))),
            "more belongs to no layer",
        ),
        (
            |tensors| tensors.get_mut("dense2.weight").unwrap().0 = vec![128, 8],
            "dense2.weight has shape [128, 8], expected [8, 128]",
        ),
        (
            |tensors| {
                tensors.get_mut("conv1.bias").unwrap().1[..4]
                    .copy_from_slice(&f32::NAN.to_le_bytes())
            },
            "conv1.bias holds a value that is not finite",
        ),
    ];
    for (change, reason) in cases {
        let (_folder, path, _weights) = saved();
        rewrite(&path, |_| (), change);
        let text = refusal(&path);
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn changed_weights_fail_the_self_test() {
    let (_folder, path, _weights) = saved();
    rewrite(
        &path,
        |_| (),
        |tensors| {
            tensors.get_mut("dense2.bias").unwrap().1[..4].copy_from_slice(&0.01f32.to_le_bytes())
        },
    );
    assert!(refusal(&path).contains("self-test fails: logit 0"));
}

/// Answers of the model at `path` for twenty drawn faces.
fn answers(path: &Path) -> Vec<Prediction> {
    let classifier = Classifier::load(path, &Device::Cpu).unwrap();
    let pictures: Vec<Picture> = (0..20).map(face).collect();
    classifier.predict_many(&pictures).unwrap()
}

#[test]
fn the_stochastic_depth_of_older_files_changes_no_answer() {
    let (_folder, path, _weights) = saved_as(Architecture::named("mobile").unwrap());
    let without = answers(&path);
    for rate in [0.0f64, 0.2] {
        let older = |description: &mut Value| {
            description["architecture"]["stochastic_depth"] = rate.into();
        };
        rewrite(&path, older, |_| ());
        assert_eq!(answers(&path), without);
    }
    rewrite(
        &path,
        |description| description["architecture"]["stochastic_width"] = 2.into(),
        |_| (),
    );
    let text = refusal(&path);
    assert!(text.contains("unknown field `stochastic_width`"), "{text}");
}

fn agreement(one: &[Prediction], other: &[Prediction]) -> Agreement {
    Agreement::between(
        one.iter().map(Prediction::probabilities),
        other.iter().map(Prediction::probabilities),
    )
}

#[test]
fn a_temperature_divides_the_logits_and_leaves_every_class_what_it_is() {
    let (_folder, path, _weights) = saved();
    let plain = answers(&path);
    let calibration = Calibration {
        temperature: 3.0,
        origin: TemperatureOrigin::CarriedOver {
            from: "another".into(),
        },
    };
    rewrite(
        &path,
        |description| description["calibration"] = serde_json::to_value(&calibration).unwrap(),
        |_| (),
    );
    let classifier = Classifier::load(&path, &Device::Cpu).unwrap();
    assert_eq!(classifier.calibration(), Some(&calibration));
    let cooled = answers(&path);
    assert_eq!(agreement(&plain, &cooled).equal, 20);
    for (plain, cooled) in plain.iter().zip(&cooled) {
        let powers = plain.probabilities().iter().map(|value| value.cbrt());
        let sum: f32 = powers.clone().sum();
        for (expected, found) in powers.zip(cooled.probabilities()) {
            assert!((expected / sum - found).abs() < 1e-6, "{expected} {found}");
        }
        assert!(cooled.probability() < plain.probability());
    }
}

#[test]
fn a_temperature_that_nothing_can_be_divided_by_is_refused() {
    for temperature in [0.0, -2.0] {
        let (_folder, path, _weights) = saved();
        let fitted =
            serde_json::json!({ "split": "validation", "pictures": 3, "chose_epoch": true });
        rewrite(
            &path,
            |description| {
                description["calibration"] = serde_json::json!({
                    "temperature": temperature,
                    "origin": { "fitted": fitted },
                })
            },
            |_| (),
        );
        let text = refusal(&path);
        assert!(
            text.contains("temperature") && text.contains("0.01 to 100"),
            "{text}"
        );
    }
}

#[test]
fn another_description_leaves_the_tensors_what_they_are() {
    let (folder, path, weights) = saved();
    let mut description = file::load(&path, &Device::Cpu, Engine::detect())
        .unwrap()
        .description;
    let halved = folder.path().join("halved.safetensors");
    file::save(&halved, &file::halve(&weights).unwrap(), &description).unwrap();
    let abstention = r#"{"steps": [{"risk": 0.25, "threshold": 0.0, "coverage": 1.0}],
        "origin": {"measured": {"split": "validation", "pictures": 40}}}"#;
    description.abstention = serde_json::from_str(abstention).unwrap();
    for from in [&path, &halved] {
        let to = folder.path().join("to.safetensors");
        file::rewrite(from, &to, &description).unwrap();
        let saved = folder.path().join("saved.safetensors");
        let weights = match from == &path {
            true => weights.clone(),
            false => file::halve(&weights).unwrap(),
        };
        file::save(&saved, &weights, &description).unwrap();
        assert_eq!(fs::read(&to).unwrap(), fs::read(&saved).unwrap());
        let classifier = Classifier::load(&to, &Device::Cpu).unwrap();
        assert_eq!(classifier.at_risk(0.3).unwrap().coverage, 1.0);
        let error = classifier.at_risk(0.2).unwrap_err().to_string();
        assert!(
            error.contains("40 validation pictures show is 0.2500"),
            "{error}"
        );
        assert!(classifier.at_risk(5.0).is_err() && classifier.at_risk(f64::NAN).is_err());
    }
    let none = Classifier::load(&path, &Device::Cpu).unwrap().at_risk(0.3);
    assert!(matches!(none, Err(ModelError::NoAbstention)));
    rewrite(
        &folder.path().join("to.safetensors"),
        |description| description["abstention"]["steps"][0]["threshold"] = 0.5.into(),
        |_| (),
    );
    let refused = refusal(&folder.path().join("to.safetensors"));
    assert!(refused.contains("steps of abstaining"), "{refused}");
}

#[test]
fn below_a_threshold_a_prediction_is_no_answer() {
    let (_folder, path, _) = saved();
    let classifier = Classifier::load(&path, &Device::Cpu).unwrap();
    let prediction = classifier.predict(&face(0)).unwrap();
    let probability = f64::from(prediction.probability());
    assert_eq!(
        prediction.answer(probability),
        Some(prediction.class_name())
    );
    assert_eq!(prediction.answer(probability + 1e-6), None);
}

#[test]
fn a_model_in_16_bits_is_half_the_size_and_answers_nearly_the_same() {
    let (folder, path, _weights) = saved();
    let model = file::load(&path, &Device::Cpu, Engine::detect()).unwrap();
    let halved = model.halved(&Device::Cpu).unwrap();
    let small = folder.path().join("small.safetensors");
    file::save(&small, &halved.weights, &halved.description).unwrap();
    let size = |path: &Path| fs::metadata(path).unwrap().len() as f64;
    let share = size(&small) / size(&path);
    assert!((0.49..0.51).contains(&share), "{share}");
    let agreement = agreement(&answers(&path), &answers(&small));
    assert_eq!((agreement.pictures, agreement.share_equal()), (20, 1.0));
    let difference = agreement.largest_difference;
    assert!(difference > 0.0 && difference < 1e-3, "{difference}");
    // The self-test was taken with the rounded weights, and is still strict about them.
    assert_ne!(halved.description.self_test, model.description.self_test);
    rewrite(
        &small,
        |_| (),
        |tensors| tensors.get_mut("dense2.bias").unwrap().1[..2].copy_from_slice(&[0, 0x2c]),
    );
    assert!(refusal(&small).contains("self-test fails: logit 0"));
}

#[test]
fn halving_rounds_to_the_nearest_and_keeps_what_16_bits_cannot_hold() {
    let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
    // Between 1 and the next value, 1 + 2^-10: below the middle, the middle, above it.
    let step = 2f32.powi(-10);
    let ties = [1.0 + 0.49 * step, 1.0 + 0.5 * step, 1.0 + 0.51 * step];
    let weights = BTreeMap::from([
        ("ties".to_string(), tensor(&ties)),
        ("large".to_string(), tensor(&[1.0, 65_520.0])),
        ("largest".to_string(), tensor(&[1.0, -65_504.0])),
        ("norm.running_var".to_string(), tensor(&[1e-9, 2.0])),
        ("norm.running_mean".to_string(), tensor(&[0.5, 2.0])),
    ]);
    let halved = file::halve(&weights).unwrap();
    let widened = |name: &str| -> Vec<f32> {
        let tensor = halved[name].to_dtype(candle_core::DType::F32).unwrap();
        tensor.to_vec1().unwrap()
    };
    assert_eq!(widened("ties"), [1.0, 1.0, 1.0 + step]);
    let kept: Vec<&str> = halved
        .iter()
        .filter(|(_, tensor)| tensor.dtype() == candle_core::DType::F32)
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(kept, ["large", "norm.running_var"]);
    assert_eq!(widened("norm.running_var"), [1e-9, 2.0]);
}

#[test]
fn brain_floats_are_read_and_other_types_refused_by_name() {
    let (_folder, path, weights) = saved();
    let model = file::load(&path, &Device::Cpu, Engine::detect()).unwrap();
    let cast = |dtype| -> BTreeMap<String, Tensor> {
        let cast = |tensor: &Tensor| tensor.to_dtype(dtype).unwrap();
        let of = |(name, tensor): (&String, &Tensor)| (name.clone(), cast(tensor));
        weights.iter().map(of).collect()
    };
    let brain = cast(candle_core::DType::BF16);
    let classes = model.description.classes.len();
    let architecture = &model.description.architecture;
    let engine = Engine::detect();
    let network = file::network(architecture, classes, &brain, &Device::Cpu, engine).unwrap();
    let mut description = model.description.clone();
    description.self_test = SelfTest::record(&network, &face(0), &Device::Cpu).unwrap();
    file::save(&path, &brain, &description).unwrap();
    let read = file::load(&path, &Device::Cpu, engine).unwrap();
    let widened = brain["conv1.weight"].to_dtype(candle_core::DType::F32);
    let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(flat(&read.weights["conv1.weight"]), flat(&widened.unwrap()));
    file::save(&path, &cast(candle_core::DType::F64), &description).unwrap();
    let text = refusal(&path);
    assert!(text.contains("F64, expected F32, F16 or BF16"), "{text}");
}
