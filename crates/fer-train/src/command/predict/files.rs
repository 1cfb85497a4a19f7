use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::output::People;

/// How the names of picture files end.
const ENDINGS: [&str; 13] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "bmp", "gif", "webp", "tif", "tiff", "pnm", "pgm", "ppm",
];

/// Folders nested deeper than this are not entered: links may lead in circles.
const DEEPEST: usize = 16;

/// The files that the arguments name, in their order: a folder stands for the pictures in it and below
/// it, sorted; a pattern that no file bears as its name for the files that fit it, sorted.
///
/// # Errors
/// A folder that cannot be listed or holds no picture.
pub(super) fn named(arguments: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::with_capacity(arguments.len());
    for argument in arguments {
        if argument.is_dir() {
            below(argument, &mut files)?;
        } else if argument.exists() {
            files.push(argument.clone());
        } else {
            fitting(argument, &mut files)?;
        }
    }
    Ok(files)
}

/// The names that a file lists, one a line; `-` is stdin. Empty lines are passed over.
///
/// # Errors
/// A list that cannot be read or is no text.
pub(super) fn listed(list: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read the list {}", list.display());
    let reader: Box<dyn BufRead> = if list == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(list).with_context(cannot)?))
    };
    let lines = reader.lines().map(|line| line.with_context(cannot));
    lines
        .filter(|line| !matches!(line, Ok(line) if line.is_empty()))
        .map(|line| line.map(PathBuf::from))
        .collect()
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let (before, mut others) = (files.len(), 0);
    list(folder, 0, files, &mut others)?;
    if files.len() == before {
        bail!(
            "{} holds no picture: no file in it or below it ends in {}",
            folder.display(),
            ENDINGS.join(", ")
        );
    }
    if others > 0 {
        People::Stderr.say(&format!(
            "left out    {others} of the files in {}, whose names are not those of pictures",
            folder.display()
        ))?;
    }
    Ok(())
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, others: &mut usize) -> Result<()> {
    let cannot = || format!("cannot list {}", folder.display());
    let entries: std::io::Result<Vec<_>> = fs::read_dir(folder).with_context(cannot)?.collect();
    let mut paths: Vec<PathBuf> = entries
        .with_context(cannot)?
        .iter()
        .map(fs::DirEntry::path)
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if depth < DEEPEST {
                list(&path, depth + 1, files, others)?;
            }
        } else if is_picture(&path) {
            files.push(path);
        } else {
            *others += 1;
        }
    }
    Ok(())
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

/// The files that fit a pattern; the argument itself where none does, for its error to name it.
fn fitting(argument: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let before = files.len();
    if let Some(Ok(paths)) = argument.to_str().map(glob::glob) {
        for path in paths {
            let path = path.with_context(|| format!("cannot list {}", argument.display()))?;
            if !path.is_dir() {
                files.push(path);
            }
        }
    }
    if files.len() == before {
        files.push(argument.to_path_buf());
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn folders_and_patterns_stand_for_the_pictures_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::create_dir(at.join("deep")).unwrap();
        for name in ["b.JPG", "a.png", "notes.txt", "deep/c.webp", "deep/d.png"] {
            fs::write(at.join(name), b"").unwrap();
        }
        let names = |argument: PathBuf| -> Vec<String> {
            let files = named(&[argument]).unwrap();
            let name = |file: &PathBuf| file.strip_prefix(at).unwrap().display().to_string();
            files.iter().map(name).collect()
        };
        assert_eq!(
            names(at.to_path_buf()),
            ["a.png", "b.JPG", "deep/c.webp", "deep/d.png"]
        );
        assert_eq!(names(at.join("*.png")), ["a.png"]);
        assert_eq!(names(at.join("**/*.png")), ["a.png", "deep/d.png"]);
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
    }

    #[test]
    fn a_folder_without_pictures_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), b"").unwrap();
        let said = named(&[folder.path().to_path_buf()]).unwrap_err();
        let said = said.to_string();
        assert!(
            said.contains(&folder.path().display().to_string()) && said.contains("no picture"),
            "{said}"
        );
    }
}
