#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use image::{GrayImage, Luma, imageops};
use rustface::ImageData;

use super::surf::patches;
use super::*;
use crate::face::finder::CASCADE;

fn cascade() -> Cascade {
    Cascade::read(CASCADE).unwrap()
}

fn rustface(grey: &GrayImage, least_score: f64) -> Vec<Window> {
    let model = rustface::read_model(CASCADE).unwrap();
    let mut detector = rustface::create_detector_with_model(model);
    detector.set_score_thresh(least_score);
    let faces = detector.detect(&ImageData::new(grey.as_raw(), grey.width(), grey.height()));
    let window = |face: &rustface::FaceInfo| Window {
        x: face.bbox().x(),
        y: face.bbox().y(),
        side: face.bbox().width(),
        score: face.score(),
    };
    faces.iter().map(window).collect()
}

fn agrees_with_rustface(name: &str, grey: &GrayImage, least_score: f64) -> usize {
    let ours = cascade().detect(grey, least_score);
    let theirs = rustface(grey, least_score);
    assert_eq!(ours.len(), theirs.len(), "{name}: {ours:?} {theirs:?}");
    for (one, other) in ours.iter().zip(&theirs) {
        let near = |one: i32, other: i32| one.abs_diff(other) <= 1;
        let same = near(one.x, other.x)
            && near(one.y, other.y)
            && one.side.abs_diff(other.side) <= 1
            && (one.score - other.score).abs() < 1e-3;
        assert!(same, "{name}: {one:?} {other:?}");
    }
    ours.len()
}

fn portrait() -> GrayImage {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/astronaut.jpg");
    image::open(path).unwrap().to_luma8()
}

#[test]
fn photographs_give_what_rustface_finds() {
    let portrait = portrait();
    assert!(agrees_with_rustface("portrait", &portrait, 5.0) > 0);
    for side in [150, 237, 401] {
        let smaller = imageops::thumbnail(&portrait, side, side);
        assert!(agrees_with_rustface(&format!("portrait of {side}"), &smaller, 0.6) > 0);
    }
    let cut = imageops::crop_imm(&portrait, 190, 60, 70, 130).to_image();
    agrees_with_rustface("half a face at the border", &cut, 0.1);
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/photographs"));
    for name in ["chelsea.jpg", "coffee.jpg", "gravel.jpg", "rocket.jpg"] {
        let photograph = image::open(folder.join(name)).unwrap().to_luma8();
        agrees_with_rustface(name, &photograph, 0.1);
    }
}

#[test]
fn scenes_of_many_faces_give_what_rustface_finds() {
    let portrait = portrait();
    let mut scene = GrayImage::from_pixel(700, 420, Luma([90]));
    for (place, side) in [320u32, 200, 260, 140].into_iter().enumerate() {
        let copy = imageops::thumbnail(&portrait, side, side);
        imageops::replace(&mut scene, &copy, 170 * place as i64, 60);
    }
    assert!(agrees_with_rustface("scene", &scene, 0.1) > 1);
}

#[test]
fn windows_that_leave_the_picture_see_black_and_are_dropped_outside() {
    let grey = GrayImage::from_pixel(100, 80, Luma([200]));
    let windows = [
        (-40, 0, 40),
        (0, -500, 40),
        (100, 0, 40),
        (0, 80, 40),
        (i32::MIN, i32::MAX, u32::MAX),
        (20, 20, 1),
        (20, 20, 0),
        (-20, -20, u32::MAX),
        (-30, -30, 61),
        (90, 70, 4_000_000),
    ];
    let windows = windows.map(|(x, y, side)| Window {
        x,
        y,
        side,
        score: 1.0,
    });
    for perceptron in cascade().perceptrons.iter().flatten() {
        perceptron.judge_all(&grey, windows.to_vec());
        for window in windows {
            perceptron.judge_all(&grey, vec![window.moved([0.0, 1.0, 1.0], 1.0)]);
        }
    }
    non_maximum_suppression(windows.to_vec(), 0.3);
}

#[test]
fn a_file_that_is_cut_short_or_changed_is_not_read() {
    for length in [0, 3, 4, 100, 5_000, CASCADE.len() - 4, CASCADE.len() - 1] {
        assert!(Cascade::read(&CASCADE[..length]).is_none(), "{length}");
    }
    assert!(Cascade::read(&[CASCADE, &[0]].concat()).is_none());
    for place in (0..2_000).step_by(4) {
        let mut changed = CASCADE.to_vec();
        changed[place..place + 4].copy_from_slice(&i32::MAX.to_le_bytes());
        Cascade::read(&changed);
    }
}

#[test]
fn the_cascade_has_the_stages_of_the_paper() {
    let cascade = cascade();
    assert_eq!(cascade.boosted.len(), 3);
    let stages: Vec<usize> = cascade.perceptrons.iter().map(Vec::len).collect();
    assert_eq!(stages, [2, 1]);
    assert!(patches().len() >= 54);
}

#[test]
fn any_number_of_threads_finds_the_same() {
    let portrait = portrait();
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let alone = alone.unwrap().install(|| cascade().detect(&portrait, 0.1));
    let several = rayon::ThreadPoolBuilder::new().num_threads(3).build();
    let several = several
        .unwrap()
        .install(|| cascade().detect(&portrait, 0.1));
    assert_eq!(alone, several);
}
