//! What the sources themselves must not hold.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use fer_trials::{Effort, Trial};

pub(crate) const TRIALS: [Trial; 1] = [Trial {
    name: "source_code::no_unsafe",
    promise: "no `unsafe` stands outside the kernels, and none can be added there unnoticed: the compiler refuses it",
    run: no_unsafe,
}];

/// Where it may stand.
const KERNELS: &str = "crates/fer-model/src/ops/kernel";

fn no_unsafe(_: &Effort) -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no root")?;
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    ensure!(
        manifest.contains("unsafe_code = \"deny\""),
        "the compiler does not refuse it"
    );
    let mut files = Vec::new();
    for folder in ["crates", "tests", "benches"] {
        sources(&root.join(folder), &mut files)?;
    }
    let (mut kernels, mut places, mut outside) = (0, 0, Vec::new());
    for path in &files {
        let text = fs::read_to_string(path)?;
        let count = code(&text).filter(|word| *word == "unsafe").count();
        let lifted = code(&text).any(|word| word == "unsafe_code");
        if path.starts_with(root.join(KERNELS)) {
            kernels += 1;
            places += count;
        } else if count > 0 || lifted {
            outside.push(path.display().to_string());
        }
    }
    ensure!(outside.is_empty(), "unsafe in {}", outside.join(", "));
    for package in packages(root)? {
        let own = fs::read_to_string(&package)?;
        let heeds = own.contains("[lints]\nworkspace = true");
        ensure!(
            heeds,
            "{} does not take the workspace's lints",
            package.display()
        );
    }
    Ok(format!(
        "{} source files: {places} places in {kernels} files of kernels, none in the others",
        files.len()
    ))
}

/// The packages of the workspace.
fn packages(root: &Path) -> Result<Vec<PathBuf>> {
    let text = fs::read_to_string(root.join("Cargo.toml"))?;
    let members = text
        .split("members = [")
        .nth(1)
        .and_then(|rest| rest.split(']').next());
    let members = members.context("no members")?.split(',');
    let named = members.map(|member| member.trim().trim_matches('"'));
    let named = named.filter(|member| !member.is_empty());
    Ok(named
        .map(|member| root.join(member).join("Cargo.toml"))
        .collect())
}

/// All Rust files below a folder, build output left out.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            if !path.ends_with("target") {
                sources(&path, files)?;
            }
        } else if path.extension().is_some_and(|word| word == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The words of the code, without remarks at the ends of lines and without what stands in quotes.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line));
    let outside = lines.flat_map(|line| line.split('"').step_by(2));
    outside.flat_map(|part| part.split(|letter: char| !letter.is_alphanumeric() && letter != '_'))
}
