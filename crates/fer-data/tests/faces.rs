//! Faces in photographs: composed of one portrait whose rights are clear, and photographs without any.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use fer_data::face::{Bounds, FaceFinder, FinderSettings, Photograph};
use fer_data::random::stream;
use fer_data::{Picture, Resize};
use image::{DynamicImage, GrayImage, Luma, imageops};
use rand::RngExt;

/// The face in the portrait, drawn by hand around it from the hairline to the chin.
const FACE: [f32; 4] = [180.0, 68.0, 93.0, 112.0];

/// Where the portrait's head ends, from the middle of the face, over the width of the face.
const HEAD: f32 = 1.1;

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn portrait() -> GrayImage {
    let path = here("../../assets/astronaut.jpg");
    image::open(path).unwrap().into_luma8()
}

/// Blots of all sizes around a middle grey.
fn background(width: u32, height: u32) -> GrayImage {
    let mut random = stream(3, "background", 0);
    let mut sum = vec![128f32; (width * height) as usize];
    for (cells, strength) in [(4, 40.0), (16, 20.0), (64, 10.0)] {
        let rough = GrayImage::from_fn(cells, cells, |_, _| Luma([random.random()]));
        let smooth = imageops::resize(&rough, width, height, imageops::FilterType::CatmullRom);
        for (sum, value) in sum.iter_mut().zip(smooth.iter()) {
            *sum += strength * (f32::from(*value) / 127.5 - 1.0);
        }
    }
    let values = sum.iter().map(|sum| sum.clamp(0.0, 255.0) as u8).collect();
    GrayImage::from_raw(width, height, values).unwrap()
}

/// Puts the portrait's head on a picture, its face `size` pixels wide around a place and turned by
/// `roll` degrees clockwise; the box around it.
fn paste(
    scene: &mut GrayImage,
    portrait: &GrayImage,
    at: (u32, u32),
    size: f32,
    roll: f32,
) -> Bounds {
    let [left, top, width, height] = FACE;
    let (scale, reach) = (width / size, (HEAD * size) as i32);
    let (sine, cosine) = roll.to_radians().sin_cos();
    // A face that is made smaller is blurred first, as a lens would.
    let blurred = match scale {
        1.2.. => imageops::blur(portrait, 0.4 * scale),
        _ => portrait.clone(),
    };
    for down in -reach..=reach {
        for across in -reach..=reach {
            let away = f32::hypot(across as f32, down as f32) / (HEAD * size);
            let (across_head, down_head) = (
                across as f32 * cosine + down as f32 * sine,
                down as f32 * cosine - across as f32 * sine,
            );
            let x = left + width / 2.0 + across_head * scale;
            let y = top + height / 2.0 + down_head * scale;
            let value = imageops::interpolate_bilinear(&blurred, x, y);
            let share = ((1.0 - away) * 8.0).clamp(0.0, 1.0);
            let target = (at.0 as i32 + across, at.1 as i32 + down);
            let (Some(value), true) = (value, target.0 >= 0 && target.1 >= 0) else {
                continue;
            };
            if let Some(pixel) = scene.get_pixel_mut_checked(target.0 as u32, target.1 as u32) {
                let mixed = f32::from(pixel[0]) * (1.0 - share) + f32::from(value[0]) * share;
                pixel[0] = mixed as u8;
            }
        }
    }
    let tall = height / scale;
    Bounds {
        x: at.0 - (size / 2.0) as u32,
        y: at.1 - (tall / 2.0) as u32,
        width: size as u32,
        height: tall as u32,
    }
}

fn photograph(image: GrayImage) -> Photograph {
    Photograph::from_image(&DynamicImage::ImageLuma8(image), "scene")
}

/// Five faces of 60 to 300 pixels side by side.
fn scene(roll: f32) -> (Photograph, Vec<Bounds>) {
    let portrait = portrait();
    let mut scene = background(1500, 900);
    let places = [
        (300.0, (400, 420)),
        (200.0, (1000, 300)),
        (130.0, (1330, 250)),
        (90.0, (900, 700)),
        (60.0, (1200, 700)),
    ];
    let boxes = places.map(|(size, at)| paste(&mut scene, &portrait, at, size, roll));
    (photograph(scene), boxes.to_vec())
}

#[test]
fn each_face_from_60_to_300_pixels_is_found_upright_and_turned() {
    let finder = FaceFinder::new();
    for roll in [-20.0, -10.0, 0.0, 10.0, 20.0] {
        let (photograph, expected) = scene(roll);
        let found = finder.find(&photograph).unwrap();
        assert_eq!(found.len(), expected.len(), "{roll}°: {found:?}");
        for (face, drawn) in found.iter().zip(&expected) {
            let overlap = face.bounds().overlap(drawn);
            assert!(
                overlap >= 0.6,
                "{roll}°: {face:?} for {drawn:?} overlaps {overlap:.2}"
            );
            let off = face.roll() - f64::from(roll);
            assert!(off.abs() <= 10.0, "{roll}°: {face:?}");
        }
    }
}

#[test]
fn a_face_turned_by_more_is_found_when_the_photograph_is_turned() {
    let settings = FinderSettings {
        turns: false,
        ..FinderSettings::default()
    };
    let portrait = portrait();
    let mut scene = background(500, 500);
    let drawn = paste(&mut scene, &portrait, (250, 250), 100.0, 38.0);
    let photograph = photograph(scene);
    let straight = FaceFinder::with(settings).unwrap();
    assert_eq!(straight.find(&photograph).unwrap(), []);
    let found = FaceFinder::new().find(&photograph).unwrap();
    let [face] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert!(face.bounds().overlap(&drawn) >= 0.5, "{face:?}");
    assert!((face.roll() - 38.0).abs() <= 12.0, "{face:?}");
}

/// The mean correlation of the faces that a finder cuts out of two scenes.
fn likeness(finder: &FaceFinder, one: &Photograph, other: &Photograph) -> f64 {
    let crops = |photograph: &Photograph| -> Vec<Picture> {
        let faces = finder.find(photograph).unwrap();
        let crops = faces
            .iter()
            .map(|face| photograph.crop(face, Resize::default()));
        crops.collect()
    };
    let (one, other) = (crops(one), crops(other));
    assert_eq!(one.len(), other.len());
    let sum: f64 = one
        .iter()
        .zip(&other)
        .map(|(one, other)| one.correlation(other).unwrap())
        .sum();
    sum / one.len() as f64
}

#[test]
fn a_turned_face_is_cut_out_upright() {
    let turning = FaceFinder::new();
    let straight = FaceFinder::with(FinderSettings {
        turns: false,
        ..FinderSettings::default()
    })
    .unwrap();
    let [upright, left, right] = [0.0, -20.0, 20.0].map(|roll| scene(roll).0);
    for turned in [left, right] {
        let corrected = likeness(&turning, &upright, &turned);
        let as_it_is = likeness(&straight, &upright, &turned);
        assert!(
            corrected > 0.65 && corrected > as_it_is + 0.15,
            "{corrected:.2} turned upright, {as_it_is:.2} as it is"
        );
    }
}

#[test]
fn the_portrait_has_one_face_in_any_size_and_when_it_is_cut_tightly() {
    let finder = FaceFinder::new();
    let portrait = portrait();
    for side in [256, 400, 900, 2600] {
        let way = imageops::FilterType::CatmullRom;
        let found = finder
            .find(&photograph(imageops::resize(&portrait, side, side, way)))
            .unwrap();
        let scale = side as f32 / 512.0;
        let [x, y, width, height] = FACE.map(|length| (length * scale) as u32);
        let drawn = Bounds {
            x,
            y,
            width,
            height,
        };
        let [face] = found.as_slice() else {
            panic!("{side}: {found:?}");
        };
        assert!(face.bounds().overlap(&drawn) >= 0.6, "{side}: {face:?}");
        assert!(face.roll().abs() < 10.0, "{side}: {face:?}");
    }
    let tight = imageops::crop_imm(&portrait, 176, 67, 98, 98).to_image();
    let found = finder.find(&photograph(tight)).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    let bounds = found[0].bounds();
    assert!(
        bounds.x + bounds.width <= 98 && bounds.y + bounds.height <= 98,
        "{bounds:?}"
    );
}

#[test]
fn photographs_without_a_face_have_none() {
    let finder = FaceFinder::new();
    let mut seen = 0;
    for entry in fs::read_dir(here("tests/photographs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jpg") {
            let found = finder.find(&Photograph::open(&path).unwrap()).unwrap();
            assert_eq!(found, [], "{}", path.display());
            seen += 1;
        }
    }
    assert_eq!(seen, 7);
}

#[test]
fn drawn_textures_have_no_face() {
    let finder = FaceFinder::new();
    let mut random = stream(5, "noise", 0);
    let noise = GrayImage::from_fn(500, 400, |_, _| Luma([random.random()]));
    let soft = imageops::blur(&noise, 3.0);
    let wave = |x: f32, y: f32| (127.5 + 120.0 * (x.sin() * y.cos())) as u8;
    let textures = [
        ("noise", noise),
        ("soft noise", soft),
        ("blots", background(800, 600)),
        (
            "gradient",
            GrayImage::from_fn(600, 400, |x, y| Luma([((x + y) / 4) as u8])),
        ),
        (
            "stripes",
            GrayImage::from_fn(500, 500, |x, _| {
                Luma([if x / 9 % 2 == 0 { 30 } else { 220 }])
            }),
        ),
        (
            "squares",
            GrayImage::from_fn(500, 500, |x, y| {
                Luma([if (x / 25 + y / 25) % 2 == 0 { 30 } else { 220 }])
            }),
        ),
        (
            "rings",
            GrayImage::from_fn(600, 600, |x, y| {
                let away = f32::hypot(x as f32 - 300.0, y as f32 - 300.0);
                Luma([wave(away / 8.0, 0.0)])
            }),
        ),
        (
            "waves",
            GrayImage::from_fn(600, 600, |x, y| {
                Luma([wave(x as f32 / 20.0, y as f32 / 15.0)])
            }),
        ),
    ];
    for (name, texture) in textures {
        assert_eq!(finder.find(&photograph(texture)).unwrap(), [], "{name}");
    }
}

#[test]
fn a_file_is_upright_before_its_faces_are_looked_for_and_a_broken_one_is_refused() {
    let path = here("../../assets/astronaut.jpg");
    let upright = Photograph::open(&path).unwrap();
    let turned = with_orientation(&fs::read(&path).unwrap(), 6);
    let turned = Photograph::decode(&turned, "turned.jpg").unwrap();
    // Stored upright and said to be turned: shown, it lies on its side, and so nobody is found.
    assert_eq!((turned.width(), turned.height()), (512, 512));
    let finder = FaceFinder::new();
    assert_eq!(finder.find(&turned).unwrap(), []);
    assert_eq!(finder.find(&upright).unwrap().len(), 1);
    assert_eq!(
        upright.picture(Resize::OpencvLinear),
        Picture::open_with(&path, Resize::OpencvLinear).unwrap()
    );
    assert_eq!(Photograph::colours(&path).unwrap().dimensions(), (512, 512));
    let error = Photograph::decode(b"hello", "note.jpg")
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("note.jpg"), "{error}");
}

/// A JPEG with an EXIF block that says how it is turned.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif =
        b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}
