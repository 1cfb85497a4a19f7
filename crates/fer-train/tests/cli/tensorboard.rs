use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::{SMALL, fer, small_table, stderr};

/// The version whose reading is tested.
const PACKAGE: &str = "tensorboard==2.20.0";

/// A Python with TensorBoard: the one that `TENSORBOARD_PYTHON` names, or one of a virtual environment
/// that is made here once.
fn python() -> PathBuf {
    if let Some(named) = std::env::var_os("TENSORBOARD_PYTHON") {
        return named.into();
    }
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tensorboard");
    let python = environment.join("bin/python");
    let whole = environment.join(PACKAGE);
    if !whole.is_file() {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]));
        fs::write(whole, "").unwrap();
    }
    python
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?} failed; the events of a run are read by TensorBoard, which takes python3 with venv \
         and pip (on Debian: apt-get install python3-venv), or a Python that has {PACKAGE} in the \
         variable TENSORBOARD_PYTHON: {}",
        stderr(&output)
    );
    output.stdout
}

fn read(python: &Path, run_directory: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/tensorboard_events.py");
    let read = run(Command::new(python).arg(script).arg(run_directory));
    serde_json::from_slice(&read).unwrap()
}

/// TensorBoard finds every row of history.csv, and a resumed run leaves the same bytes as one that was
/// never stopped.
#[test]
fn tensorboard_reads_the_history_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    for (epochs, out) in [("3", "whole"), ("1", "stopped")] {
        let mut arguments = [&SMALL[..], &[out]].concat();
        let place = arguments
            .iter()
            .position(|word| *word == "--epochs")
            .unwrap();
        arguments[place + 1] = epochs;
        let trained = fer(at, &arguments);
        assert!(trained.status.success(), "{}", stderr(&trained));
    }
    let resumed = fer(at, &["--resume", "stopped", "--epochs", "3"]);
    assert!(resumed.status.success(), "{}", stderr(&resumed));
    let events = |out: &str| fs::read(at.join(out).join("events.out.tfevents.0.fer")).unwrap();
    assert_eq!(events("whole"), events("stopped"));

    let read = read(&python(), &at.join("whole"));
    assert_eq!(read["version"], json!(2.0));
    let mut history = csv::Reader::from_path(at.join("whole/history.csv")).unwrap();
    let columns = history.headers().unwrap().clone();
    let rows: Vec<Vec<f64>> = history
        .records()
        .map(|row| {
            row.unwrap()
                .iter()
                .map(|cell| cell.parse().unwrap())
                .collect()
        })
        .collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        read["scalars"].as_object().unwrap().len(),
        columns.len() - 1
    );
    for (column, name) in columns.iter().enumerate().skip(1) {
        let tag = match name.split_once('_').unwrap() {
            ("learning", _) => name.to_string(),
            (split, figure) => format!("{figure}/{split}"),
        };
        for (row, event) in rows.iter().zip(read["scalars"][&tag].as_array().unwrap()) {
            assert_eq!(event[0].as_f64().unwrap(), row[0], "{tag}");
            assert_eq!(
                event[1].as_f64().unwrap() as f32,
                row[column] as f32,
                "{tag}"
            );
        }
    }
}
