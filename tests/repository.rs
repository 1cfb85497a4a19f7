use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use fer_data::{PIXELS, Picture};
use sha2::{Digest, Sha256};

/// The first four bytes of the SHA-256 of each of FER2013's pictures, sorted. A hash gives no
/// picture back. fer-data's example `fer2013_hashes` writes the table.
const HASHES: &[u8] = include_bytes!("fixtures/fer2013_hashes.bin");

fn short_hash(pixels: &[u8]) -> [u8; 4] {
    let digest = Sha256::digest(pixels);
    [digest[0], digest[1], digest[2], digest[3]]
}

fn known() -> HashSet<[u8; 4]> {
    HASHES.as_chunks().0.iter().copied().collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Every file of the repository, build output and runs left out.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !path.is_symlink() {
            if !["target", ".git", "runs", "venv"].contains(&name.as_str()) {
                files(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

/// Every picture of 48×48 that a file may hold: the file itself as a picture, and in text each
/// run of 2,304 numbers.
fn pictures_in(path: &Path) -> Vec<Picture> {
    let bytes = fs::read(path).unwrap_or_default();
    let name = path.display().to_string();
    let mut pictures: Vec<Picture> = Picture::decode(&bytes, &name).into_iter().collect();
    if let Ok(text) = std::str::from_utf8(&bytes) {
        for field in text.split(['\n', ',', '[', ']', '"']) {
            let values: Option<Vec<u8>> = field
                .split_ascii_whitespace()
                .map(|word| word.parse().ok())
                .collect();
            if let Some(values) = values.filter(|values| values.len() == PIXELS) {
                pictures.extend(Picture::from_pixels(&values, &name));
            }
        }
    }
    pictures
}

#[test]
fn no_picture_of_fer2013_lies_here() {
    let known = known();
    assert!(known.len() > 30_000, "the table of hashes is whole");
    let mut all = Vec::new();
    files(&root(), &mut all);
    assert!(
        all.iter().any(|path| path.ends_with("Cargo.lock")),
        "the right folder is searched"
    );
    for path in all {
        for picture in pictures_in(&path) {
            assert!(
                !known.contains(&short_hash(picture.pixels())),
                "{} holds a FER2013 picture",
                path.display()
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn the_built_in_model_is_linked_into_the_folder_that_a_crate_is_packaged_from() {
    let link = root().join("crates/fer-model/assets/fer.safetensors");
    assert_eq!(
        fs::read_link(&link).unwrap(),
        Path::new("../../../assets/fer.safetensors")
    );
    let size = fs::metadata(&link).unwrap().len();
    assert!(size <= 4_000_000, "{size} bytes");
}

#[test]
fn a_picture_that_is_in_the_table_would_be_found() {
    let folder = tempfile::tempdir().unwrap();
    let pixels: Vec<u8> = (0..PIXELS).map(|place| (place % 251) as u8).collect();
    let image = image::GrayImage::from_raw(48, 48, pixels.clone()).unwrap();
    image.save(folder.path().join("face.png")).unwrap();
    let words: Vec<String> = pixels.iter().map(u8::to_string).collect();
    fs::write(
        folder.path().join("face.csv"),
        format!("emotion,pixels\n3,{},Training\n", words.join(" ")),
    )
    .unwrap();
    for name in ["face.png", "face.csv"] {
        let found = pictures_in(&folder.path().join(name));
        assert!(
            found
                .iter()
                .any(|picture| short_hash(picture.pixels()) == short_hash(&pixels)),
            "{name}"
        );
    }
}
