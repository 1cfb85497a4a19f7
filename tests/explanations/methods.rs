//! Occlusion, Grad-CAM and the curves on networks whose answer is known.

use candle_core::{DType, Device, Tensor};
use fer_data::random::stream;
use fer_model::explain::{Explainer, OcclusionSettings, cell_order, cells};
use fer_model::ops::{ConvolutionSettings, Engine, Mode};
use fer_model::{
    Architecture, MobileSettings, Network, Parameters, ResVggSettings, Sequential, Stack,
    VggSettings,
};
use rand::RngExt;

fn random(shape: &[usize], name: &str) -> Tensor {
    let mut random = stream(23, name, 0);
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| random.random_range(0.0..1.0)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn set(parameters: &Parameters, name: &str, values: &[f32]) {
    let vars = parameters.vars();
    let (_, var) = vars.iter().find(|(own, _)| own == name).unwrap();
    let values = Tensor::from_slice(values, var.dims(), &Device::Cpu).unwrap();
    var.set(&values).unwrap();
}

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let close = (found - expected).abs() <= tolerance;
        assert!(close, "[{place}]: {found} against {expected}");
    }
}

const SIDE: usize = 12;

/// Two classes over pictures of two channels, 12×12: the logit of class 1 is `weight` times the pixel
/// at (5, 6) of the second channel, that of class 0 is 0.
fn linear(weight: f32) -> (Sequential, Parameters) {
    let parameters = Parameters::new(1, &Device::Cpu);
    let network = Stack::new([2, SIDE, SIDE], Engine::detect(), parameters.builder())
        .flatten()
        .and_then(|stack| stack.dense("dense", 2, false))
        .and_then(Stack::finish)
        .unwrap();
    let mut weights = vec![0.0; 2 * 2 * SIDE * SIDE];
    weights[2 * SIDE * SIDE + SIDE * SIDE + 5 * SIDE + 6] = weight;
    set(&parameters, "dense.weight", &weights);
    (network, parameters)
}

/// How many of the spans of 4 that begin at …, −2, 0, 2, … hold both places of a line.
fn spans_over(one: usize, other: usize) -> f32 {
    let spans = (-2..SIDE as i32).step_by(2).map(|start| start..start + 4);
    spans
        .filter(|span| span.contains(&(one as i32)) && span.contains(&(other as i32)))
        .count() as f32
}

#[test]
fn occlusion_of_a_linear_network_is_the_share_of_squares_over_its_pixel() {
    let (network, _parameters) = linear(3.0);
    let explainer = Explainer::new(&network).unwrap();
    let mut values = vec![0.0f32; 2 * SIDE * SIDE];
    values[SIDE * SIDE + 5 * SIDE + 6] = 1.0;
    let picture = Tensor::from_vec(values, (1, 2, SIDE, SIDE), &Device::Cpu).unwrap();
    let settings = OcclusionSettings {
        patch: 4,
        stride: 2,
    };
    // Hidden, the pixel becomes what surrounds the square: 0. So each square over it costs as much.
    let share = |place: usize, pixel: usize| spans_over(place, pixel) / spans_over(place, place);
    let log_sigmoid = |logit: f32| -(-logit).exp().ln_1p();
    for (class, logit) in [(1, 3.0), (0, -3.0)] {
        let fall = log_sigmoid(logit) - log_sigmoid(0.0);
        let expected: Vec<f32> = (0..SIDE * SIDE)
            .map(|place| fall * share(place / SIDE, 5) * share(place % SIDE, 6))
            .collect();
        let map = explainer.occlusion(&picture, &[class], &settings);
        assert_close(&flat(&map.unwrap()), &expected, 1e-5);
    }
}

#[test]
fn grad_cam_of_a_convolution_and_a_mean_is_what_the_hand_finds() {
    let parameters = Parameters::new(5, &Device::Cpu);
    let settings = ConvolutionSettings {
        padding: 1,
        ..ConvolutionSettings::valid(1, 3)
    };
    let network = Stack::new([1, SIDE, SIDE], Engine::detect(), parameters.builder())
        .convolution("conv", settings)
        .and_then(Stack::global_mean)
        .and_then(|stack| stack.dense("dense", 4, false))
        .and_then(Stack::finish)
        .unwrap();
    let explainer = Explainer::new(&network).unwrap();
    assert_eq!(explainer.grad_cam_maps().unwrap(), [SIDE, SIDE]);
    let pictures = random(&[2, 1, SIDE, SIDE], "pictures");
    let classes = [2, 0];
    let found = explainer.grad_cam(&pictures, &classes).unwrap();
    let weights = parameters.snapshot().unwrap();
    let (kernel, head) = (
        flat(&weights["conv.weight"]),
        flat(&weights["dense.weight"]),
    );
    let pixels = flat(&pictures);
    let mut expected = Vec::new();
    for (number, class) in classes.into_iter().enumerate() {
        for place in 0..SIDE * SIDE {
            let mut sum = 0.0;
            for channel in 0..3 {
                let mut value = 0.0f32;
                for tap in 0..9 {
                    let (row, column) = (place / SIDE + tap / 3, place % SIDE + tap % 3);
                    if (1..=SIDE).contains(&row) && (1..=SIDE).contains(&column) {
                        let pixel = number * SIDE * SIDE + (row - 1) * SIDE + column - 1;
                        value += kernel[channel * 9 + tap] * pixels[pixel];
                    }
                }
                // The logit is Σ head · mean(map), so its gradient is head / positions everywhere.
                sum += head[class * 3 + channel] / (SIDE * SIDE) as f32 * value.max(0.0);
            }
            expected.push(sum.max(0.0));
        }
    }
    assert!(expected.iter().any(|&value| value > 0.0));
    assert_close(&flat(&found), &expected, 1e-6);
}

/// Without a convolution the picture itself is the map, so its gradient can be found by differences.
#[test]
fn grad_cam_weighs_by_the_gradient_that_finite_differences_find() {
    let parameters = Parameters::new(9, &Device::Cpu);
    let network = Stack::new([3, 5, 4], Engine::detect(), parameters.builder())
        .flatten()
        .and_then(|stack| stack.dense("hidden", 16, true))
        .and_then(|stack| stack.dense("head", 3, false))
        .and_then(Stack::finish)
        .unwrap();
    let picture = random(&[1, 3, 5, 4], "small");
    let pixels = flat(&picture);
    let class = 1;
    let logit = |pixels: &[f32]| {
        let picture = Tensor::from_slice(pixels, (1, 3, 5, 4), &Device::Cpu).unwrap();
        flat(&network.forward(&picture, Mode::Predict).unwrap())[class]
    };
    let step = 1e-3;
    let slope = |place: usize| {
        let [above, below] = [step, -step].map(|step| {
            let mut moved = pixels.clone();
            moved[place] += step;
            logit(&moved)
        });
        (above - below) / (2.0 * step)
    };
    let means: Vec<f32> = (0..3)
        .map(|channel| {
            (0..20)
                .map(|place| slope(channel * 20 + place))
                .sum::<f32>()
                / 20.0
        })
        .collect();
    let expected: Vec<f32> = (0..20)
        .map(|place| {
            (0..3)
                .map(|channel| means[channel] * pixels[channel * 20 + place])
                .sum::<f32>()
        })
        .map(|value| value.max(0.0))
        .collect();
    let explainer = Explainer::new(&network).unwrap();
    assert_close(
        &flat(&explainer.grad_cam(&picture, &[class]).unwrap()),
        &expected,
        1e-3,
    );
}

fn architectures() -> Vec<Architecture> {
    vec![
        Architecture::named("cnn").unwrap(),
        Architecture::Vgg(VggSettings {
            width: 4,
            ..VggSettings::default()
        }),
        Architecture::ResVgg(ResVggSettings {
            width: 4,
            squeeze: 2,
            ..ResVggSettings::default()
        }),
        Architecture::Mobile(MobileSettings {
            width: 8,
            ..MobileSettings::default()
        }),
    ]
}

#[test]
fn every_engine_gives_the_maps_of_the_portable_form() {
    let pictures = random(&[2, 1, 48, 48], "faces");
    let settings = OcclusionSettings {
        patch: 16,
        stride: 8,
    };
    for architecture in architectures() {
        let parameters = Parameters::new(3, &Device::Cpu);
        let maps = |engine| {
            let network = architecture.build(5, engine, parameters.builder()).unwrap();
            let explainer = Explainer::new(&network).unwrap();
            [
                explainer.occlusion(&pictures, &[4, 1], &settings).unwrap(),
                explainer.grad_cam(&pictures, &[4, 1]).unwrap(),
            ]
        };
        let portable = maps(Engine::Portable);
        for engine in Engine::available() {
            for (found, expected) in maps(engine).iter().zip(&portable) {
                assert_eq!(
                    (found.dims(), found.dtype()),
                    (&[2, 48, 48][..], DType::F32)
                );
                let expected = flat(expected);
                let largest = expected
                    .iter()
                    .fold(0.0f32, |most, value| most.max(value.abs()));
                assert!(largest > 0.0, "{}", architecture.name());
                assert_close(&flat(found), &expected, 2e-3 * largest);
            }
        }
    }
}

#[test]
fn a_picture_has_the_same_map_alone_and_among_others() {
    let architecture = architectures().remove(2);
    let parameters = Parameters::new(3, &Device::Cpu);
    let network = architecture
        .build(5, Engine::detect(), parameters.builder())
        .unwrap();
    let explainer = Explainer::new(&network).unwrap();
    let pictures = random(&[3, 1, 48, 48], "three");
    let settings = OcclusionSettings {
        patch: 20,
        stride: 10,
    };
    let last = pictures.narrow(0, 2, 1).unwrap();
    for (all, alone) in [
        (
            explainer
                .occlusion(&pictures, &[0, 1, 2], &settings)
                .unwrap(),
            explainer.occlusion(&last, &[2], &settings).unwrap(),
        ),
        (
            explainer.grad_cam(&pictures, &[0, 1, 2]).unwrap(),
            explainer.grad_cam(&last, &[2]).unwrap(),
        ),
    ] {
        let among = flat(&all.narrow(0, 2, 1).unwrap());
        let largest = among
            .iter()
            .fold(0.0f32, |most, value| most.max(value.abs()));
        assert_close(&flat(&alone), &among, 1e-4 * largest);
    }
}

#[test]
fn curves_begin_and_end_with_the_picture_and_its_blur() {
    let (network, _parameters) = linear(9.0);
    let explainer = Explainer::new(&network).unwrap();
    let mut values = vec![0.0f32; 2 * SIDE * SIDE];
    values[SIDE * SIDE + 5 * SIDE + 6] = 1.0;
    let picture = Tensor::from_vec(values, (1, 2, SIDE, SIDE), &Device::Cpu).unwrap();
    let settings = OcclusionSettings {
        patch: 4,
        stride: 2,
    };
    let map = flat(&explainer.occlusion(&picture, &[1], &settings).unwrap());
    let best = cell_order(&map, [SIDE, SIDE]);
    // The cell that holds row 5 and column 6, of three by three.
    assert_eq!((best[0], cells(SIDE, SIDE)), (4, 9));
    let worst: Vec<usize> = best.iter().rev().copied().collect();
    let curves = |order: &Vec<usize>| {
        explainer
            .curves(&picture, &[1], std::slice::from_ref(order), 9)
            .unwrap()
            .remove(0)
    };
    let (best, worst) = (curves(&best), curves(&worst));
    let whole = 1.0 / (1.0 + (-9.0f32).exp());
    for curve in [&best, &worst] {
        assert_eq!((curve.deletion.len(), curve.insertion.len()), (10, 10));
        assert!((curve.deletion[0] - whole).abs() < 1e-6);
        assert!((curve.insertion[9] - whole).abs() < 1e-6);
        assert!((curve.insertion[0] - curve.deletion[9]).abs() < 1e-6);
        assert!(
            curve.insertion[0] < 0.9,
            "a point is blurred to almost nothing"
        );
    }
    // One cell holds all: it is the first to go in one order and the last in the other.
    assert!(best.deletion[1] < 0.9 && worst.deletion[8] == whole);
    assert!(best.insertion[1] == whole && worst.insertion[8] < 0.9);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (network, _parameters) = linear(1.0);
    let explainer = Explainer::new(&network).unwrap();
    let pictures = random(&[2, 2, SIDE, SIDE], "two");
    let settings = OcclusionSettings::default();
    let refused = |classes: &[usize], settings: &OcclusionSettings| {
        explainer
            .occlusion(&pictures, classes, settings)
            .unwrap_err()
            .to_string()
    };
    assert!(refused(&[0], &settings).contains("one class a picture"));
    assert!(refused(&[0, 2], &settings).contains("class 2 of a network with 2 classes"));
    assert!(
        refused(
            &[0, 1],
            &OcclusionSettings {
                patch: 2,
                stride: 3
            }
        )
        .contains("stride")
    );
    assert!(
        explainer
            .grad_cam(&random(&[1, 2, 9, 9], "nine"), &[0])
            .is_err()
    );
}
