//! The hub is a server on this machine that answers as the Hugging Face hub does. Its address and the
//! cache come from the environment, so one test does everything in turn.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use fer_data::{OpenSettings, Split, open};
use fer_trials::{Answer, Hub, Request};

/// A hub that has these files in the data set `people/faces`.
fn hub(files: HashMap<String, Vec<u8>>) -> Hub {
    let answer = move |request: &Request| {
        let files = files.iter();
        let files = files.map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
        Some(Answer::faithful(request, files))
    };
    Hub::start(answer).unwrap()
}

/// Runs the test `name` of this program again with an environment of its own, since the hub's client reads it.
fn again(name: &str, endpoint: &str, cache: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--include-ignored"])
        .env("HF_ENDPOINT", endpoint)
        .env("HF_HOME", cache)
        .env("HUB_TEST", "within")
        .env_remove("HF_TOKEN")
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What opening the address gave, for the test around it to read.
#[expect(clippy::print_stdout, reason = "the test around it reads it")]
fn within(address: &str) {
    match open(address.as_ref(), &OpenSettings::default()) {
        Ok(dataset) => {
            let sizes = [Split::Train, Split::Validation, Split::Test];
            let sizes = sizes.map(|split| dataset.indices(split).len());
            println!(
                "opened {sizes:?} {}",
                dataset.class_names().names().join(" ")
            );
        }
        Err(error) => println!("refused {error}"),
    }
}

#[test]
fn a_data_set_of_the_hub_is_fetched_once_and_read_from_the_cache_without_it() {
    if std::env::var_os("HUB_TEST").is_some() {
        return within("hf://people/faces");
    }
    let name = "hub::a_data_set_of_the_hub_is_fetched_once_and_read_from_the_cache_without_it";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet/datasets");
    let file = |split: &str| {
        let bytes = fs::read(folder.join(format!("{split}-00000-of-00001.parquet"))).unwrap();
        (format!("default/{split}/0000.parquet"), bytes)
    };
    let hub = hub(["train", "validation", "test"].map(file).into());
    let cache = tempfile::tempdir().unwrap();
    let opened = "opened [12, 6, 6] happy sad surprised";
    let said = again(name, hub.address(), cache.path());
    assert!(said.contains(opened), "{said} {:?}", hub.requests());
    let fetched = |requests: &[String]| {
        let files = requests
            .iter()
            .filter(|line| line.starts_with("GET /datasets"));
        files.count()
    };
    assert_eq!(fetched(&hub.requests()), 3);
    let said = again(name, hub.address(), cache.path());
    assert!(said.contains(opened), "{said}");
    assert_eq!(fetched(&hub.requests()), 3, "fetched again");

    let nobody = "http://127.0.0.1:9";
    let said = again(name, nobody, cache.path());
    assert!(said.contains(opened), "{said}");
    let empty = tempfile::tempdir().unwrap();
    let said = again(name, nobody, empty.path());
    assert!(
        said.contains("refused hf://people/faces: http://127.0.0.1:9 does not answer"),
        "{said}"
    );
    assert!(said.contains("HF_ENDPOINT"), "{said}");
}

#[test]
fn a_data_set_that_the_hub_does_not_know_is_refused_by_name() {
    if std::env::var_os("HUB_TEST").is_some() {
        return within("hf://people/nobody");
    }
    let name = "hub::a_data_set_that_the_hub_does_not_know_is_refused_by_name";
    let hub = hub(HashMap::new());
    let cache = tempfile::tempdir().unwrap();
    let said = again(name, hub.address(), cache.path());
    assert!(said.contains("refused hf://people/nobody: "), "{said}");
    assert!(said.contains("knows no such data set"), "{said}");
}

#[test]
fn several_subsets_are_named() {
    if std::env::var_os("HUB_TEST").is_some() {
        within("hf://people/faces");
        return within("hf://people/faces/second");
    }
    let name = "hub::several_subsets_are_named";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet/datasets");
    let bytes = fs::read(folder.join("train-00000-of-00001.parquet")).unwrap();
    let file = |subset: &str| (format!("{subset}/train/0000.parquet"), bytes.clone());
    let hub = hub(["first", "second"].map(file).into());
    let cache = tempfile::tempdir().unwrap();
    let said = again(name, hub.address(), cache.path());
    assert!(said.contains("it has the subsets first, second"), "{said}");
    assert!(said.contains("opened ["), "{said}");
}
