//! The page in a browser: a picture, the webcam, the keyboard, light and dark, wide and narrow.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fer_data::face::Bounds;
use image::RgbImage;
use serde_json::{Value, json};

use super::command::Serving;
use super::{asset, client::post};
use crate::accessibility::{it_is_accessible, text_stands_out};
use crate::browser::Browser;

/// What the webcam sees: 640×480, thirty frames a second.
const SIZE: (u32, u32) = (640, 480);

/// Frames of the film, after which it begins anew.
const FRAMES: i64 = 24;

/// A film in which the portrait moves a little from side to side, for Chromium's camera that is none.
fn film(folder: &Path) -> PathBuf {
    let portrait = image::load_from_memory(&asset("astronaut.jpg")).unwrap();
    let portrait = portrait.resize_exact(480, 480, image::imageops::FilterType::Triangle);
    let portrait = portrait.to_rgb8();
    let path = folder.join("film.y4m");
    let mut film = fs::File::create(&path).unwrap();
    let (width, height) = SIZE;
    writeln!(film, "YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C420jpeg").unwrap();
    for frame in 0..FRAMES {
        let mut picture = RgbImage::from_pixel(width, height, image::Rgb([70, 80, 90]));
        let shift = (frame - FRAMES / 2).abs() * 4 + 40;
        image::imageops::overlay(&mut picture, &portrait, shift, 0);
        film.write_all(b"FRAME\n").unwrap();
        film.write_all(&planes(&picture)).unwrap();
    }
    path
}

/// Light, blue and red of a picture, the latter two at half the size.
fn planes(picture: &RgbImage) -> Vec<u8> {
    let weighed = |weights: [f32; 3], x: u32, y: u32| {
        let pixel = picture.get_pixel(x, y).0;
        let parts = pixel.iter().zip(weights);
        parts
            .map(|(part, weight)| f32::from(*part) * weight)
            .sum::<f32>()
    };
    let (width, height) = picture.dimensions();
    let places = |step: usize| {
        let rows = (0..height).step_by(step);
        rows.flat_map(move |y| (0..width).step_by(step).map(move |x| (x, y)))
    };
    let light = places(1).map(|(x, y)| weighed([0.299, 0.587, 0.114], x, y) as u8);
    let blue = places(2).map(|(x, y)| (128.0 + weighed([-0.1687, -0.3313, 0.5], x, y)) as u8);
    let red = places(2).map(|(x, y)| (128.0 + weighed([0.5, -0.4187, -0.0813], x, y)) as u8);
    light.chain(blue).chain(red).collect()
}

/// Keeps what the browser shows where `PAGE_PICTURES` says, for people to look at.
fn keep(browser: &mut Browser, name: &str) {
    if let Some(folder) = std::env::var_os("PAGE_PICTURES") {
        let whole = json!({ "captureBeyondViewport": true });
        let picture = browser.bytes("Page.captureScreenshot", whole);
        fs::write(Path::new(&folder).join(name), picture).unwrap();
    }
}

/// Looks at the page in every size and scheme.
fn in_all_forms(browser: &mut Browser, name: &str) {
    for (size, mobile) in [((1280, 900), false), ((360, 740), true)] {
        for scheme in ["light", "dark"] {
            browser.show(size, mobile, scheme);
            let wide = browser.value("document.documentElement.scrollWidth");
            let wide = wide.as_u64().unwrap();
            assert!(
                wide <= u64::from(size.0),
                "{wide} of {size:?}, {scheme}, {name}"
            );
            text_stands_out(browser, scheme);
            keep(browser, &format!("{name}-{}-{scheme}.png", size.0));
        }
    }
    browser.show((1280, 900), false, "light");
}

fn text(browser: &mut Browser, id: &str) -> String {
    let text = browser.value(&format!("document.getElementById('{id}').textContent"));
    text.as_str().unwrap().to_string()
}

const VERDICT: &str = "document.getElementById('verdict').textContent";

#[test]
fn the_page_works_in_chromium() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path());
    let serving = Serving::start(folder.path(), &[]);
    let portrait = folder.path().join("astronaut.jpg");
    fs::write(&portrait, asset("astronaut.jpg")).unwrap();
    let mut browser = Browser::start_with(&[
        "--use-fake-device-for-media-stream".into(),
        "--use-fake-ui-for-media-stream".into(),
        format!("--use-file-for-fake-video-capture={}", film.display()),
    ]);
    browser.show((1280, 900), false, "light");
    let address = format!("http://{}/", serving.address);
    browser.visit(&address);
    browser.wait_for("document.getElementById('facts').children.length > 6");
    it_is_accessible(&mut browser);
    let promise = text(&mut browser, "private");
    assert!(
        promise.starts_with("Nothing leaves this computer"),
        "{promise}"
    );
    in_all_forms(&mut browser, "empty");

    a_picture_is_answered(&mut browser, &serving, &portrait);
    the_keyboard_reaches_everything(&mut browser);
    in_all_forms(&mut browser, "picture");
    assert_eq!(browser.complaints(), Vec::<String>::new());

    what_is_no_picture_is_said_to_be_none(&mut browser, folder.path());
    in_all_forms(&mut browser, "problem");
    // The browser itself notes that the answer was a refusal, and nothing else is noted.
    let complaints = browser.complaints();
    assert!(
        complaints.len() == 1 && complaints[0].contains("415"),
        "{complaints:?}"
    );

    the_webcam_is_followed(&mut browser);
    assert_eq!(browser.complaints().len(), 1, "{:?}", browser.complaints());
    let own = format!("blob:{address}");
    for request in browser.requests() {
        assert!(
            request.starts_with(&address) || request.starts_with(&own),
            "{request}"
        );
    }
}

fn a_picture_is_answered(browser: &mut Browser, serving: &Serving, portrait: &Path) {
    browser.choose("#file", portrait);
    browser.wait_for(&format!("{VERDICT} === 'Happy'"));
    let predicted = post(serving.address, "/predict", &fs::read(portrait).unwrap()).json();
    let probability = predicted[0]["probabilities"]["happy"].as_f64().unwrap();
    let said = match (100.0 * probability).round() as u32 {
        100 => ">\u{a0}99\u{a0}%".to_string(),
        share => format!("{share}\u{a0}%"),
    };
    assert!(text(browser, "note").contains(&said), "{said}");
    assert!(text(browser, "status").contains(&format!("One face. Face 1: happy {said}")));
    let boxes = browser.value(
        "(() => { const whole = document.getElementById('photograph').getBoundingClientRect();
         const scale = document.getElementById('photograph').naturalWidth / whole.width;
         return [...document.querySelectorAll('.box')].map(one => { const own = one.getBoundingClientRect();
         return { x: Math.round((own.x - whole.x) * scale), y: Math.round((own.y - whole.y) * scale),
         width: Math.round(own.width * scale), height: Math.round(own.height * scale) }; }); })()",
    );
    let boxes: Vec<Bounds> = serde_json::from_value(boxes).unwrap();
    let face: Bounds = serde_json::from_value(predicted[0]["face"].clone()).unwrap();
    assert!(
        boxes.len() == 1 && boxes[0].overlap(&face) > 0.95,
        "{boxes:?} {face:?}"
    );
    let rows = browser
        .value("[...document.querySelectorAll('#bars tbody th')].map(one => one.textContent)");
    let classes: Vec<&String> = predicted[0]["probabilities"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(rows, json!(classes));
    assert_eq!(
        browser.value("document.querySelectorAll('#bars .top').length"),
        1
    );
    // The face as the network sees it is there, pixel by pixel.
    let greys = browser.value(
        "new Set(document.getElementById('crop').getContext('2d').getImageData(0, 0, 48, 48).data).size",
    );
    assert!(greys.as_u64() > Some(60), "{greys}");
}

/// Tab leads from the top through everything that can be used, and the switch is turned by the space bar.
fn the_keyboard_reaches_everything(browser: &mut Browser) {
    browser.value("document.activeElement.blur(), scrollTo(0, 0)");
    let mut reached: Vec<Value> = Vec::new();
    for _ in 0..6 {
        browser.press("Tab", 9);
        let now = "document.activeElement.id || document.activeElement.className";
        reached.push(browser.value(now));
    }
    let expected = json!(["skip", "file", "camera", "box", "overlay"]);
    assert_eq!(json!(reached[..5]), expected);
    browser.value("document.getElementById('overlay').focus()");
    browser.press(" ", 32);
    browser.wait_for("!document.getElementById('heat').hidden");
    let words = text(browser, "legend");
    assert!(words.contains("happy"), "{words}");
    let colours = browser.value(
        "new Set(document.getElementById('heat').getContext('2d').getImageData(0, 0, 48, 48).data).size",
    );
    assert!(colours.as_u64() > Some(60), "{colours}");
}

fn what_is_no_picture_is_said_to_be_none(browser: &mut Browser, folder: &Path) {
    let none = folder.join("none.png");
    fs::write(&none, "no picture").unwrap();
    browser.choose("#file", &none);
    browser.wait_for("document.getElementById('problem').textContent !== ''");
    let words = text(browser, "problem");
    assert!(
        words.starts_with("The picture cannot be decoded"),
        "{words}"
    );
    assert_eq!(text(browser, "verdict"), "No answer");
}

fn the_webcam_is_followed(browser: &mut Browser) {
    browser.value(
        "document.getElementById('overlay').checked && document.getElementById('overlay').click()",
    );
    browser.click("#camera");
    browser.wait_for(&format!("{VERDICT} === 'Happy'"));
    assert_eq!(text(browser, "problem"), "");
    let place = "document.querySelector('.box').style.left";
    let first = browser.value(place);
    // Meanwhile nothing else is asked of the browser, which shares the cores with the server.
    browser.value("performance.setResourceTimingBufferSize(100000)");
    let count = "performance.getEntriesByType('resource').filter(one => one.name.includes('/predict')).length";
    let (before, start) = (browser.value(count).as_f64().unwrap(), Instant::now());
    std::thread::sleep(Duration::from_secs(5));
    let frames = browser.value(count).as_f64().unwrap() - before;
    let rate = frames / start.elapsed().as_secs_f64();
    show(rate);
    assert!(rate > 1.0, "{rate} frames a second");
    assert!(text(browser, "rate").ends_with("frames a second"));
    assert_ne!(browser.value(place), first, "the box moves with the face");
    browser.click("#overlay");
    browser.wait_for("!document.getElementById('heat').hidden");
    in_all_forms(browser, "webcam");
    browser.click("#camera");
    assert_eq!(text(browser, "verdict"), "No picture yet");
    assert_eq!(
        browser.value("document.getElementById('video').srcObject"),
        Value::Null
    );
}

#[expect(
    clippy::print_stdout,
    reason = "the figure that the test is run for by hand"
)]
fn show(rate: f64) {
    println!("webcam      {rate:.1} frames a second of 640×480 with one face");
}
