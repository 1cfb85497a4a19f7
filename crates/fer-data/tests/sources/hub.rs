//! The hub is a server on this machine that answers as the Hugging Face hub does. Its address and the
//! cache come from the environment, so one test does everything in turn.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use fer_data::{OpenSettings, Split, open};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Files of the data set `people/faces`, by their path in it.
type Files = Arc<HashMap<String, Vec<u8>>>;

struct Hub {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Hub {
    fn start(files: HashMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (files, seen) = (Arc::new(files), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, seen) = (Arc::clone(&files), Arc::clone(&seen));
                thread::spawn(move || serve(stream, &files, &seen));
            }
        });
        Hub { address, requests }
    }
}

fn serve(mut stream: TcpStream, files: &Files, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut header = String::new();
        while reader.read_line(&mut header).unwrap_or(0) > 2 {
            header.clear();
        }
        let mut words = line.split_whitespace();
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        seen.lock().unwrap().push(format!("{method} {target}"));
        let path = target.split('?').next().unwrap().replace("%2F", "/");
        let answer = answer(&path, files);
        let (status, body) = match &answer {
            Some(body) => ("200 OK", body.as_slice()),
            None => (
                "404 Not Found",
                b"{\"error\":\"Repository not found\"}".as_slice(),
            ),
        };
        let found = match answer {
            Some(_) => format!("etag: \"{}\"\r\nx-repo-commit: {COMMIT}\r\n", body.len()),
            None => "x-error-code: RepoNotFound\r\n".to_string(),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\n{found}content-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        if method == "GET" {
            stream.write_all(body).unwrap();
        }
    }
}

fn answer(path: &str, files: &Files) -> Option<Vec<u8>> {
    let api = "/api/datasets/people/faces/";
    if let Some(rest) = path.strip_prefix(api) {
        if rest.starts_with("tree/") {
            let entry = |(path, bytes): (&String, &Vec<u8>)| {
                let size = bytes.len();
                format!(r#"{{"type":"file","oid":"{size}","size":{size},"path":"{path}"}}"#)
            };
            let entries: Vec<String> = files.iter().map(entry).collect();
            return Some(format!("[{}]", entries.join(",")).into_bytes());
        }
        return Some(format!(r#"{{"id":"people/faces","sha":"{COMMIT}"}}"#).into_bytes());
    }
    let file = path.strip_prefix("/datasets/people/faces/resolve/")?;
    let file = file
        .strip_prefix(COMMIT)
        .or(file.strip_prefix("refs/convert/parquet"))?;
    files.get(file.strip_prefix('/')?).cloned()
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
    let hub = Hub::start(["train", "validation", "test"].map(file).into());
    let cache = tempfile::tempdir().unwrap();
    let opened = "opened [12, 6, 6] happy sad surprised";
    let said = again(name, &hub.address, cache.path());
    assert!(
        said.contains(opened),
        "{said} {:?}",
        hub.requests.lock().unwrap()
    );
    let fetched = |requests: &[String]| {
        let files = requests
            .iter()
            .filter(|line| line.starts_with("GET /datasets"));
        files.count()
    };
    assert_eq!(fetched(&hub.requests.lock().unwrap()), 3);
    let said = again(name, &hub.address, cache.path());
    assert!(said.contains(opened), "{said}");
    assert_eq!(fetched(&hub.requests.lock().unwrap()), 3, "fetched again");

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
    let hub = Hub::start(HashMap::new());
    let cache = tempfile::tempdir().unwrap();
    let said = again(name, &hub.address, cache.path());
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
    let hub = Hub::start(["first", "second"].map(file).into());
    let cache = tempfile::tempdir().unwrap();
    let said = again(name, &hub.address, cache.path());
    assert!(said.contains("it has the subsets first, second"), "{said}");
    assert!(said.contains("opened ["), "{said}");
}
