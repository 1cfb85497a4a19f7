use std::fs;
use std::path::Path;
use std::process::Command;

use fer_train::insight::Explanation;
use serde_json::Value;

use crate::{fer, small_table, stderr, stdout};

fn drawn_face(folder: &Path, name: &str) {
    // A happy one.
    let pixels = fer_data::drawn::DrawnFaces::new(1).draw(8).pixels;
    let image = image::GrayImage::from_raw(48, 48, pixels).unwrap();
    image.save(folder.join(name)).unwrap();
}

#[test]
fn pictures_are_explained_each_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    drawn_face(at, "face.png");
    fs::create_dir(at.join("other")).unwrap();
    drawn_face(&at.join("other"), "face.png");
    let arguments = [
        "explain",
        "face.png",
        "missing.png",
        "other/face.png",
        "--json",
        "--class",
        "sad",
    ];
    let output = fer(at, &arguments);
    assert_eq!(output.status.code(), Some(1), "one is missing");
    assert!(
        stderr(&output).contains("missing.png"),
        "{}",
        stderr(&output)
    );
    let elements: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(elements.as_array().unwrap().len(), 3);
    assert!(
        elements[1]["error"]
            .as_str()
            .unwrap()
            .contains("missing.png")
    );
    let [one, other] = [&elements[0], &elements[2]];
    assert_eq!(
        (one["class"].as_str(), &one["occlusion"]),
        (Some("sad"), &other["occlusion"])
    );
    for region in fer_data::Region::ALL {
        for method in ["occlusion", "grad_cam"] {
            assert!(one[method]["regions"][region.name()].as_f64().unwrap() >= 0.0);
        }
    }
    assert_ne!(one["picture"], other["picture"]);
    for element in [one, other] {
        let drawn = image::open(at.join(element["picture"].as_str().unwrap())).unwrap();
        assert!(drawn.width() > 3 * drawn.height());
    }
}

#[test]
fn people_read_the_class_its_probability_and_the_regions() {
    let folder = tempfile::tempdir().unwrap();
    drawn_face(folder.path(), "face.png");
    let output = fer(folder.path(), &["explain", "face.png", "--out", "maps"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(
        said.starts_with("face.png: ") && said.contains(" %\n"),
        "{said}"
    );
    assert!(
        said.contains("\nmouth ") && said.contains("\noutside "),
        "{said}"
    );
    assert!(folder.path().join("maps/face-explained.png").is_file());
}

#[test]
fn what_cannot_be_explained_is_a_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    drawn_face(folder.path(), "face.png");
    for (arguments, part) in [
        (&["explain"][..], "explain needs a picture, or --data PATH"),
        (
            &["explain", "face.png", "--class", "glad"][..],
            "no class `glad`; its classes are: angry",
        ),
        (
            &["explain", "face.png", "--data", "drawn"][..],
            "cannot be used with",
        ),
        (
            &["explain", "face.png", "--pictures", "3"][..],
            "cannot be used with",
        ),
    ] {
        let output = fer(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            stderr(&output).contains(part),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
    assert!(!folder.path().join("explanation").exists());
}

const OVER_DATA: [&str; 11] = [
    "explain",
    "--data",
    "fer2013.csv",
    "--ferplus",
    "fer2013new.csv",
    "--pictures",
    "6",
    "--random-networks",
    "1",
    "--json",
    "--out",
];

#[test]
fn a_data_set_is_explained_to_the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let explained = |threads: &str, out: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_fer-train"))
            .args(OVER_DATA.into_iter().chain([out]))
            .env("RAYON_NUM_THREADS", threads)
            .current_dir(at)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let written = fs::read_to_string(at.join(out).join("explanation.json")).unwrap();
        assert_eq!(written, stdout(&output));
        written
    };
    let written = explained("1", "one");
    assert_eq!(written, explained("3", "three"));
    assert_eq!(
        written,
        explained("2", "one"),
        "a directory with results takes them anew"
    );

    let explanation: Explanation = serde_json::from_str(&written).unwrap();
    assert_eq!((explanation.n, explanation.split.as_str()), (6, "all"));
    assert_eq!(
        explanation.classes.iter().map(|class| class.n).sum::<u64>(),
        6
    );
    assert_eq!(explanation.settings.random_networks, 1);
    for class in &explanation.classes {
        assert_eq!(class.importance.is_some(), class.n > 0, "{}", class.name);
        assert_eq!(class.map.is_some(), class.n > 0, "{}", class.name);
        if let Some(map) = &class.map {
            image::open(at.join("one").join(map)).unwrap();
        }
        let Some(importance) = &class.importance else {
            continue;
        };
        let is_named = !class.emfacs.is_empty();
        assert_eq!(
            importance.occlusion.agreement.is_some(),
            is_named,
            "{}",
            class.name
        );
        assert!(importance.grad_cam.random.is_some());
    }
    for order in [&explanation.curves.occlusion, &explanation.curves.random] {
        assert_eq!(
            order.deletion.probability.len(),
            explanation.curves.share.len()
        );
        assert!((order.deletion.probability[0] - order.insertion.probability[24]).abs() < 1e-9);
    }
    let regions = image::open(at.join("one/explanation/regions.png")).unwrap();
    assert_eq!((regions.width(), regions.height()), (480, 480));
}
