//! What other programs do with fer-model.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, thread};

use candle_core::{DType, Device, Tensor};
use fer_data::drawn::DrawnFaces;
use fer_model::image::{self, DynamicImage};
use fer_model::{Classifier, ModelError, Picture, Prediction, pictures_to_tensor};

#[path = "../crates/fer-model/examples/own_network.rs"]
mod own_network;

#[path = "../crates/fer-model/examples/train.rs"]
mod train;

fn faces(count: usize) -> Vec<Picture> {
    let drawn = DrawnFaces::new(3);
    (0..count)
        .map(|index| Picture::from_pixels(&drawn.draw(index).pixels, "face").unwrap())
        .collect()
}

fn photograph() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/astronaut.jpg")
}

#[test]
fn a_file_its_bytes_its_image_and_its_tensor_get_the_same_answer() {
    let classifier = Classifier::builtin().unwrap();
    let path = photograph();
    let picture = classifier.open_picture(&path).unwrap();
    let expected = classifier.predict(&picture).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(classifier.predict_bytes(&bytes).unwrap(), expected);
    let image = image::load_from_memory(&bytes).unwrap();
    assert_eq!(classifier.predict_image(&image).unwrap(), expected);
    let tensor = pictures_to_tensor(&[picture], &Device::Cpu).unwrap();
    assert_eq!(classifier.predict_tensor(&tensor).unwrap(), [expected]);
}

#[test]
fn many_pictures_and_a_tensor_of_more_than_a_batch_keep_their_order() {
    let classifier = Classifier::builtin().unwrap();
    let pictures = faces(300);
    let expected = classifier.predict_many(&pictures).unwrap();
    assert_eq!(expected.len(), 300);
    let tensor = pictures_to_tensor(&pictures, &Device::Cpu).unwrap();
    assert_eq!(classifier.predict_tensor(&tensor).unwrap(), expected);
    // Laid out otherwise in memory, it holds the same.
    let turned = tensor.t().unwrap().contiguous().unwrap().t().unwrap();
    assert_eq!(classifier.predict_tensor(&turned).unwrap(), expected);
    for index in [0, 255, 256, 299] {
        let alone = classifier.predict(&pictures[index]).unwrap();
        let pairs = alone.iter().zip(expected[index].iter());
        for ((_, found), (_, expected)) in pairs {
            assert!((found - expected).abs() < 1e-5, "{index}");
        }
    }
    let none = Tensor::zeros((0, 1, 48, 48), DType::F32, &Device::Cpu).unwrap();
    assert!(classifier.predict_tensor(&none).unwrap().is_empty());
    assert!(classifier.predict_many(&[]).unwrap().is_empty());
}

#[test]
fn what_is_no_picture_is_refused_and_says_what_was_expected_and_found() {
    let classifier = Classifier::builtin().unwrap();
    let refusal = |tensor: Tensor| match classifier.predict_tensor(&tensor) {
        Err(error @ ModelError::Pictures { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let of = |shape: &[usize], dtype| Tensor::zeros(shape, dtype, &Device::Cpu).unwrap();
    let filled = |value: f32| Tensor::full(value, (1, 1, 48, 48), &Device::Cpu).unwrap();
    for (tensor, found) in [
        (of(&[1, 48, 48], DType::F32), "[1, 48, 48]"),
        (of(&[1, 3, 48, 48], DType::F32), "[1, 3, 48, 48]"),
        (of(&[1, 1, 224, 224], DType::F32), "[1, 1, 224, 224]"),
        (of(&[1, 1, 48, 48], DType::U8), "U8"),
        (filled(255.0), "255"),
        (filled(-0.5), "-0.5"),
        (filled(f32::NAN), "NaN"),
    ] {
        let said = refusal(tensor);
        assert!(said.contains("[pictures, 1, 48, 48]"), "{said}");
        assert!(said.contains(found), "{found}: {said}");
    }
    assert!(classifier.predict_tensor(&filled(1.000_1)).is_ok());

    let data = |refused: Result<Prediction, ModelError>| match refused {
        Err(error @ ModelError::Data(_)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(data(classifier.predict_bytes(b"no picture")).contains("the picture"));
    let nothing = DynamicImage::new_rgb8(0, 7);
    assert!(data(classifier.predict_image(&nothing)).contains("0×7"));
    let missing = classifier.open_picture("missing.png");
    assert!(missing.unwrap_err().to_string().contains("missing.png"));
}

#[test]
fn one_classifier_serves_many_threads_with_the_same_bits() {
    fn shared<T: Send + Sync + 'static>(value: T) -> Arc<T> {
        Arc::new(value)
    }
    let classifier = shared(Classifier::builtin().unwrap());
    let pictures = shared(faces(24));
    let expected = classifier.predict_many(&pictures).unwrap();
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let (classifier, pictures) = (classifier.clone(), pictures.clone());
            thread::spawn(move || {
                let many = classifier.predict_many(&pictures).unwrap();
                (many, classifier.predict(&pictures[number]).unwrap())
            })
        })
        .collect();
    for (number, thread) in threads.into_iter().enumerate() {
        let (many, one) = thread.join().unwrap();
        assert_eq!(many, expected);
        assert_eq!(one, classifier.predict(&pictures[number]).unwrap());
    }
}

#[test]
fn the_example_of_a_network_of_ones_own_runs() {
    own_network::main().unwrap();
}

#[test]
fn the_example_that_trains_learns() {
    train::main().unwrap();
}
