use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use fer_data::{FilesBelow, PictureFormat, Skipped, files_below};
use glob::{MatchOptions, Pattern};

use crate::command::output::People;

/// The longest name of a list, in bytes.
const LONGEST_NAME: u64 = 64 << 10;

/// How many of the files that are left out are named.
const NAMED: usize = 10;

/// The files that arguments name.
#[derive(Default)]
pub(super) struct Named {
    pub(super) files: Vec<PathBuf>,
    /// Whether something was left out that may be a picture or hold some.
    pub(super) incomplete: bool,
}

/// The files that the arguments name, in their order: a folder stands for the pictures in it and below
/// it, sorted; a pattern that no file bears as its name for the files that fit it, sorted.
///
/// # Errors
/// A folder that cannot be listed or holds no picture.
pub(super) fn named(arguments: &[PathBuf]) -> Result<Named> {
    let mut named = Named::default();
    for argument in arguments {
        if argument.is_dir() {
            below(argument, &mut named)?;
        } else if argument.exists() {
            named.files.push(argument.clone());
        } else {
            fitting(argument, &mut named)?;
        }
    }
    Ok(named)
}

/// The names that a file lists, one a line; `-` is stdin. Empty lines are passed over.
///
/// # Errors
/// A list that cannot be read, or a line that is longer than any path.
pub(super) fn listed(list: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read the list {}", list.display());
    let mut reader: Box<dyn BufRead> = if list == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(list).with_context(cannot)?))
    };
    let (mut names, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        let mut start = reader.by_ref().take(LONGEST_NAME);
        if start.read_until(b'\n', &mut line).with_context(cannot)? == 0 {
            return Ok(names);
        }
        if line.len() as u64 == LONGEST_NAME && !line.ends_with(b"\n") {
            let number = names.len() + 1;
            bail!(
                "{}: name {number} has more than {LONGEST_NAME} bytes",
                cannot()
            );
        }
        let name = line.strip_suffix(b"\n").unwrap_or(&line);
        let name = name.strip_suffix(b"\r").unwrap_or(name);
        if !name.is_empty() {
            names.push(path_of(name).with_context(cannot)?);
        }
    }
}

/// Names of files are any bytes.
#[cfg(unix)]
fn path_of(name: &[u8]) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    Ok(std::ffi::OsStr::from_bytes(name).into())
}

#[cfg(not(unix))]
fn path_of(name: &[u8]) -> Result<PathBuf> {
    Ok(std::str::from_utf8(name)?.into())
}

fn below(folder: &Path, named: &mut Named) -> Result<()> {
    let FilesBelow { files, skipped } = files_below(folder)?;
    let (pictures, others): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|path| PictureFormat::of_name(path).is_some());
    if !others.is_empty() {
        People::Stderr.say(&format!(
            "left out    {} of the files in {}, whose names are not those of pictures",
            others.len(),
            folder.display()
        ))?;
    }
    say_skipped(&skipped, named)?;
    if pictures.is_empty() {
        let endings = PictureFormat::ALL.map(|format| format.extensions().join(", "));
        bail!(
            "{} holds no picture: no file in it or below it ends in {}",
            folder.display(),
            endings.join(", ")
        );
    }
    named.files.extend(pictures);
    Ok(())
}

/// The files that fit a pattern; the argument itself where none does, for its error to name it.
fn fitting(argument: &Path, named: &mut Named) -> Result<()> {
    let before = named.files.len();
    if let Some(pattern) = argument.to_str() {
        if pattern.contains("**") {
            below_fitting(pattern, named)?;
        } else if let Ok(paths) = glob::glob(pattern) {
            for path in paths {
                let path = path.with_context(|| format!("cannot list {}", argument.display()))?;
                if !path.is_dir() {
                    named.files.push(path);
                }
            }
        }
    }
    if named.files.len() == before {
        named.files.push(argument.to_path_buf());
    }
    Ok(())
}

/// The files that fit a pattern of folders however deep, where links may lead in circles.
fn below_fitting(pattern: &str, named: &mut Named) -> Result<()> {
    let is_plain = |part: &Component<'_>| {
        let part = part.as_os_str().to_string_lossy();
        !part.contains(['*', '?', '['])
    };
    let top: PathBuf = Path::new(pattern)
        .components()
        .take_while(is_plain)
        .collect();
    let here = top.as_os_str().is_empty();
    let top = if here { Path::new(".") } else { &top };
    let (Ok(fits), true) = (Pattern::new(pattern), top.is_dir()) else {
        return Ok(());
    };
    let FilesBelow { files, skipped } = files_below(top)?;
    let options = MatchOptions {
        require_literal_separator: true,
        ..MatchOptions::new()
    };
    for file in files {
        let file = file
            .strip_prefix(".")
            .map_or(file.clone(), Path::to_path_buf);
        if fits.matches_path_with(&file, options) {
            named.files.push(file);
        }
    }
    say_skipped(&skipped, named)
}

/// Says what was left out though it may be a picture or hold some.
fn say_skipped(skipped: &[Skipped], named: &mut Named) -> Result<()> {
    let unusable: Vec<&Skipped> = skipped.iter().filter(|one| one.is_unusable()).collect();
    for one in unusable.iter().take(NAMED) {
        People::Stderr.say(&format!("left out    {}", one.sentence()))?;
    }
    if unusable.len() > NAMED {
        People::Stderr.say(&format!("left out    {} more", unusable.len() - NAMED))?;
    }
    named.incomplete |= !unusable.is_empty();
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn folders_and_patterns_stand_for_the_pictures_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::create_dir(at.join("deep")).unwrap();
        for name in [
            "b.JPG",
            "a.png",
            "notes.txt",
            "deep/c.webp",
            "deep/d.png",
            "deep/e.pbm",
        ] {
            fs::write(at.join(name), b"").unwrap();
        }
        let names = |argument: PathBuf| -> Vec<String> {
            let files = named(&[argument]).unwrap().files;
            let name = |file: &PathBuf| file.strip_prefix(at).unwrap().display().to_string();
            files.iter().map(name).collect()
        };
        assert_eq!(
            names(at.to_path_buf()),
            ["a.png", "b.JPG", "deep/c.webp", "deep/d.png", "deep/e.pbm"]
        );
        assert_eq!(names(at.join("*.png")), ["a.png"]);
        assert_eq!(names(at.join("**/*.png")), ["a.png", "deep/d.png"]);
        assert_eq!(names(at.join("**/c.*")), ["deep/c.webp"]);
        assert_eq!(names(at.join("d*/**/d.png")), ["deep/d.png"]);
        assert_eq!(names(at.join("notes.txt")), ["notes.txt"]);
        assert_eq!(names(at.join("missing[1].png")), ["missing[1].png"]);
    }

    #[test]
    fn a_list_has_a_name_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        fs::write(&path, "a b.png\n\nc.png\r\nd.png").unwrap();
        let names = ["a b.png", "c.png", "d.png"].map(PathBuf::from);
        assert_eq!(listed(&path).unwrap(), names);
        let said = listed(folder.path()).unwrap_err().to_string();
        assert!(said.contains("cannot read the list"), "{said}");
        fs::write(&path, ["a.png\n", &"b".repeat(1 << 20)].concat()).unwrap();
        let said = listed(&path).unwrap_err().to_string();
        assert!(said.contains("name 2 has more than 65536 bytes"), "{said}");
    }

    #[test]
    #[cfg(unix)]
    fn names_of_a_list_are_any_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        fs::write(&path, b"caf\xe9.png\n").unwrap();
        let names = listed(&path).unwrap();
        assert_eq!(names[0].as_os_str().as_encoded_bytes(), b"caf\xe9.png");
    }

    #[test]
    fn a_folder_without_pictures_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), b"").unwrap();
        let said = named(&[folder.path().to_path_buf()]).err().unwrap();
        let said = said.to_string();
        assert!(
            said.contains(&folder.path().display().to_string()) && said.contains("no picture"),
            "{said}"
        );
    }
}
