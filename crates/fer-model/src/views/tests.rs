use candle_core::Device;

use super::*;
use crate::{Architecture, Parameters};

fn network(engine: Engine) -> impl Network {
    let parameters = Parameters::new(3, &Device::Cpu);
    let resvgg = Architecture::named("resvgg").unwrap();
    resvgg.build(4, engine, parameters.builder()).unwrap()
}

fn pictures() -> Tensor {
    let values: Vec<f32> = (0..2 * 48 * 48)
        .map(|at| (at * 7919 % 256) as f32 / 255.0)
        .collect();
    Tensor::from_vec(values, (2, 1, 48, 48), &Device::Cpu).unwrap()
}

/// Row by row, in another way than [`mean_of_both`].
fn mirrored(pictures: &Tensor) -> Tensor {
    let mut values = pictures.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    values.chunks_exact_mut(48).for_each(|row| row.reverse());
    Tensor::from_vec(values, pictures.shape(), pictures.device()).unwrap()
}

fn rows(logits: &Tensor) -> Vec<Vec<f32>> {
    logits.to_vec2().unwrap()
}

#[test]
fn the_answer_is_the_mean_of_a_picture_and_its_mirror_image_by_every_engine() {
    let pictures = pictures();
    for engine in Engine::available() {
        let network = network(engine);
        let logits = |pictures| rows(&network.forward(pictures, Mode::Predict).unwrap());
        let (own, other) = (logits(&pictures), logits(&mirrored(&pictures)));
        assert_ne!(own, other);
        let flips = Viewed::new(&network, Views::Flips).unwrap();
        let both = rows(&flips.forward(&pictures, Mode::Predict).unwrap());
        let places = both.iter().flatten().zip(own.iter().flatten());
        for ((both, own), other) in places.zip(other.iter().flatten()) {
            let mean = (own + other) / 2.0;
            assert!((both - mean).abs() < 1e-5, "{engine:?}: {both}, {mean}");
        }
    }
}

#[test]
fn ten_views_are_the_five_of_both_sides() {
    let pictures = pictures();
    let network = network(Engine::detect());
    let ten = Viewed::new(&network, Views::Ten).unwrap();
    let found = rows(&ten.forward(&pictures, Mode::Predict).unwrap());
    let mut mean = vec![vec![0.0; 4]; 2];
    for side in [pictures.clone(), mirrored(&pictures)] {
        for warp in WARPS {
            let view = match Sampler::of(warp, &side).unwrap() {
                Some(sampler) => sampler.view(&side).unwrap(),
                None => side.clone(),
            };
            let logits = rows(&network.forward(&view, Mode::Predict).unwrap());
            for (sum, logit) in mean.iter_mut().flatten().zip(logits.iter().flatten()) {
                *sum += logit / Views::Ten.count() as f32;
            }
        }
    }
    for (found, mean) in found.iter().flatten().zip(mean.iter().flatten()) {
        assert!((found - mean).abs() < 1e-5, "{found}, {mean}");
    }
}

#[test]
fn a_face_and_its_mirror_image_get_the_same_bits() {
    let network = network(Engine::detect());
    for views in [Views::Flips, Views::Ten] {
        let viewed = Viewed::new(&network, views).unwrap();
        let logits = |pictures| rows(&viewed.forward(pictures, Mode::Predict).unwrap());
        assert_eq!(logits(&pictures()), logits(&mirrored(&pictures())));
    }
}

#[test]
fn a_network_of_one_view_answers_as_it_is() {
    let network = network(Engine::detect());
    let logits = |network: &dyn Network| {
        let logits = network.forward(&pictures(), Mode::Predict).unwrap();
        rows(&logits)
    };
    let answers = Views::ALL.map(|views| logits(&*answering(&network, views).unwrap()));
    assert_eq!(answers[0], logits(&network));
    assert_ne!(answers[1], answers[0]);
    assert_ne!(answers[2], answers[1]);
}

#[test]
fn views_are_written_by_name_and_flips_of_earlier_versions_are_read() {
    for views in Views::ALL {
        let written = serde_json::to_string(&views).unwrap();
        assert_eq!(written, format!("\"{views}\""));
        assert_eq!(serde_json::from_str::<Views>(&written).unwrap(), views);
        assert_eq!(views.name().parse::<Views>().unwrap(), views);
    }
    let read = |text: &str| serde_json::from_str::<Views>(text);
    assert_eq!(read("true").unwrap(), Views::Flips);
    assert_eq!(read("false").unwrap(), Views::One);
    for wrong in ["\"five\"", "10"] {
        let said = read(wrong).unwrap_err().to_string();
        assert!(said.contains("one, flips or ten"), "{said}");
    }
}

#[test]
fn a_model_file_of_an_earlier_version_keeps_its_flips() {
    let written = r#"{"side":48,"grey":"bt601","resize":"antialiased","divisor":255,"flips":true}"#;
    let read: crate::file::Preprocessing = serde_json::from_str(written).unwrap();
    assert_eq!(read.views, Views::Flips);
    let again = serde_json::to_string(&read).unwrap();
    assert!(again.ends_with(r#""views":"flips"}"#), "{again}");
}
