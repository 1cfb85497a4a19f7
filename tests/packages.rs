//! What `cargo publish` would send, by cargo's own lists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const CRATES: [&str; 3] = ["fer-data", "fer-model", "fer-train"];

/// What crates.io takes, packed; here it is what lies in the package unpacked.
const LARGEST: u64 = 10_000_000;

/// What cargo writes itself.
const MADE: [&str; 4] = [
    ".cargo_vcs_info.json",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
];

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.unwrap().to_path_buf()
}

fn listed(name: &str) -> BTreeSet<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "package",
            "--list",
            "--allow-dirty",
            "--offline",
            "-p",
            name,
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    let list = String::from_utf8(output.stdout).unwrap();
    // Windows has its own separator.
    list.lines().map(|line| line.replace('\\', "/")).collect()
}

/// The files of a package that are the project's own, by name and path.
fn files(name: &str) -> Vec<(String, PathBuf)> {
    let folder = root().join("crates").join(name);
    let own = listed(name)
        .into_iter()
        .filter(|file| !MADE.contains(&file.as_str()));
    own.map(|file| (file.clone(), folder.join(file))).collect()
}

/// What the sources include, by its path in the crate's folder.
fn included(name: &str) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for (file, path) in files(name) {
        if !file.ends_with(".rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for word in ["include_str!(\"", "include_bytes!(\""] {
            let targets = text.split(word).skip(1);
            for target in targets.filter_map(|rest| rest.split('"').next()) {
                let target = path.parent().unwrap().join(target);
                found.insert(target.canonicalize().unwrap());
            }
        }
    }
    found
}

#[test]
fn each_has_its_licence_its_readme_and_what_its_sources_include_and_no_test() {
    for name in CRATES {
        let files = files(name);
        let names: Vec<&str> = files.iter().map(|(file, _)| file.as_str()).collect();
        for needed in ["LICENSE", "README.md", "src/lib.rs"] {
            assert!(names.contains(&needed), "{name} lacks {needed}");
        }
        assert!(!names.iter().any(|file| file.starts_with("tests/")));
        let there: BTreeSet<PathBuf> = files
            .iter()
            .map(|(_, path)| path.canonicalize().unwrap())
            .collect();
        let included = included(name);
        assert!(!included.is_empty(), "{name}");
        for file in included {
            assert!(there.contains(&file), "{name} lacks {}", file.display());
        }
    }
}

#[test]
fn the_built_in_model_the_cascade_and_the_font_go_along_as_files_with_their_licences() {
    for (name, file, size) in [
        ("fer-model", "assets/fer.safetensors", 3_000_000),
        ("fer-data", "assets/seeta_fd_frontal_v1.0.bin", 1_000_000),
        ("fer-data", "assets/seetaface-LICENSE.txt", 1_000),
        ("fer-train", "assets/Roboto-Regular-subset.ttf", 10_000),
        ("fer-train", "assets/Roboto-LICENSE.txt", 10_000),
    ] {
        let files = files(name);
        let found = files.iter().find(|(listed, _)| listed == file);
        let (_, path) = found.unwrap_or_else(|| panic!("{name} lacks {file}"));
        // A link is followed, as cargo does.
        assert!(fs::metadata(path).unwrap().len() > size, "{file}");
    }
}

#[test]
fn each_is_small_enough_and_tells_no_path_of_the_machine_it_comes_from() {
    let here = root().canonicalize().unwrap().display().to_string();
    for name in CRATES {
        let mut total = 0;
        for (file, path) in files(name) {
            let bytes = fs::read(&path).unwrap();
            total += bytes.len() as u64;
            let leaks = bytes
                .windows(here.len())
                .any(|window| window == here.as_bytes());
            assert!(!leaks, "{name}: {file} holds {here}");
        }
        assert!(total < LARGEST, "{name}: {total} bytes");
    }
}

#[test]
fn only_the_three_crates_are_published() {
    for folder in ["benches", "tests"] {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        assert!(manifest.contains("\npublish = false\n"), "{folder}");
    }
}
