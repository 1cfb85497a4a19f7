use std::path::Path;

use base64::Engine;
use fer_data::face::Bounds;
use fer_train::serve::Limits;
use serde_json::{Value, json};

use super::client::{get, post};
use super::{Running, asset, measured};
use crate::{fer, stdout};

/// What `predict --json` says of the project's own pictures, with `path` null.
fn predicted(arguments: &[&str]) -> Value {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets");
    let arguments = [&["predict", "--json"], arguments].concat();
    let said: Value = serde_json::from_str(&stdout(&fer(&assets, &arguments))).unwrap();
    let mut elements = said.as_array().unwrap().clone();
    elements
        .iter_mut()
        .for_each(|element| element["path"] = Value::Null);
    Value::Array(elements)
}

fn bounds(element: &Value) -> Bounds {
    serde_json::from_value(element["face"].clone()).unwrap()
}

#[test]
fn a_picture_gets_the_answer_of_predict() {
    let running = Running::start(Limits::default());
    let (portrait, face) = (asset("astronaut.jpg"), asset("face.png"));
    let answer = post(running.address, "/predict", &portrait);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), predicted(&["astronaut.jpg"]));
    assert_eq!(answer.json().as_array().unwrap().len(), 1);
    let answer = post(running.address, "/predict", &face);
    assert_eq!(answer.json(), predicted(&["face.png"]));
    let answer = post(running.address, "/predict?detect=false", &portrait);
    assert_eq!(answer.json(), predicted(&["astronaut.jpg", "--no-detect"]));
    let empty = greymap(200, 150, |_, _| 90);
    let answer = post(running.address, "/predict", &empty);
    let nobody = json!([{ "path": null, "error": "no face found" }]);
    assert_eq!((answer.status, answer.json()), (200, nobody.clone()));
    assert_eq!(post(running.address, "/explain", &empty).json(), nobody);
}

#[test]
fn many_at_once_get_the_answers_that_each_gets_alone() {
    let running = Running::start(Limits::default());
    let faces: Vec<Vec<u8>> = (0..24)
        .map(|number| greymap(48, 48, |x, y| (x * (number + 3) + y * 5) as u8))
        .collect();
    let ask = |face: &Vec<u8>| post(running.address, "/predict", face).json();
    let alone: Vec<Value> = faces.iter().map(ask).collect();
    let together: Vec<Value> = std::thread::scope(|scope| {
        let asked: Vec<_> = faces.iter().map(|face| scope.spawn(|| ask(face))).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(together, alone);
    assert_ne!(
        alone[0], alone[1],
        "different pictures have different answers"
    );
}

#[test]
fn the_face_comes_along_as_the_network_sees_it_and_so_does_where_it_looked() {
    let running = Running::start(Limits::default());
    let face = asset("face.png");
    let plain = post(running.address, "/predict", &face).json();
    assert!(plain[0].get("pixels").is_none() && plain[0].get("occlusion").is_none());
    let seen = post(running.address, "/predict?pixels=true", &face).json();
    let pixels =
        base64::engine::general_purpose::STANDARD.decode(seen[0]["pixels"].as_str().unwrap());
    let picture = fer_data::Picture::decode(&face, "face.png").unwrap();
    assert_eq!(pixels.unwrap(), picture.pixels());

    let explained = post(running.address, "/explain?class=sad", &face).json();
    let occlusion = &explained[0]["occlusion"];
    assert_eq!(
        (&occlusion["class"], &explained[0]["face"]),
        (&json!("sad"), &Value::Null)
    );
    let map: Vec<f64> = serde_json::from_value(occlusion["map"].clone()).unwrap();
    assert!(map.len() == 2304 && map.iter().any(|value| value.abs() > 1e-3));
    let own = post(running.address, "/explain", &asset("astronaut.jpg")).json();
    assert_eq!(own[0]["occlusion"]["class"], own[0]["expression"]);
    let refused = post(running.address, "/explain?class=bored", &face);
    assert_eq!(refused.status, 400);
    assert!(refused.error().contains("bored") && refused.error().contains("happy"));
}

#[test]
fn a_face_is_followed_and_searched_for_where_it_is_gone() {
    let running = Running::start(Limits::default());
    let portrait = asset("astronaut.jpg");
    let ask = |query: &str| post(running.address, &format!("/predict?{query}"), &portrait).json();
    let whole = bounds(&ask("")[0]);
    let Bounds {
        x,
        y,
        width,
        height,
    } = whole;
    for shift in [0, width / 5] {
        let near = format!(
            "quick=true&near={},{},{width},{height}",
            x + shift,
            y + shift
        );
        let found = ask(&near);
        let overlap = bounds(&found[0]).overlap(&whole);
        assert!(overlap > 0.7, "{near}: {found}");
        assert_eq!(found.as_array().unwrap().len(), 1);
    }
    // The same face twice is one, and where nobody is the whole is searched.
    let twice = format!(
        "near={x},{y},{width},{height}&near={},{y},{width},{height}",
        x + 8
    );
    assert_eq!(ask(&twice).as_array().unwrap().len(), 1);
    for gone in [
        "near=0,0,80,80",
        "near=1,1,20000,20000",
        "near=20000,9999,20000,20000",
        "quick=true&near=300,400,60,60",
    ] {
        let found = ask(gone);
        assert!(bounds(&found[0]).overlap(&whole) > 0.7, "{gone}: {found}");
    }
}

#[test]
fn it_abstains_when_asked_to_and_measured_and_says_so_when_it_was_not() {
    let running = Running::of(measured(0.9999999), Limits::default());
    let portrait = asset("astronaut.jpg");
    let sure = post(running.address, "/predict?risk=0.3", &portrait).json();
    assert_eq!(sure[0]["expression"], "happy");
    let unsure = post(running.address, "/predict?risk=0.1", &portrait).json();
    assert_eq!(
        (&unsure[0]["expression"], &unsure[0]["abstained"]),
        (&Value::Null, &json!(true))
    );
    let refused = post(running.address, "/predict?risk=0.01", &portrait);
    assert_eq!(refused.status, 422);
    let about = get(running.address, "/model").json();
    assert_eq!(
        about["unsure"],
        json!({ "risk": 0.1, "threshold": 0.9999999, "coverage": 0.5 })
    );
    assert_eq!(about["abstention"]["steps"][0]["coverage"], 1.0);
}

#[test]
fn the_model_says_what_it_is_and_the_server_that_it_is_well() {
    let running = Running::start(Limits::default());
    assert_eq!(
        get(running.address, "/health").json(),
        json!({ "status": "ok" })
    );
    let about = get(running.address, "/model").json();
    assert_eq!(
        (&about["built_in"], &about["classes"][4]),
        (&json!(false), &json!("happy"))
    );
    assert!(about["training"]["data"].is_string() && about["calibration"]["temperature"].is_f64());
    assert_eq!(about["unsure"]["risk"], 0.1);
    assert_eq!(about["largest_body"], Limits::default().body);
}

/// A portable greymap, which is as easily made as anything.
pub(super) fn greymap(width: u32, height: u32, value: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let mut bytes = format!("P5\n{width} {height}\n255\n").into_bytes();
    bytes.extend(
        (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| value(x, y)),
    );
    bytes
}
