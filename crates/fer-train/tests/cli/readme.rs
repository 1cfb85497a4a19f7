use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::serve::{Serving, post};
use crate::{course_folder, fer, small_table, stderr, stdout};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The lines of every block of shell commands, in order.
fn commands() -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).map(str::to_string).collect()
}

/// The one block of plain text: the report of `inspect`.
fn block_of_text() -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let start = readme.split("```text\n").nth(1).unwrap();
    start.split("```").next().unwrap().to_string()
}

const RUN: &str = "cargo run -p fer-train";

/// What the program itself is given, for a `cargo run` line; the features asked for.
fn split(line: &str) -> (Vec<&str>, Vec<&str>) {
    let rest = line
        .strip_prefix(RUN)
        .unwrap_or_else(|| panic!("the README has a command that no test knows: {line}"));
    let (cargo, program) = rest.split_once(" -- ").unwrap_or((rest, ""));
    let cargo: Vec<&str> = cargo.split_whitespace().collect();
    let features = match cargo.as_slice() {
        [] => Vec::new(),
        ["--features", names] => names.split(',').collect(),
        _ => panic!("the README gives cargo something that no test knows: {line}"),
    };
    (features, program.split_whitespace().collect())
}

/// A recipe of the justfile needs more than a test has; it must exist, and where it is given flags the script
/// behind it must know them.
fn assert_recipe(line: &str) {
    let name = line.split_whitespace().next().unwrap();
    let recipes = fs::read_to_string(root().join("justfile")).unwrap();
    assert!(
        recipes
            .lines()
            .any(|recipe| recipe.split([' ', ':']).next() == Some(name)),
        "just {line}: no such recipe"
    );
    if !line.contains("--") {
        return;
    }
    let script = name.strip_suffix("-test").unwrap_or(name);
    let scripts =
        ["benches", "tests"].map(|room| root().join(format!("{room}/{script}/{script}.py")));
    let script = scripts.iter().find(|script| script.exists()).unwrap();
    assert_flags(script, line);
}

/// A script in Python needs more than a test has; it must exist and know the flags.
fn assert_script(line: &str) {
    let script = line.split_whitespace().next().unwrap();
    assert_flags(&root().join(script), line);
}

fn assert_flags(script: &Path, line: &str) {
    let text = fs::read_to_string(script).unwrap();
    for flag in line
        .split_whitespace()
        .filter(|word| word.starts_with("--"))
    {
        assert!(text.contains(flag), "{line}: no flag {flag}");
    }
}

/// What needs MPI is tried by `just mpi-test`; the features must exist, and the program know the flags.
fn assert_mpi(line: &str, manifest: &str, folder: &Path) {
    if let Some(features) = line.strip_prefix("cargo build --release -p fer-train --features ") {
        assert!(manifest.contains(&format!("\n{features} = ")), "{line}");
        return;
    }
    let (_, arguments) = line.split_once("target/release/fer-train ").unwrap();
    let help = stdout(&fer(folder, &["train", "--help"]));
    for flag in arguments
        .split_whitespace()
        .filter(|word| word.starts_with("--"))
    {
        assert!(help.contains(flag), "{line}: no flag {flag}");
    }
}

/// What is sent to the server that the README started before, on a port that was free here.
fn assert_answered(line: &str, folder: &Path, serving: Option<&Serving>) {
    let serving = serving.unwrap_or_else(|| panic!("{line}: no server was started before it"));
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["curl", "--data-binary", file, address] = words.as_slice() else {
        panic!("the README sends something that no test knows: {line}");
    };
    let path = address.strip_prefix("http://127.0.0.1:8047").unwrap();
    let picture = fs::read(folder.join(file.strip_prefix('@').unwrap())).unwrap();
    let answer = post(serving.address, path, &picture);
    assert_eq!(answer.status, 200, "{line}");
    assert!(answer.json()[0]["expression"].is_string(), "{line}");
}

/// Every command is run where the README's files lie: the first in full, with the accuracy that
/// the README promises, those on FER2013 on a small table of drawn faces and for few epochs, those for a GPU up to
/// the point where the GPU is missed, a server on a free port.
#[test]
fn every_command_of_the_readme_works() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    course_folder(&at.join("faces"));
    fs::create_dir(at.join("assets")).unwrap();
    for name in ["face.png", "astronaut.jpg"] {
        fs::copy(
            root().join("assets").join(name),
            at.join("assets").join(name),
        )
        .unwrap();
    }
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let mut tests = 0;
    let mut serving = None;
    for line in commands() {
        if line.starts_with("curl ") {
            assert_answered(&line, at, serving.as_ref());
            continue;
        }
        if line.starts_with("cargo test") {
            tests += 1;
            continue;
        }
        if let Some(recipe) = line.strip_prefix("just ") {
            assert_recipe(recipe);
            continue;
        }
        if let Some(script) = line.strip_prefix("python3 ") {
            assert_script(script);
            continue;
        }
        if line.starts_with("mpirun ") || line.starts_with("cargo build ") {
            assert_mpi(&line, &manifest, at);
            continue;
        }
        let (features, mut arguments) = split(&line);
        let trains_on_fer2013 = arguments.starts_with(&["--data", "fer2013.csv"]);
        if trains_on_fer2013 && !arguments.contains(&"--epochs") {
            // A recipe would go over the few pictures here for minutes.
            arguments.extend(["--epochs", "2"]);
        }
        if let ["serve", arguments @ ..] = arguments.as_slice() {
            serving = Some(Serving::start(at, arguments));
            continue;
        }
        let output = fer(at, &arguments);
        if features.is_empty() {
            assert!(output.status.success(), "{line}: {}", stderr(&output));
            if arguments == ["inspect", "faces"] {
                let shown = block_of_text();
                assert_eq!(
                    stdout(&output).trim_end(),
                    shown.trim_end(),
                    "what the README shows"
                );
            }
            continue;
        }
        for feature in features {
            assert!(
                manifest.contains(&format!("\n{feature} = ")),
                "{line}: no feature {feature}"
            );
        }
        let said = stderr(&output);
        let accepted = output.status.success() || said.contains("cannot be used");
        assert!(accepted, "{line}: {said}");
    }
    assert_eq!(tests, 1, "one command passes the tests");
    let metrics = fs::read_to_string(at.join("runs/drawn-cnn/metrics.json")).unwrap();
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    assert_eq!(
        (
            metrics["split"].as_str(),
            metrics["chosen_on_this_split"].as_bool()
        ),
        (Some("test"), Some(false))
    );
    let accuracy = metrics["accuracy"].as_f64().unwrap();
    assert!(
        accuracy >= 0.9,
        "on people not seen in training: {accuracy}"
    );
}

/// What is shown in Python is what the tests in `tests/interop/` run.
#[test]
fn what_the_readme_shows_in_python_is_one_of_the_examples() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let examples: Vec<String> = ["onnx_predict.py", "pytorch_resvgg.py"]
        .map(|name| root().join("crates/fer-model/examples/python").join(name))
        .map(|path| fs::read_to_string(path).unwrap())
        .into();
    let blocks = readme.split("```python\n").skip(1);
    let shown: Vec<&str> = blocks.filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(shown, examples);
}

#[test]
fn every_file_that_the_readme_links_to_exists() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for target in readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        assert!(
            target.starts_with("https://") || root().join(target).exists(),
            "{target}"
        );
    }
}
