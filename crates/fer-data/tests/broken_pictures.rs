//! Files that are broken, too large, or something else than their name says.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use fer_data::{LONGEST_SIDE, Picture, PictureFormat, Resize, random};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use rand::RngExt;

/// Whole files that are refused all the same.
const NOT_READ: [&str; 3] = ["claims_60000.png", "palette8.tiff", "rgb32f.tiff"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/pictures")
        .join(name)
}

fn fixtures() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(fixture(""))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

fn refusal(bytes: &[u8], name: &str) -> String {
    let text = Picture::decode(bytes, name).unwrap_err().to_string();
    assert!(text.starts_with(name), "{text}");
    text
}

fn encoded(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn too_large_is_refused_before_decoding_and_with_what_to_do() {
    let path = fixture("claims_60000.png");
    let claim = fs::read(&path).unwrap();
    assert!(claim.len() < 100);
    for (bytes, reason) in [
        (claim.as_slice(), "60000×60000 pixels"),
        (b"P5 60000 60000 255\n", "60000×60000 pixels"),
        (b"P5 20001 1 255\n", "20001×1 pixels"),
        (b"P6 19000 19000 255\n", "1033 MiB, and at most 512"),
    ] {
        let text = refusal(bytes, "huge.png");
        assert!(
            text.contains(reason) && text.contains("scale it down"),
            "{text}"
        );
    }
    let longest = GrayImage::from_pixel(LONGEST_SIDE, 1, Luma([7]));
    assert_eq!(
        Picture::decode(&encoded(&longest.into()), "long")
            .unwrap()
            .mean(),
        7.0
    );
}

#[test]
fn a_file_cut_short_is_refused_whatever_its_format() {
    for path in fixtures() {
        let name = path.file_name().unwrap().display().to_string();
        if NOT_READ.contains(&name.as_str()) {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        for percent in [5, 30, 60, 97] {
            // The first frame of an animation is whole before the file is.
            if name.starts_with("animated") && percent > 30 {
                continue;
            }
            let text = refusal(&bytes[..bytes.len() * percent / 100], "cut");
            assert!(text.contains("again"), "{name} at {percent} %: {text}");
        }
    }
}

#[test]
fn damage_never_panics_and_png_never_hides_it() {
    let (mut refused, mut total) = (0, 0);
    for (number, path) in fixtures().iter().enumerate() {
        let whole = fs::read(path).unwrap();
        let mut draw = random::stream(3, "damage", number as u64);
        for _ in 0..30 {
            let mut bytes = whole.clone();
            let place = draw.random_range(0..bytes.len());
            bytes[place] ^= 1 << draw.random_range(0..8);
            total += 1;
            refused += usize::from(Picture::decode(&bytes, "damaged").is_err());
        }
    }
    assert!(
        refused > total / 10 && refused < total,
        "{refused} of {total}"
    );
    let mut bytes = fs::read(fixture("rgb8.png")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 16;
    let text = refusal(&bytes, "hit.png");
    assert!(
        text.contains("damaged") && text.contains("take it out"),
        "{text}"
    );
}

#[test]
fn the_content_counts_and_not_the_name() {
    let bytes = fs::read(fixture("rgb8.png")).unwrap();
    let name = "holiday.jpg";
    let (picture, facts) = Picture::decode_with_facts(&bytes, name, Resize::Antialiased).unwrap();
    assert_eq!(picture, Picture::open(&fixture("rgb8.png")).unwrap());
    assert_eq!(facts.format, PictureFormat::Png);
    assert_eq!(
        PictureFormat::of_name(Path::new(name)),
        Some(PictureFormat::Jpeg)
    );
    let text = refusal(&bytes[..bytes.len() / 2], name);
    assert!(
        text.contains("its content is PNG, although its name says JPEG"),
        "{text}"
    );
    let page = refusal(b"<!DOCTYPE html><title>Not found</title>", name);
    assert!(
        page.contains("web page") && page.contains("download"),
        "{page}"
    );
}

#[test]
fn kinds_that_are_not_read_say_so() {
    for (name, reason) in [
        ("palette8.tiff", "this kind of TIFF file is not read"),
        ("rgb32f.tiff", "floating-point"),
    ] {
        let text = Picture::open(&fixture(name)).unwrap_err().to_string();
        assert!(
            text.contains(name) && text.contains(reason) && text.contains("save it"),
            "{text}"
        );
    }
    let none = refusal(b"P5 0 0 255\n", "none.pgm");
    assert!(none.contains("none.pgm"), "{none}");
}
