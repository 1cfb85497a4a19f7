use std::fs;
use std::path::Path;

use image::{GrayImage, ImageFormat, Luma};
use serde_json::Value;

use crate::{fer, stderr, stdout};

/// A folder with the portrait, a picture without a face, a face that is cut out already and a file that
/// is no picture.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets");
    fs::create_dir_all(at.join("photographs/deep")).unwrap();
    let portrait = at.join("photographs/portrait.jpg");
    fs::copy(assets.join("astronaut.jpg"), portrait).unwrap();
    let face = at.join("photographs/deep/face.png");
    fs::copy(assets.join("face.png"), face).unwrap();
    let stripes = GrayImage::from_fn(300, 200, |x, _| {
        Luma([if x / 9 % 2 == 0 { 30 } else { 220 }])
    });
    stripes.save(at.join("photographs/stripes.png")).unwrap();
    fs::write(at.join("photographs/notes.txt"), b"nothing").unwrap();
    folder
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_photograph_is_predicted_face_by_face_and_nobody_is_made_up() {
    let folder = folder();
    let at = folder.path();
    let predicted = fer(at, &["predict", "--json", "photographs/portrait.jpg"]);
    assert!(predicted.status.success(), "{}", stderr(&predicted));
    let elements = json(&stdout(&predicted));
    assert_eq!(elements.as_array().unwrap().len(), 1);
    let number = |name: &str| elements[0]["face"][name].as_u64().unwrap();
    assert!((160..200).contains(&number("x")) && (50..90).contains(&number("y")));
    assert!((80..120).contains(&number("width")) && (80..120).contains(&number("height")));
    assert_eq!(elements[0]["expression"], "happy", "she smiles");

    let predicted = fer(at, &["predict", "--json", "photographs"]);
    assert_eq!(predicted.status.code(), Some(1));
    assert!(stderr(&predicted).contains("stripes.png: no face found"));
    assert!(stderr(&predicted).contains("1 of the files in photographs"));
    let elements = json(&stdout(&predicted));
    let elements = elements.as_array().unwrap();
    let paths: Vec<&str> = elements
        .iter()
        .map(|element| element["path"].as_str().unwrap())
        .collect();
    let expected = [
        "photographs/deep/face.png",
        "photographs/portrait.jpg",
        "photographs/stripes.png",
    ];
    assert_eq!(paths, expected);
    assert!(elements[0]["face"].is_null() && elements[0]["expression"].is_string());
    assert_eq!(elements[2]["error"], "no face found");
    assert!(elements[2].get("expression").is_none());
}

#[test]
fn without_detection_every_picture_is_a_face() {
    let folder = folder();
    let arguments = ["predict", "--json", "--no-detect", "photographs"];
    let predicted = fer(folder.path(), &arguments);
    assert!(predicted.status.success(), "{}", stderr(&predicted));
    for element in json(&stdout(&predicted)).as_array().unwrap() {
        assert!(element["face"].is_null() && element["expression"].is_string());
    }
}

#[test]
fn a_table_has_a_row_a_face_and_copies_are_drawn() {
    let folder = folder();
    let at = folder.path();
    let arguments = [
        "predict",
        "--csv",
        "--draw",
        "drawn",
        "photographs/*.*g",
        "photographs/deep",
    ];
    let predicted = fer(at, &arguments);
    assert_eq!(predicted.status.code(), Some(1), "{}", stderr(&predicted));
    let table = stdout(&predicted);
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split(',').collect()).collect();
    assert_eq!(
        rows[0][..7],
        ["path", "x", "y", "width", "height", "expression", "error"]
    );
    assert_eq!(rows[0].len(), 7 + 8);
    assert_eq!(rows.len(), 4, "{table}");
    assert_eq!(
        (rows[1][0], rows[1][5]),
        ("photographs/portrait.jpg", "happy")
    );
    let sum: f64 = rows[1][7..]
        .iter()
        .map(|cell| cell.parse::<f64>().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-5, "{table}");
    assert_eq!(
        (rows[2][0], rows[2][6]),
        ("photographs/stripes.png", "no face found")
    );
    assert_eq!((rows[3][0], rows[3][1]), ("photographs/deep/face.png", ""));

    let drawn = |name: &str| {
        image::open(at.join("drawn").join(name))
            .unwrap()
            .into_rgb8()
    };
    let copy = drawn("portrait-faces.jpg");
    let original = image::open(at.join("photographs/portrait.jpg"))
        .unwrap()
        .into_rgb8();
    assert_eq!(copy.dimensions(), original.dimensions());
    let differs =
        |x: u32, y: u32| copy.get_pixel(x, y)[2].abs_diff(original.get_pixel(x, y)[2]) > 100;
    let changed = |columns: std::ops::Range<u32>| {
        columns
            .flat_map(|x| (0..512).map(move |y| (x, y)))
            .filter(|&(x, y)| differs(x, y))
            .count()
    };
    assert!(changed(150..300) > 150, "a box and a label at the face");
    assert!(changed(350..512) < 20, "and nothing elsewhere");
    assert_eq!(drawn("stripes-faces.jpg").dimensions(), (300, 200));
    assert!(
        drawn("face-faces.jpg").width() >= 256,
        "enlarged for the words"
    );

    let both = fer(at, &["predict", "--csv", "--json", "photographs"]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn a_photograph_is_turned_upright_by_what_its_camera_noted() {
    let folder = folder();
    let at = folder.path();
    let portrait = image::open(at.join("photographs/portrait.jpg")).unwrap();
    let mut jpeg = std::io::Cursor::new(Vec::new());
    portrait
        .crop_imm(0, 0, 400, 300)
        .rotate270()
        .write_to(&mut jpeg, ImageFormat::Jpeg)
        .unwrap();
    let jpeg = jpeg.into_inner();
    // Orientation 6: shown, it is turned clockwise by a quarter.
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    fs::write(
        at.join("turned.jpg"),
        [&jpeg[..2], exif, &jpeg[2..]].concat(),
    )
    .unwrap();
    let predicted = fer(at, &["predict", "--json", "--draw", "drawn", "turned.jpg"]);
    assert!(predicted.status.success(), "{}", stderr(&predicted));
    let elements = json(&stdout(&predicted));
    let x = elements[0]["face"]["x"].as_u64().unwrap();
    assert!((160..200).contains(&x), "{elements}");
    let copy = image::open(at.join("drawn/turned-faces.jpg")).unwrap();
    assert_eq!((copy.width(), copy.height()), (400, 300));
}
