use candle_core::{D, Device, Tensor};
use fer_data::drawn::{DrawnFace, DrawnFaces};
use fer_data::{Dataset, Expression, OpenSettings, PIXELS, Region, SIDE, Split, open};
use fer_model::Parameters;
use fer_model::ops::{Dense, Engine, cross_entropy};
use rayon::prelude::*;

fn dataset() -> Dataset {
    open("drawn".as_ref(), &OpenSettings::default()).unwrap()
}

/// Pixels of a split, centred by the mean of train and scaled, one row a face, with the labels.
fn rows(dataset: &Dataset, split: Split, mean: &[f32]) -> (Tensor, Vec<usize>) {
    let indices = dataset.indices(split);
    let mut values = Vec::with_capacity(indices.len() * PIXELS);
    for &index in &indices {
        let picture = dataset.picture(index).unwrap();
        let pixels = picture.pixels();
        values.extend(
            pixels
                .iter()
                .zip(mean)
                .map(|(&pixel, mean)| f32::from(pixel) / 255.0 - mean),
        );
    }
    let labels = indices
        .iter()
        .map(|&index| dataset.entry(index).label)
        .collect();
    (
        Tensor::from_vec(values, (indices.len(), PIXELS), &Device::Cpu).unwrap(),
        labels,
    )
}

/// Multinomial logistic regression by accelerated gradient descent (Nesterov), with an L2 penalty.
fn fit_logistic_regression(pictures: &Tensor, targets: &Tensor, penalty: f64) -> Dense {
    let parameters = Parameters::new(0, &Device::Cpu);
    let layer = Dense::new([PIXELS, 8], false, Engine::detect(), parameters.builder()).unwrap();
    let vars = parameters.vars();
    let mut previous: Vec<Tensor> = vars
        .iter()
        .map(|(_, var)| var.as_tensor().copy().unwrap())
        .collect();
    let rate = 0.02;
    for step in 0..300 {
        let gradients = cross_entropy(&layer.forward(pictures).unwrap(), targets, Engine::detect())
            .unwrap()
            .backward()
            .unwrap();
        let momentum = step as f64 / (step as f64 + 3.0);
        for ((_, var), previous) in vars.iter().zip(&mut previous) {
            let value = var.as_tensor().detach();
            let slope = (gradients.get(var).unwrap() + (&value * penalty).unwrap()).unwrap();
            let moved = (value - (slope * rate).unwrap()).unwrap();
            var.set(&(&moved + ((&moved - &*previous).unwrap() * momentum).unwrap()).unwrap())
                .unwrap();
            *previous = moved;
        }
    }
    layer
}

fn accuracy(pictures: &Tensor, labels: &[usize], layer: &Dense) -> f64 {
    let predicted = layer.forward(pictures).unwrap().argmax(D::Minus1).unwrap();
    let predicted = predicted.to_vec1::<u32>().unwrap();
    let right = predicted
        .iter()
        .zip(labels)
        .filter(|&(&predicted, &label)| predicted as usize == label);
    right.count() as f64 / labels.len() as f64
}

#[test]
fn logistic_regression_on_the_pixels_stays_below_three_quarters() {
    let dataset = dataset();
    let train = dataset.indices(Split::Train);
    let mut mean = vec![0.0; PIXELS];
    for &index in &train {
        for (mean, &pixel) in mean
            .iter_mut()
            .zip(dataset.picture(index).unwrap().pixels())
        {
            *mean += f32::from(pixel) / 255.0 / train.len() as f32;
        }
    }
    let (pictures, labels) = rows(&dataset, Split::Train, &mean);
    let one_hot: Vec<f32> = labels
        .iter()
        .flat_map(|&label| (0..8).map(move |class| f32::from(class == label)))
        .collect();
    let targets = Tensor::from_vec(one_hot, (labels.len(), 8), &Device::Cpu).unwrap();
    let (unseen, unseen_labels) = rows(&dataset, Split::Test, &mean);
    for penalty in [1e-2, 1e-3] {
        let weights = fit_logistic_regression(&pictures, &targets, penalty);
        let (known, new) = (
            accuracy(&pictures, &labels, &weights),
            accuracy(&unseen, &unseen_labels, &weights),
        );
        assert!(known > 0.3, "the regression did not learn: {known}");
        assert!(new < 0.75, "penalty {penalty}: {new}");
    }
}

/// The mean box of each region over faces at rest, as x0, y0, x1, y1.
fn region_boxes(faces: &[DrawnFace]) -> Vec<(Region, [f32; 4])> {
    let mean = |region: Region| {
        let mut boxes: Vec<[f32; 4]> = Vec::new();
        for face in faces {
            let parts = face.parts.iter().filter(|part| part.region == region);
            let whole = parts.fold([48.0, 48.0, 0.0, 0.0], |whole: [f32; 4], part| {
                let [left, top, right, bottom] = part.bounds;
                [
                    whole[0].min(left),
                    whole[1].min(top),
                    whole[2].max(right),
                    whole[3].max(bottom),
                ]
            });
            boxes.push(whole);
        }
        [0, 1, 2, 3].map(|side: usize| {
            boxes.iter().map(|bounds| bounds[side]).sum::<f32>() / boxes.len() as f32
        })
    };
    Region::ALL
        .into_iter()
        .map(|region| (region, mean(region)))
        .collect()
}

fn mean_inside(face: &DrawnFace, [left, top, right, bottom]: [f32; 4]) -> f64 {
    let inside = |place: f32, from: f32, to: f32| place + 0.5 >= from && place + 0.5 < to;
    let chosen: Vec<f64> = (0..PIXELS)
        .filter(|place| {
            inside((place % SIDE) as f32, left, right) && inside((place / SIDE) as f32, top, bottom)
        })
        .map(|place| f64::from(face.pixels[place]))
        .collect();
    chosen.iter().sum::<f64>() / chosen.len() as f64
}

/// The best that one threshold on one feature can do to tell a class from the others: the mean of
/// both recalls, at least 0.5.
fn best_balanced_accuracy(features: &[(f64, bool)]) -> f64 {
    let mut sorted = features.to_vec();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let own = sorted.iter().filter(|(_, own)| *own).count() as f64;
    let others = sorted.len() as f64 - own;
    let (mut below_own, mut below_others, mut best) = (0.0, 0.0, 0.5f64);
    for (_, is_own) in sorted {
        if is_own {
            below_own += 1.0 / own;
        } else {
            below_others += 1.0 / others;
        }
        best = best.max(0.5 + f64::abs(below_own - below_others) / 2.0);
    }
    best
}

#[test]
fn no_class_is_told_by_the_mean_brightness_of_one_region() {
    let drawn = DrawnFaces::new(1).subjects(200);
    let faces: Vec<DrawnFace> = (0..drawn.len())
        .into_par_iter()
        .map(|index| drawn.draw(index))
        .collect();
    let at_rest: Vec<DrawnFace> = faces
        .iter()
        .filter(|face| face.expression == Expression::Neutral)
        .cloned()
        .collect();
    for (region, bounds) in region_boxes(&at_rest) {
        let means: Vec<f64> = faces.iter().map(|face| mean_inside(face, bounds)).collect();
        for expression in Expression::ALL {
            let features: Vec<(f64, bool)> = means
                .iter()
                .zip(&faces)
                .map(|(&mean, face)| (mean, face.expression == expression))
                .collect();
            let accuracy = best_balanced_accuracy(&features);
            assert!(accuracy < 0.75, "{expression} by {region:?}: {accuracy}");
        }
    }
}

#[test]
fn nobody_stands_on_two_sides_and_every_class_is_on_each() {
    let dataset = dataset();
    let people = |split| {
        let subjects = dataset
            .indices(split)
            .into_iter()
            .map(|index| dataset.entry(index).subject.unwrap());
        subjects.collect::<std::collections::BTreeSet<u32>>()
    };
    let [train, validation, test] = Split::ALL.map(people);
    assert!(
        train.is_disjoint(&validation) && train.is_disjoint(&test) && validation.is_disjoint(&test)
    );
    assert!(train.len() + validation.len() + test.len() >= 200);
    for split in Split::ALL {
        let counts = dataset.counts(split);
        assert!(
            counts.iter().all(|&count| count == counts[0] && count > 0),
            "{counts:?}"
        );
    }
}

#[test]
fn the_seed_moves_people_between_the_sides_and_leaves_the_faces() {
    let (first, mut settings) = (dataset(), OpenSettings::default());
    settings.split.seed = 1;
    let second = open("drawn".as_ref(), &settings).unwrap();
    assert_eq!(first.hash(), second.hash());
    assert_ne!(first.indices(Split::Test), second.indices(Split::Test));
}
