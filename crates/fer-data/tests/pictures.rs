//! Pictures against OpenCV and Pillow.
//!
//! The files lie in `tests/fixtures/pictures`; the numbers, and the script that made both, in
//! `tests/oracle`. These tests need fer-data alone, so they stand here and not in `tests/`.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fer_data::{Picture, PictureFormat, Resize, SIDE};
use image::{DynamicImage, GrayImage, Luma, Rgb, Rgb32FImage, RgbImage};
use serde::Deserialize;

/// One expected picture of `opencv_pictures.py`.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Case {
    File { name: String },
    Formula { width: u32, height: u32 },
    Antialiased { width: u32, height: u32 },
    Grey,
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

fn fixture(name: &str) -> PathBuf {
    tests().join("fixtures/pictures").join(name)
}

fn expected() -> Vec<(Case, Vec<u8>)> {
    let cases = fs::read(tests().join("oracle/opencv_pictures.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&cases).unwrap();
    let tiles = image::open(tests().join("oracle/opencv_pictures.png")).unwrap();
    let values = tiles.into_luma8().into_raw();
    let tiles: Vec<Vec<u8>> = values.chunks(SIDE * SIDE).map(<[u8]>::to_vec).collect();
    assert_eq!(cases.len(), tiles.len());
    cases.into_iter().zip(tiles).collect()
}

/// `formula` of the script.
fn formula(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([
            ((x * x * 3 + y * 7) % 256) as u8,
            ((x * 5 + y * y) / 3 % 256) as u8,
            (((x + 2 * y) * 11 % 256 + (x * y) % 97) % 256) as u8,
        ])
    })
}

/// `cube` of the script.
fn cube() -> RgbImage {
    RgbImage::from_fn(48, 48, |x, y| {
        let number = u64::from(y * 48 + x) * 2_654_435_761 % (1 << 24);
        Rgb([(number >> 16) as u8, (number >> 8) as u8, number as u8])
    })
}

/// The largest difference and the mean difference of two pictures.
fn difference(picture: &Picture, expected: &[u8]) -> (u8, f64) {
    let differences: Vec<u8> = picture
        .pixels()
        .iter()
        .zip(expected)
        .map(|(one, two)| one.abs_diff(*two))
        .collect();
    let sum: f64 = differences.iter().map(|&value| f64::from(value)).sum();
    (
        differences.iter().copied().max().unwrap(),
        sum / differences.len() as f64,
    )
}

/// How far a file may be from OpenCV. Decoding is free in details where values are not stored as
/// they are: JPEG's inverse transform; inks, which OpenCV mixes by a rule of its own; a TIFF file's
/// 16-bit colours, which OpenCV rounds where it cuts those of other files; shades counted to 100.
fn tolerance(name: &str) -> u8 {
    match name {
        "cmyk8.jpg" => 2,
        "rgb16.tiff" | "grey_of_100.pgm" => 1,
        _ if name.ends_with(".jpg") => 1,
        _ => 0,
    }
}

#[test]
fn files_of_every_format_and_mode_decode_as_in_opencv() {
    let mut formats = BTreeSet::new();
    let mut modes = BTreeSet::new();
    for (case, tile) in expected() {
        let Case::File { name } = case else { continue };
        let path = fixture(&name);
        let (picture, facts) = Picture::open_with_facts(&path, Resize::OpencvLinear).unwrap();
        let (largest, mean) = difference(&picture, &tile);
        assert!(
            largest <= tolerance(&name),
            "{name}: {largest}, {mean:.3} on average"
        );
        assert_eq!(PictureFormat::of_name(&path), Some(facts.format), "{name}");
        formats.insert(facts.format);
        modes.insert(facts.mode.to_string());
    }
    assert_eq!(formats.len(), PictureFormat::ALL.len());
    let modes: Vec<&str> = modes.iter().map(String::as_str).collect();
    assert_eq!(
        modes,
        [
            "cmyk 8-bit",
            "grey 1-bit",
            "grey 16-bit",
            "grey 8-bit",
            "grey+alpha 8-bit",
            "palette 4-bit",
            "palette 6-bit",
            "palette 8-bit",
            "rgb 16-bit",
            "rgb 8-bit",
            "rgba 16-bit",
            "rgba 8-bit",
        ]
    );
}

#[test]
fn opencv_linear_is_opencv_to_the_last_bit_at_every_size() {
    let mut sizes = 0;
    for (case, tile) in expected() {
        let Case::Formula { width, height } = case else {
            continue;
        };
        let picture =
            Picture::from_image_with(&formula(width, height).into(), Resize::OpencvLinear);
        assert_eq!(difference(&picture, &tile), (0, 0.0), "{width}×{height}");
        sizes += 1;
    }
    assert_eq!(sizes, 11);
}

#[test]
fn grey_is_opencv_to_the_last_bit_over_the_colour_cube() {
    let (_, tile) = expected().pop().unwrap();
    let picture = Picture::from_image(&cube().into());
    assert_eq!(picture.pixels().as_slice(), tile);
}

#[test]
fn antialiased_is_a_triangle_as_in_pillow_and_something_else_than_opencv() {
    let mut sizes = 0;
    for (case, tile) in expected() {
        let Case::Antialiased { width, height } = case else {
            continue;
        };
        let image: DynamicImage = formula(width, height).into();
        let picture = Picture::from_image(&image);
        // Pillow rounds between columns and rows.
        let (largest, mean) = difference(&picture, &tile);
        assert!(
            largest <= 1 && mean < 0.25,
            "{width}×{height}: {largest}, {mean}"
        );
        let other = Picture::from_image_with(&image, Resize::OpencvLinear);
        assert_eq!(
            picture == other,
            (width, height) == (1, 1),
            "{width}×{height}"
        );
        sizes += 1;
    }
    assert_eq!(sizes, 7);
}

#[test]
fn a_flat_picture_of_any_size_stays_flat_to_its_edges() {
    for (width, height) in [(1, 1), (7, 300), (97, 49), (977, 733)] {
        for value in [0, 131, 255] {
            let image = GrayImage::from_pixel(width, height, Luma([value]));
            for resize in Resize::ALL {
                let picture = Picture::from_image_with(&image.clone().into(), resize);
                // OpenCV's weights of columns and rows may fall short of their sum.
                let lost = u8::from(resize == Resize::OpencvLinear);
                let mut values = picture.pixels().iter();
                assert!(
                    values.all(|found| found.abs_diff(value) <= lost),
                    "{width}×{height} of {value}, {resize}"
                );
            }
        }
    }
}

#[test]
fn a_bright_corner_stays_in_its_corner_and_does_not_leak_round_the_edge() {
    let image = GrayImage::from_fn(480, 360, |x, y| {
        Luma([if x >= 440 && y < 30 { 255 } else { 20 }])
    });
    for resize in Resize::ALL {
        let picture = Picture::from_image_with(&image.clone().into(), resize);
        let at = |x: usize, y: usize| picture.pixels()[y * SIDE + x];
        assert_eq!((at(47, 0), at(46, 1)), (255, 255), "{resize}");
        assert_eq!((at(0, 0), at(0, 47), at(47, 47)), (20, 20, 20), "{resize}");
        assert_eq!((at(42, 0), at(47, 5)), (20, 20), "{resize}");
    }
}

#[test]
fn the_eight_orientations_show_the_same_upright_or_turned() {
    let stored = Picture::open(&fixture("orientation1.jpg")).unwrap();
    let at = |x: usize, y: usize| stored.pixels()[y * SIDE + x];
    let far = SIDE - 1;
    for orientation in 2..=8 {
        let path = fixture(&format!("orientation{orientation}.jpg"));
        let (turned, facts) = Picture::open_with_facts(&path, Resize::Antialiased).unwrap();
        let sides = if orientation < 5 { (40, 24) } else { (24, 40) };
        assert_eq!(
            (facts.width, facts.height),
            sides,
            "orientation {orientation}"
        );
        let from = |x: usize, y: usize| match orientation {
            2 => at(far - x, y),
            3 => at(far - x, far - y),
            4 => at(x, far - y),
            5 => at(y, x),
            6 => at(y, far - x),
            7 => at(far - y, far - x),
            _ => at(far - y, x),
        };
        let expected: Vec<u8> = (0..SIDE * SIDE)
            .map(|place| from(place % SIDE, place / SIDE))
            .collect();
        assert!(
            difference(&turned, &expected).0 <= 1,
            "orientation {orientation}"
        );
        assert!(
            difference(&turned, stored.pixels()).0 > 50,
            "orientation {orientation}"
        );
    }
}

#[test]
fn alpha_and_the_lower_byte_of_16_bits_change_nothing_and_later_frames_neither() {
    let open = |name: &str| Picture::open(&fixture(name)).unwrap();
    for (one, other) in [
        ("rgb8.png", "rgba8.png"),
        ("rgb8.png", "rgb16.png"),
        ("rgb8.png", "rgba16.png"),
        ("grey8.png", "grey_alpha8.png"),
        ("palette8.png", "palette8_transparent.png"),
        ("palette8.gif", "animated.gif"),
        ("rgb8.webp", "animated.webp"),
    ] {
        assert_eq!(open(one), open(other), "{one} and {other}");
    }
    assert_ne!(open("rgb8.png"), open("palette4.png"));
}

#[test]
fn a_picture_of_floating_point_values_counts_from_0_to_1() {
    let image = Rgb32FImage::from_pixel(5, 5, Rgb([0.5; 3]));
    let picture = Picture::from_image(&DynamicImage::ImageRgb32F(image));
    assert_eq!(picture.pixels()[0], 128);
}

#[test]
fn the_ways_of_resizing_have_names_in_files_and_on_the_command_line() {
    for resize in Resize::ALL {
        assert_eq!(resize.to_string().parse::<Resize>().unwrap(), resize);
        let json = serde_json::to_string(&resize).unwrap();
        assert_eq!(json, format!("\"{resize}\""));
        assert_eq!(serde_json::from_str::<Resize>(&json).unwrap(), resize);
    }
    let old: Resize = serde_json::from_str("\"antialiased-triangle\"").unwrap();
    assert_eq!(old, Resize::Antialiased);
    let error = "nearest".parse::<Resize>().unwrap_err().to_string();
    assert!(
        error.contains("nearest") && error.contains("opencv-linear"),
        "{error}"
    );
}

#[test]
fn facts_are_written_as_people_read_them() {
    let (_, facts) = Picture::open_with_facts(&fixture("rgba16.png"), Resize::Antialiased).unwrap();
    assert_eq!(
        serde_json::to_string(&facts).unwrap(),
        r#"{"width":60,"height":50,"mode":"rgba 16-bit","format":"png"}"#
    );
}
