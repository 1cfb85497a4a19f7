//! Networks that teach: what becomes of the targets, and what a student makes of them.

use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor};
use fer_data::drawn::DrawnFaces;
use fer_data::{
    Augmentation, ClassNames, Dataset, DatasetParts, Entry, Expression, MemorySettings, Resize,
    Split, SplitSettings,
};
use fer_model::ops::{Engine, Mode};
use fer_model::{Architecture, Network, Parameters, Picture, Views, file, pictures_to_tensor};
use fer_train::distillation::{DistillationError, DistillationSettings, Teachers};
use fer_train::fit::{FitSettings, Silent, Trainer};

use crate::fine_tuning::{names, save};

const CPU: Device = Device::Cpu;
const PICTURES: usize = 24;

fn narrow() -> Architecture {
    serde_json::from_str(r#"{"arch": "vgg", "width": 4, "dropout": 0}"#).unwrap()
}

fn student() -> Architecture {
    serde_json::from_str(r#"{"arch": "cnn", "dropout": 0}"#).unwrap()
}

/// Two models of other weights, at `folder`.
fn teachers(folder: &Path, share: f64) -> Teachers {
    let paths = ["one", "two"].map(|name| folder.join(name));
    let resvgg = serde_json::from_str(r#"{"arch": "resvgg", "width": 4}"#).unwrap();
    for (path, architecture) in paths.iter().zip([narrow(), resvgg]) {
        save(path, &architecture, &Expression::class_names());
    }
    // One answers by mirror images too.
    let mut description = file::load(&paths[1], &CPU, Engine::Portable)
        .unwrap()
        .description;
    description.preprocessing.views = Views::Flips;
    file::rewrite(&paths[1], &paths[1], &description).unwrap();
    let settings = DistillationSettings {
        teachers: paths.to_vec(),
        share,
        sha256: Vec::new(),
    };
    Teachers::open(&settings, &CPU, Engine::detect()).unwrap()
}

fn faces() -> DrawnFaces {
    DrawnFaces::new(3).subjects(3).takes(1)
}

fn pictures() -> Tensor {
    let faces = faces();
    let pictures: Vec<Picture> = (0..PICTURES)
        .map(|index| Picture::from_pixels(&faces.draw(index).pixels, "drawn").unwrap())
        .collect();
    pictures_to_tensor(&pictures, &CPU).unwrap()
}

/// What a model answers, without the ways that the library takes.
fn softmax_of(path: &Path, pictures: &Tensor) -> Vec<Vec<f64>> {
    let model = file::load(path, &CPU, Engine::Portable).unwrap();
    let mut logits = model.network.forward(pictures, Mode::Predict).unwrap();
    if model.description.preprocessing.views == Views::Flips {
        let mirrored = pictures.flip(&[3]).unwrap();
        let other = model.network.forward(&mirrored, Mode::Predict).unwrap();
        logits = ((logits + other).unwrap() / 2.0).unwrap();
    }
    let rows: Vec<Vec<f32>> = logits.to_vec2().unwrap();
    let softmax = |row: Vec<f32>| {
        let powers: Vec<f64> = row.iter().map(|&logit| f64::from(logit).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|power| power / sum).collect()
    };
    rows.into_iter().map(softmax).collect()
}

/// Faces that train, with the targets given, or with their labels.
fn dataset(targets: Option<&[Vec<f32>]>) -> Dataset {
    let faces = faces();
    let entries = (0..PICTURES).map(|position| Entry {
        position,
        label: faces.expression(position).index(),
        distribution: targets.map(|targets| targets[position].as_slice().into()),
        subject: None,
        split: Split::Train,
    });
    Dataset::new(DatasetParts {
        name: "drawn".into(),
        class_names: Expression::class_names(),
        entries: entries.collect(),
        store: Box::new(faces),
        skipped: Vec::new(),
        split_rule: "all train".into(),
        split_settings: SplitSettings::default(),
        memory: MemorySettings::default(),
    })
    .unwrap()
}

fn one_hot() -> Vec<Vec<f32>> {
    let faces = faces();
    let row = |position| {
        let mut row = vec![0.0; 8];
        row[faces.expression(position).index()] = 1.0;
        row
    };
    (0..PICTURES).map(row).collect()
}

/// The weights after training.
fn trained(
    architecture: &Architecture,
    dataset: &Dataset,
    teachers: Option<&Teachers>,
    settings: FitSettings,
) -> Vec<f32> {
    let settings = settings.check().unwrap();
    let parameters = Parameters::new(1, &CPU);
    let engine = Engine::detect();
    let network = architecture.build(8, engine, parameters.builder()).unwrap();
    let trainer = Trainer {
        network: &network,
        teachers,
        parameters: &parameters,
        dataset,
        settings: &settings,
        device: &CPU,
    };
    let weights = trainer.run(&mut Silent).unwrap().weights;
    let values = weights.values();
    values
        .flat_map(|tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap())
        .collect()
}

fn settings() -> FitSettings {
    FitSettings {
        epochs: 3,
        batch_size: 8,
        learning_rate: 1e-4,
        ..FitSettings::default()
    }
}

fn farthest(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    let pairs = one.iter().zip(other);
    pairs.fold(0.0, |most, (one, other)| most.max((one - other).abs()))
}

#[test]
fn a_target_is_the_labels_and_the_mean_answer_of_the_teachers_by_their_share() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = pictures();
    teachers(folder.path(), 1.0);
    let answers = ["one", "two"].map(|name| softmax_of(&folder.path().join(name), &pictures));
    let targets = Tensor::from_vec(one_hot().concat(), (PICTURES, 8), &CPU).unwrap();
    for share in [0.25, 1.0] {
        let blended = teachers(folder.path(), share)
            .blend(&pictures, &targets)
            .unwrap();
        let blended: Vec<Vec<f32>> = blended.to_vec2().unwrap();
        for (picture, (row, own)) in blended.iter().zip(one_hot()).enumerate() {
            for (class, &value) in row.iter().enumerate() {
                let taught = (answers[0][picture][class] + answers[1][picture][class]) / 2.0;
                let expected = (1.0 - share) * f64::from(own[class]) + share * taught;
                assert!((f64::from(value) - expected).abs() < 1e-6);
            }
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn a_student_becomes_what_the_blended_targets_would_have_made_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let teachers = teachers(folder.path(), 0.75);
    let targets = Tensor::from_vec(one_hot().concat(), (PICTURES, 8), &CPU).unwrap();
    let blended = teachers.blend(&pictures(), &targets).unwrap();
    let labelled = dataset(None);
    let taught = trained(&student(), &labelled, Some(&teachers), settings());
    let by_hand = dataset(Some(&blended.to_vec2().unwrap()));
    let by_hand = trained(&student(), &by_hand, None, settings());
    let alone = trained(&student(), &labelled, None, settings());
    assert!(farthest(&taught, &by_hand) < 2e-5);
    assert!(
        farthest(&taught, &alone) > 2e-4,
        "the teachers change nothing"
    );
}

#[test]
fn teachers_see_the_changed_picture() {
    let folder = tempfile::tempdir().unwrap();
    let teachers = teachers(folder.path(), 0.5);
    let labelled = dataset(None);
    let targets = Tensor::from_vec(one_hot().concat(), (PICTURES, 8), &CPU).unwrap();
    let blended = teachers.blend(&pictures(), &targets).unwrap();
    let changed = FitSettings {
        augmentation: Augmentation {
            brightness: 1.0,
            ..Augmentation::default()
        },
        ..settings()
    };
    let fixed = dataset(Some(&blended.to_vec2().unwrap()));
    let fixed = trained(&student(), &fixed, None, changed.clone());
    let taught = trained(&student(), &labelled, Some(&teachers), changed);
    assert!(
        farthest(&taught, &fixed) > 1e-5,
        "they saw the unchanged pictures"
    );
}

#[test]
fn a_model_that_cannot_teach_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    save(&path, &narrow(), &names(&["grin", "scowl"]));
    let mut settings = DistillationSettings {
        teachers: vec![path.clone()],
        ..DistillationSettings::default()
    };
    let open = |settings: &DistillationSettings| Teachers::open(settings, &CPU, Engine::detect());
    let opened = open(&settings).unwrap();
    let eight = Expression::class_names();
    let refused = opened.check_for(&eight, Resize::default()).unwrap_err();
    assert!(matches!(refused, DistillationError::Classes { .. }) && refused.is_usage());
    let two: ClassNames = names(&["grin", "scowl"]);
    let refused = opened.check_for(&two, Resize::OpencvLinear).unwrap_err();
    assert!(refused.to_string().contains("--resize antialiased"));
    assert!(opened.check_for(&two, Resize::default()).is_ok());

    settings.clone_from(opened.settings());
    assert!(open(&settings).is_ok());
    save(&path, &student(), &two);
    let refused = open(&settings).err().unwrap().to_string();
    assert!(refused.contains("is not the teacher"), "{refused}");
    fs::remove_file(&path).unwrap();
    let refused = format!("{:#}", open(&settings).err().unwrap());
    assert!(refused.contains("model.safetensors"), "{refused}");
}
