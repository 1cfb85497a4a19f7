//! A server in place of the Hugging Face hub that answers what it should not.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use fer_data::{OpenSettings, files_below, open, printable};
use fer_trials::{Answer, COMMIT, Effort, Hub, Request, Trial, again, is_again};

use crate::memory::within;
use crate::watch::in_time;

pub(crate) const REFUSED: Trial = Trial {
    name: "hub::refused",
    promise: "a data set is fetched from the hub once; a hub that is not there, does not know it, breaks off, says \
              nothing or something else, or names files that lead out of its cache is refused by name, and nothing is \
              written elsewhere",
    run: refused,
};

/// What opening it may hold at once, in bytes.
const MOST: usize = 192 << 20;

/// A way to answer, and what is said of it.
struct Way {
    name: &'static str,
    said: &'static str,
    answer: fn(&Request, &[u8]) -> Option<Answer>,
}

const FILE: &str = "default/train/0000.parquet";

fn is_listing(request: &Request) -> bool {
    request.path.contains("/tree/")
}

fn is_version(request: &Request) -> bool {
    request.path.starts_with("/api/") && !is_listing(request)
}

/// A hub whose only file has this name.
fn named(request: &Request, name: &str, bytes: &[u8]) -> Option<Answer> {
    let answer = Answer::faithful(request, [(name, bytes)]);
    let is_file = request.path.starts_with("/datasets/");
    Some(if is_file { Answer::with(bytes) } else { answer })
}

const WAYS: [Way; 13] = [
    Way {
        name: "it does not know the data set",
        said: "knows no such data set",
        answer: |_, _| Some(Answer::refusing("404 Not Found", "RepoNotFound")),
    },
    Way {
        name: "it has not converted the data set",
        said: "has not converted it",
        answer: |request, bytes| match request.path.contains("refs") {
            true => Some(Answer::refusing("404 Not Found", "RevisionNotFound")),
            false => named(request, FILE, bytes),
        },
    },
    Way {
        name: "it asks who asks",
        said: "HF_TOKEN",
        answer: |_, _| Some(Answer::refusing("401 Unauthorized", "GatedRepo")),
    },
    Way {
        name: "it fails",
        said: "500",
        answer: |_, _| Some(Answer::refusing("500 Internal Server Error", "")),
    },
    Way {
        name: "it answers with a page",
        said: "",
        answer: |_, _| Some(Answer::with("<html>Welcome to this network</html>")),
    },
    Way {
        name: "it has no file",
        said: "has no Parquet file",
        answer: |request, _| Some(Answer::faithful(request, [])),
    },
    Way {
        name: "it breaks off in the middle of a file",
        said: "",
        answer: |request, bytes| {
            let mut answer = named(request, FILE, bytes)?;
            if request.path.ends_with(".parquet") {
                answer.claimed = Some(10 * bytes.len());
            }
            Some(answer)
        },
    },
    Way {
        name: "its file is no Parquet",
        said: "0000.parquet",
        answer: |request, _| named(request, FILE, b"PAR1 and nothing else PAR1"),
    },
    Way {
        name: "a file leads above the cache",
        said: "leads out of the cache",
        answer: |request, bytes| named(request, "../../../../../../above.parquet", bytes),
    },
    Way {
        name: "a file leads above the cache in the middle",
        said: "leads out of the cache",
        answer: |request, bytes| named(request, "a/../../../../../../above.parquet", bytes),
    },
    Way {
        name: "a file leads above the cache of another system",
        said: "leads out of the cache",
        answer: |request, bytes| named(request, "..\\..\\above.parquet", bytes),
    },
    Way {
        name: "a file has a place on the disk",
        said: "leads out of the cache",
        answer: |request, bytes| named(request, "/tmp/above.parquet", bytes),
    },
    Way {
        name: "the version leads above the cache",
        said: "leads out of the cache",
        answer: |request, bytes| match is_version(request) {
            true => Some(Answer::with(
                r#"{"id":"people/faces","sha":"../../../../above"}"#,
            )),
            false => named(request, FILE, bytes),
        },
    },
];

/// A hub that takes requests and answers none: a minute goes by until it is given up.
const SILENT: Way = Way {
    name: "it says nothing",
    said: "does not answer",
    answer: |_, _| None,
};

fn refused(effort: &Effort) -> Result<String> {
    if is_again() {
        return opened();
    }
    let place = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = "../crates/fer-data/tests/parquet/datasets/train-00000-of-00001.parquet";
    let bytes = fs::read(place.join(file))?;
    let ways = WAYS.iter().chain(effort.long.then_some(&SILENT));
    let (mut messages, mut broken) = (Vec::new(), Vec::new());
    for way in ways {
        let bytes = bytes.clone();
        let hub = Hub::start(move |request| (way.answer)(request, &bytes))?;
        let said = asked(way.name, hub.address(), tempfile::tempdir()?.path())?;
        let told = said.split_once("refused ").map(|(_, told)| told);
        let told = told.with_context(|| format!("{}: {said}", way.name))?;
        let told = told.lines().next().unwrap_or_default();
        // A file that was fetched is named by its place in the cache.
        let named = told.contains("hf://people/faces") || told.contains("people--faces");
        let good = named && told.contains(way.said) && printable(told) == told;
        if !good {
            broken.push(format!("{}: {told}", way.name));
        }
        messages.push(told.to_string());
    }
    ensure!(broken.is_empty(), "{}", broken.join("; "));
    once_and_then_without_it(&bytes)?;
    let count = messages.len();
    messages.sort();
    messages.dedup();
    Ok(format!(
        "{count} hubs refused with {} messages; one that answers as it should was asked for each file once, and then not needed",
        messages.len()
    ))
}

/// What another process with this hub and this cache says of it.
fn asked(name: &str, address: &str, place: &Path) -> Result<String> {
    let cache = place.join("a/b/c/d/cache");
    fs::create_dir_all(&cache)?;
    let (address, home) = (address.to_string(), cache.display().to_string());
    let said = in_time(name, move || {
        let environment = [
            ("HF_ENDPOINT", address.as_str()),
            ("HF_HOME", &home),
            ("HF_HUB_CACHE", &format!("{home}/hub")),
        ];
        again(REFUSED.name, &[], &environment)
    })??;
    for file in files_below(place)?.files {
        ensure!(
            file.starts_with(&cache),
            "{name}: {} was written",
            file.display()
        );
    }
    ensure!(
        !Path::new("/tmp/above.parquet").exists(),
        "{name}: it left its place"
    );
    Ok(said)
}

fn opened() -> Result<String> {
    let opened = within("the hub", MOST, || {
        open("hf://people/faces".as_ref(), &OpenSettings::default())
    })?;
    Ok(match opened {
        Ok(dataset) => format!("opened {} pictures", dataset.len()),
        Err(error) => format!("refused {error}"),
    })
}

fn once_and_then_without_it(bytes: &[u8]) -> Result<()> {
    let own = bytes.to_vec();
    let hub = Hub::start(move |request| named(request, FILE, &own))?;
    let place = tempfile::tempdir()?;
    let expected = "opened 12 pictures";
    for (name, address) in [
        ("the first time", hub.address()),
        ("the second time", hub.address()),
        ("without the hub", "http://127.0.0.1:9"),
    ] {
        let said = asked(name, address, place.path())?;
        ensure!(said.contains(expected), "{name}: {said}");
    }
    let requests = hub.requests();
    let fetched = requests
        .iter()
        .filter(|line| line.starts_with("GET /datasets"));
    let fetched: Vec<_> = fetched.collect();
    ensure!(
        fetched.len() == 1 && fetched[0].contains(COMMIT),
        "{requests:?}"
    );
    Ok(())
}
