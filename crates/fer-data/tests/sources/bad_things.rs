use std::fs;

use fer_data::count_by_reason;
use image::ImageFormat;

use crate::folder::{Folder, encoded, left_out, notices, refusal, says};

/// Two classes of three good faces each.
pub(crate) fn good() -> Folder {
    let mut folder = Folder::new();
    folder.faces("happy", 3);
    folder.faces("sad", 3);
    folder
}

fn strict(folder: &Folder) -> Result<fer_data::Dataset, fer_data::DataError> {
    folder.open_with(|settings| settings.strict = true)
}

/// A PNG's header that announces `side` pixels a side, of four values of 16 bits each.
fn huge(side: u32) -> Vec<u8> {
    let mut bytes = encoded(1, ImageFormat::Png);
    bytes[16..20].copy_from_slice(&side.to_be_bytes());
    bytes[20..24].copy_from_slice(&side.to_be_bytes());
    (bytes[24], bytes[25]) = (16, 6);
    let checksum = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// The checksum of PNG's chunks, CRC-32 of ISO 3309.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[test]
fn each_bad_file_is_listed_with_its_reason_and_strict_refuses_it() {
    let png = encoded(50, ImageFormat::Png);
    let jpeg = encoded(50, ImageFormat::Jpeg);
    for (name, bytes, words) in [
        ("void.png", Vec::new(), &["empty file", "0 bytes"][..]),
        (
            "page.jpg",
            b"<html>not found</html>".to_vec(),
            &["named like a picture, but is none", "it is a web page"],
        ),
        (
            "cut.png",
            png[..png.len() / 2].to_vec(),
            &["broken or cut short"],
        ),
        (
            "cut.jpg",
            jpeg[..jpeg.len() / 2].to_vec(),
            &["broken or cut short"],
        ),
        (
            "heavy.png",
            huge(19_999),
            &["picture that is too large", "19999×19999 pixels would take"],
        ),
        (
            "huge.png",
            huge(60_000),
            &["picture that is too large", "60000×60000 pixels"],
        ),
    ] {
        let folder = good();
        folder.write(&format!("happy/{name}"), bytes);
        let dataset = folder.open().unwrap();
        assert_eq!(dataset.len(), 6, "{name}");
        assert_eq!(dataset.skipped().len(), 1, "{name}");
        says(&left_out(&dataset), &[&format!("happy/{name}: ")]);
        says(&left_out(&dataset), words);
        let refused = refusal(strict(&folder));
        says(&refused, &["1 of 7 entries", name, words[0]]);
    }
}

#[test]
fn files_of_other_kinds_are_listed_but_no_fault() {
    let folder = good();
    folder.write("readme.txt", "about these faces");
    folder.write("happy/notes.txt", "smiles");
    folder.write("happy/.DS_Store", "x");
    folder.write("sad/Thumbs.db", "x");
    folder.write("__MACOSX/happy/._a.png", "x");
    let dataset = strict(&folder).unwrap();
    assert_eq!(dataset.class_names().names(), ["happy", "sad"]);
    let reasons = count_by_reason(dataset.skipped());
    assert_eq!(reasons["hidden or system file"], 3);
    assert_eq!(reasons["file of another kind"], 2);
}

#[test]
fn a_name_that_does_not_fit_the_content_is_noted_and_the_picture_used() {
    let folder = good();
    folder.write("happy/wrong.jpg", encoded(70, ImageFormat::Png));
    let dataset = strict(&folder).unwrap();
    assert_eq!(dataset.len(), 7);
    says(
        &notices(&dataset),
        &["names of 1 picture do not fit", "wrong.jpg is PNG"],
    );
}

#[test]
fn names_that_differ_in_case_only_are_warned_of() {
    let folder = good();
    folder.face_number("happy/A.png", 60);
    folder.face_number("happy/a.png", 61);
    let dataset = folder.open().unwrap();
    assert_eq!(dataset.len(), 8);
    says(
        &notices(&dataset),
        &[
            "warning: two names differ in letter case only",
            "A.png and a.png",
            "Rename",
        ],
    );
}

#[test]
fn a_class_without_pictures_and_one_whose_pictures_are_all_broken_are_named() {
    let folder = good();
    fs::create_dir(folder.path().join("fear")).unwrap();
    folder.write("angry/a.png", "no picture");
    let dataset = folder.open().unwrap();
    assert_eq!(dataset.class_names().names(), ["happy", "sad"]);
    says(
        &left_out(&dataset),
        &["/fear: folder without a picture", "angry/a.png"],
    );
    says(
        &notices(&dataset),
        &[
            "warning: no picture lies in",
            "/fear",
            "no picture of angry can be used",
        ],
    );
    says(&refusal(strict(&folder)), &["2 of 8 entries", "/fear"]);
}

#[test]
fn nothing_usable_at_all_says_why() {
    let folder = Folder::new();
    folder.write("happy/a.png", "");
    folder.write("sad/b.png", "");
    says(
        &refusal(folder.open()),
        &["no usable picture", "happy/a.png: empty file", "1 more"],
    );
}

#[test]
fn pictures_beside_the_folders_are_listed() {
    let mut folder = Folder::new();
    folder.faces("train/happy", 3);
    folder.faces("train/sad", 3);
    folder.faces("extra/sad", 2);
    folder.face("train/loose.png");
    fs::create_dir(folder.path().join("test")).unwrap();
    let dataset = folder.open().unwrap();
    assert_eq!(dataset.len(), 6);
    let reasons = count_by_reason(dataset.skipped());
    assert_eq!(
        reasons["picture outside the folders that say what it shows"],
        3
    );
    says(&left_out(&dataset), &["test: folder without a picture"]);
}

#[test]
fn a_persons_file_that_names_no_expression_is_listed() {
    let mut folder = Folder::new();
    folder.people("", 4);
    folder.face("2/portrait.png");
    let dataset = folder.open().unwrap();
    assert_eq!(dataset.len(), 32);
    says(
        &left_out(&dataset),
        &["2/portrait.png: unknown label: `portrait` names no expression"],
    );
}
