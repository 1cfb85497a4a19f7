//! What is no file, and names that steer terminals, are markup or formulas.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fer_data::printable;
use serde_json::Value;

use crate::{fer, stderr, stdout};

/// Runs the command, which is killed after two minutes.
fn in_time(folder: &Path, arguments: &[&OsStr]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fer-train"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
            panic!("{arguments:?} hangs");
        }
        sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

fn face(path: &Path, number: usize) {
    let faces = fer_data::drawn::DrawnFaces::new(3).subjects(30).takes(1);
    let face = faces.draw(number);
    let image = image::GrayImage::from_raw(48, 48, face.pixels).unwrap();
    image
        .save_with_format(path, image::ImageFormat::Png)
        .unwrap();
}

#[test]
fn what_is_no_file_is_neither_waited_for_nor_read_to_an_end_that_never_comes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("faces")).unwrap();
    let pipe = at.join("faces/pipe.png");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    symlink("/dev/zero", at.join("faces/zero.png")).unwrap();
    symlink(at.join("faces"), at.join("faces/again")).unwrap();
    symlink(at.join("faces"), at.join("faces/and again")).unwrap();
    face(&at.join("faces/face.png"), 1);
    let run = |line: &str| {
        let arguments: Vec<&OsStr> = line.split(' ').map(OsStr::new).collect();
        in_time(at, &arguments)
    };
    let predicted =
        run("predict --json faces/pipe.png faces/zero.png faces/face.png faces/again/*.png");
    assert_eq!(predicted.status.code(), Some(1));
    let elements: Vec<Value> = serde_json::from_str(&stdout(&predicted)).unwrap();
    assert_eq!(elements.len(), 6, "{elements:?}");
    for place in [0, 1] {
        let error = elements[place]["error"].as_str().unwrap();
        assert!(error.contains("a pipe or a device"), "{error}");
    }
    let predicted = run("predict --csv faces");
    assert_eq!(predicted.status.code(), Some(1));
    assert_eq!(stdout(&predicted).lines().count(), 2, "a head and a face");
    for words in [
        "faces/pipe.png: neither file nor folder",
        "faces/zero.png: neither file nor folder",
        "faces/again: link to a folder that it lies in",
    ] {
        assert!(stderr(&predicted).contains(words), "{}", stderr(&predicted));
    }
    let predicted = in_time(at, &["predict", "faces/**/*.png"].map(OsStr::new));
    assert_eq!(
        stdout(&predicted).lines().count(),
        1,
        "{}",
        stderr(&predicted)
    );
    let name = OsStr::from_bytes(b"caf\xe9");
    fs::rename(at.join("faces"), at.join(name)).unwrap();
    let refused = in_time(at, &[OsStr::new("--data"), name]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("caf\u{fffd} is not Unicode"));
    fs::rename(at.join(name), at.join("faces")).unwrap();
    for line in [
        "explain faces/pipe.png",
        "explain faces/zero.png",
        "inspect faces/pipe.png",
        "inspect --layout manifest faces/zero.png",
        "--data faces/pipe.png --layout csv",
        "predict --model faces/pipe.png faces/face.png",
        "predict --model faces/zero.png faces/face.png",
        "summary faces/zero.png",
        "train --data drawn --init faces/zero.png",
        "inspect faces --label-map faces/zero.png",
        "inspect faces --label-map faces/pipe.png",
    ] {
        let refused = run(line);
        let said = stderr(&refused);
        assert!(!refused.status.success(), "{line}");
        assert!(
            said.contains("faces/pipe.png") || said.contains("faces/zero.png"),
            "{line}: {said}"
        );
    }
}

/// Names of files that end a line, clear a terminal, set its title or turn the order of reading.
const NAMES: [&[u8]; 4] = [
    b"a\nerror: forged.png",
    b"b\x1b[2J\x1b]0;title\x07.png",
    b"c\xc2\x9b31m\xff.png",
    "d\u{202e}gnp.exe.png".as_bytes(),
];

fn steers_nothing(output: &Output, what: &str) {
    for text in [&output.stdout, &output.stderr] {
        for line in String::from_utf8_lossy(text).lines() {
            assert_eq!(printable(line), line, "{what}");
            assert!(!line.starts_with("error: forged"), "{what}: {line}");
        }
    }
}

#[test]
fn names_of_files_steer_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for class in ["happy", "sad"] {
        fs::create_dir_all(at.join("faces").join(class)).unwrap();
        for number in 0..12 {
            let path = at.join("faces").join(class).join(format!("{number}.png"));
            face(&path, 2 * number + usize::from(class == "sad"));
        }
    }
    let mut arguments = vec![OsString::from("predict")];
    for (number, name) in NAMES.iter().enumerate() {
        let name = OsStr::from_bytes(name);
        face(&at.join("faces/happy").join(name), 30 + number);
        fs::write(at.join("faces/sad").join(name), b"\x89PNG\r\n\x1a\n").unwrap();
        arguments.push(Path::new("faces/happy").join(name).into());
        arguments.push(Path::new("faces/sad").join(name).into());
        arguments.push(Path::new("nowhere").join(name).into());
    }
    let arguments: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
    let predicted = in_time(at, &arguments);
    steers_nothing(&predicted, "predict");
    assert_eq!(stdout(&predicted).lines().count(), NAMES.len());
    assert_eq!(stderr(&predicted).lines().count(), 1 + 2 * NAMES.len());
    for form in ["--json", "--csv"] {
        let arguments = [&arguments[..], &[OsStr::new(form)]].concat();
        steers_nothing(&in_time(at, &arguments), form);
    }
    let explain = [&[OsStr::new("explain")], &arguments[1..]].concat();
    steers_nothing(&in_time(at, &explain), "explain");
    for line in [
        "predict faces",
        "inspect faces",
        "inspect faces --strict",
        "--data faces --arch cnn --epochs 1 --out run",
        "evaluate run/model.safetensors --data faces",
    ] {
        let arguments: Vec<&OsStr> = line.split(' ').map(OsStr::new).collect();
        steers_nothing(&in_time(at, &arguments), line);
    }
    for name in NAMES {
        let name = OsStr::from_bytes(name);
        for command in [
            "inspect", "summary", "report", "--data", "--resume", "--config",
        ] {
            let refused = in_time(at, &[OsStr::new(command), name]);
            assert!(!refused.status.success(), "{command}");
            steers_nothing(&refused, command);
        }
        let flag = [b"--".as_slice(), name.as_bytes()].concat();
        steers_nothing(&in_time(at, &[OsStr::from_bytes(&flag)]), "a flag");
    }
}

/// A run on classes and groups whose names are markup, formulas and parts of tables.
fn hostile_run(at: &Path) -> Output {
    let classes = ["<script>alert(1)</script>", "=cmd|' /C calc'!A1"];
    let mut rows = String::from("path,label,=group|<u>\n");
    for number in 0..160 {
        let path = format!("=-@{number}<img src=x onerror=alert(1)>.png");
        face(&at.join(&path), number);
        let class = classes[number % 2];
        let group = ["+<i>1", "[x](javascript:alert(1))"][number / 2 % 2];
        rows += &format!("{path},{class},{group}\n");
    }
    rows += "=missing.png,=nothing,+\n";
    fs::write(at.join("faces.csv"), rows).unwrap();
    let line = "--data faces.csv --layout manifest --arch cnn --epochs 1 --out run";
    fer(at, &line.split(' ').collect::<Vec<_>>())
}

fn no_formula(table: &[u8], what: &str) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(table);
    for record in reader.records() {
        for cell in &record.unwrap() {
            let number = cell.parse::<f64>().is_ok();
            let starts = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
            assert!(number || !starts, "{what}: {cell}");
        }
    }
}

#[test]
fn names_of_classes_and_groups_are_neither_markup_nor_formulas_in_anything_that_a_run_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let run = hostile_run(at);
    assert!(run.status.success(), "{}", stderr(&run));
    let mut kinds = [0; 4];
    for entry in fs::read_dir(at.join("run")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or("");
        let place = ["csv", "svg", "html", "md"]
            .iter()
            .position(|kind| *kind == ending);
        let Some(place) = place else { continue };
        kinds[place] += 1;
        let bytes = fs::read(&path).unwrap();
        if ending == "csv" {
            no_formula(&bytes, &name);
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        let text = text.replace("\\<", "").replace("\\]", "");
        let mut markups = vec!["<script>alert", "<img src=x", "<u>", "<i>1"];
        if ending == "md" {
            markups.push("](javascript");
        }
        for markup in markups {
            assert!(!text.contains(markup), "{markup} in {name}");
        }
    }
    assert!(kinds.iter().all(|&kind| kind > 0), "{kinds:?}");
    no_formula(
        &fs::read(at.join("run/checkpoints/pictures.csv")).unwrap(),
        "pictures.csv",
    );
    let skipped = fs::read_to_string(at.join("run/skipped.csv")).unwrap();
    assert!(skipped.contains("=missing.png"), "{skipped}");
    let resumed = fer(at, &["--resume", "run", "--epochs", "2"]);
    assert!(resumed.status.success(), "{}", stderr(&resumed));
    let file = "=-@1<img src=x onerror=alert(1)>.png";
    let table = fer(
        at,
        &["predict", "--model", "run/model.safetensors", "--csv", file],
    );
    assert!(table.status.success(), "{}", stderr(&table));
    no_formula(&table.stdout, "predict --csv");
    assert!(stdout(&table).contains("\n'=-@1<img"), "{}", stdout(&table));
}
