use std::fs;
use std::path::{Path, PathBuf};

use fer_data::drawn::DrawnFaces;
use serde_json::{Value, json};

use crate::accessibility::{it_is_accessible, text_stands_out};
use crate::browser::Browser;
use crate::{SMALL, fer, small_table, stderr, stdout};

/// Class names that would be markup, and end the data of a script, were they not escaped.
const CLASSES: [&str; 3] = [
    "happy",
    "</script><script>alert('x')</script>",
    "\"><img src=x onerror=alert(1)> & <b>",
];

/// A folder of drawn faces with a manifest that has such labels, and a path that would be markup.
fn hostile_faces(folder: &Path) {
    let faces = DrawnFaces::new(8).subjects(12).takes(2);
    let mut manifest = csv::Writer::from_path(folder.join("faces.csv")).unwrap();
    manifest
        .write_record(["path", "label", "subject", "age"])
        .unwrap();
    for index in 0..faces.len() {
        let face = faces.draw(index);
        let class = CLASSES[face.expression.index() % CLASSES.len()];
        let name = format!("<i>{index}&'\".png");
        let image = image::GrayImage::from_raw(48, 48, face.pixels).unwrap();
        image.save(folder.join(&name)).unwrap();
        let (subject, age) = (
            face.subject.to_string(),
            (20 + face.subject % 2).to_string(),
        );
        manifest
            .write_record([&name, class, &subject, &age])
            .unwrap();
    }
    manifest.flush().unwrap();
}

/// A run on such faces, judged in all situations, in the directory `run`.
fn hostile_run(folder: &Path) -> PathBuf {
    hostile_faces(folder);
    let train = "--data faces.csv --layout manifest --arch cnn --epochs 2 --batch-size 16 --out run \
                 --validation-fraction 0.2 --test-fraction 0.4";
    let trained = fer(folder, &train.split_whitespace().collect::<Vec<_>>());
    assert!(trained.status.success(), "{}", stderr(&trained));
    assert!(
        stdout(&trained).contains("report      run/report.html"),
        "{}",
        stdout(&trained)
    );
    let tried =
        "evaluate run/model.safetensors --data faces.csv --layout manifest --robustness --out run";
    let tried = fer(folder, &tried.split(' ').collect::<Vec<_>>());
    assert!(tried.status.success(), "{}", stderr(&tried));
    folder.join("run")
}

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Keeps what the browser shows where `REPORT_PICTURES` says, for people to look at.
fn keep(browser: &mut Browser, name: &str) {
    if let Some(folder) = std::env::var_os("REPORT_PICTURES") {
        let whole = json!({ "captureBeyondViewport": true });
        let picture = browser.bytes("Page.captureScreenshot", whole);
        fs::write(Path::new(&folder).join(name), picture).unwrap();
    }
}

#[test]
fn a_report_works_in_chromium_whatever_the_names_are() {
    let folder = tempfile::tempdir().unwrap();
    let run = hostile_run(folder.path());
    let page = run.join("report.html");
    let mut browser = Browser::start();
    browser.show((1280, 900), false, "light");
    browser.open(&page);

    let text = browser
        .value("document.body.innerText")
        .as_str()
        .unwrap()
        .to_string();
    for name in CLASSES {
        assert!(text.contains(name), "{name} is not shown");
    }
    a_click_on_a_cell_shows_its_pictures(&mut browser, &run);
    the_keyboard_does_as_well(&mut browser);
    it_is_accessible(&mut browser);
    for (size, mobile) in [((1280, 900), false), ((360, 740), true)] {
        for scheme in ["light", "dark"] {
            browser.show(size, mobile, scheme);
            let wide = browser.value("document.documentElement.scrollWidth");
            assert!(
                wide.as_u64().unwrap() <= u64::from(size.0),
                "{wide} of {size:?}, {scheme}"
            );
            text_stands_out(&mut browser, scheme);
            keep(&mut browser, &format!("{}-{scheme}.png", size.0));
        }
    }
    it_can_be_printed(&mut browser);

    assert_eq!(browser.complaints(), Vec::<String>::new());
    let address = format!("file://{}", page.canonicalize().unwrap().display());
    assert_eq!(browser.requests(), [address], "nothing else is asked for");
}

fn a_click_on_a_cell_shows_its_pictures(browser: &mut Browser, run: &Path) {
    let metrics = json_of(&run.join("metrics.json"));
    let matrix = &metrics["confusion_matrix"];
    let class = |index: usize| &metrics["classes"][index]["name"];
    let cells = (0..9).map(|place| (place / 3, place % 3));
    let (row, column) = cells
        .max_by_key(|&(row, column)| matrix[row][column].as_u64())
        .unwrap();
    let count = matrix[row][column].as_u64().unwrap();
    let button = format!("button[data-cell='{row}-{column}']");
    browser.click(&button);
    assert_eq!(
        browser.value("document.getElementById('pictures').open"),
        true
    );
    let shown = browser.value("document.querySelectorAll('#pictures-list .face').length");
    let tiles = json_of(&run.join("gallery.json"))["tiles"].clone();
    let own = |tile: &&Value| tile["label"] == *class(row) && tile["predicted"] == *class(column);
    assert_eq!(shown, tiles.as_array().unwrap().iter().filter(own).count());
    assert!(shown.as_u64() >= Some(count.min(24)), "{shown} of {count}");
    let note = browser.value("document.getElementById('pictures-note').textContent");
    let expected = format!("{shown} of {count} shown");
    assert!(note.as_str().unwrap().starts_with(&expected), "{note}");
    let title = browser.value("document.getElementById('pictures-title').textContent");
    assert!(
        title
            .as_str()
            .unwrap()
            .contains(class(row).as_str().unwrap()),
        "{title}"
    );
    // Every picture is another place of the sprite, which is there.
    let places = browser.value(
        "(() => { const faces = [...document.querySelectorAll('#pictures-list .face')];
         const styles = faces.map(one => getComputedStyle(one));
         return [new Set(styles.map(one => one.backgroundPosition)).size,
                 styles.every(one => one.backgroundImage.startsWith('url(\"data:image/png'))]; })()",
    );
    assert_eq!(places, json!([shown, true]));
    keep(browser, "dialog.png");
    browser.press("Escape", 27);
    assert_eq!(
        browser.value("document.getElementById('pictures').open"),
        false
    );
    let back = format!(
        "document.activeElement === document.querySelector({})",
        json!(button)
    );
    assert_eq!(browser.value(&back), true, "the cell has the focus again");
}

fn the_keyboard_does_as_well(browser: &mut Browser) {
    browser.value("document.querySelector('button[data-cell]').focus()");
    let cell = "document.activeElement.dataset.cell";
    let first = browser.value(cell);
    let arrows = [
        ("ArrowRight", 39),
        ("ArrowDown", 40),
        ("ArrowLeft", 37),
        ("ArrowUp", 38),
    ];
    let moved = arrows.into_iter().any(|(key, code)| {
        browser.press(key, code);
        browser.value(cell) != first
    });
    assert!(
        moved && browser.value(cell).is_string(),
        "no arrow leads from {first}"
    );
    browser.press("Enter", 13);
    assert_eq!(
        browser.value("document.getElementById('pictures').open"),
        true
    );
    browser.click("#pictures-close");
    assert_eq!(
        browser.value("document.getElementById('pictures').open"),
        false
    );
}

fn it_can_be_printed(browser: &mut Browser) {
    browser.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    let hidden = browser.value("getComputedStyle(document.querySelector('nav')).display");
    assert_eq!(hidden, "none");
    browser.call("Emulation.setEmulatedMedia", json!({ "media": "" }));
    let whole = json!({ "printBackground": true, "paperWidth": 8.27, "paperHeight": 11.69 });
    let printed = browser.bytes("Page.printToPDF", whole);
    assert!(
        printed.starts_with(b"%PDF") && printed.len() > 20_000,
        "{}",
        printed.len()
    );
    if let Some(folder) = std::env::var_os("REPORT_PICTURES") {
        fs::write(Path::new(&folder).join("report.pdf"), printed).unwrap();
    }
}

/// What lies in the directory decides what the page shows.
#[test]
fn a_part_that_is_not_there_yet_shows_the_command_that_computes_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let trained = fer(at, &[&SMALL[..], &["run"]].concat());
    assert!(trained.status.success(), "{}", stderr(&trained));
    // Templates write a slash of a value as a reference.
    let page = |run: &str| {
        let page = fs::read_to_string(at.join(run).join("report.html")).unwrap();
        page.replace("&#x2f;", "/")
    };
    let of_run = page("run");
    let votes = "--data DATA --ferplus fer2013new.csv";
    for command in [
        format!("fer-train evaluate RUN/model.safetensors {votes} --robustness --out RUN"),
        format!("fer-train explain --model RUN/model.safetensors {votes} --out RUN"),
        format!("fer-train baseline {votes} --out RUN"),
    ] {
        assert!(of_run.contains(&command), "{command}");
    }
    assert!(
        !of_run.contains(&at.display().to_string()),
        "no path of the machine"
    );

    // Written again it is the same to the last byte.
    let again = fer(at, &["report", "run"]);
    assert!(again.status.success(), "{}", stderr(&again));
    assert_eq!(page("run"), of_run);

    // A directory of a model that was judged elsewhere has neither curves nor a card.
    let judged =
        "evaluate run/model.safetensors --data fer2013.csv --ferplus fer2013new.csv --out judged";
    let judged = fer(at, &judged.split(' ').collect::<Vec<_>>());
    assert!(judged.status.success(), "{}", stderr(&judged));
    let of_judged = page("judged");
    assert!(of_judged.contains("Nothing was trained in this directory"));
    assert!(of_judged.contains("A cell opens its pictures"));
    assert!(of_judged.contains("pictures that it was not trained on"));
    assert!(of_judged.contains("the validation split of"));

    // An older run without pictures says how to get them.
    fs::remove_file(at.join("judged/gallery.json")).unwrap();
    assert!(fer(at, &["report", "judged"]).status.success());
    assert!(page("judged").contains("The pictures of the cells come with:"));
}

#[test]
fn a_directory_without_findings_and_a_broken_file_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let refused = |words: &str| {
        let output = fer(at, &["report", "run"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    };
    refused("run is no directory");
    fs::create_dir(at.join("run")).unwrap();
    refused("run holds nothing to report");
    fs::write(at.join("run/metrics.json"), "{ \"split\": 7 }").unwrap();
    refused("run/metrics.json is not as this program writes it");
}
