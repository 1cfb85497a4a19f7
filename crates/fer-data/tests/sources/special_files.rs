use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::bad_things::good;
use crate::folder::{Folder, left_out, notices, says};

#[test]
fn links_are_followed_save_in_circles_and_into_nothing() {
    let folder = good();
    let mut other = Folder::new();
    let outside = other.face("face.png");
    let at = |name: &str| folder.path().join(name);
    symlink(&outside, at("happy/linked.png")).unwrap();
    symlink(folder.path(), at("sad/above")).unwrap();
    symlink(at("gone.png"), at("sad/gone.png")).unwrap();
    let dataset = folder.open().unwrap();
    assert_eq!(dataset.len(), 7);
    says(
        &left_out(&dataset),
        &[
            "sad/above: link to a folder that it lies in",
            "sad/gone.png: link that leads nowhere",
        ],
    );
    says(
        &notices(&dataset),
        &["note: 1 link leads out of the folder", "linked.png"],
    );
}

#[test]
fn what_may_not_be_read_is_listed() {
    let folder = good();
    let path = folder.face_number("happy/secret.png", 80);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::read(&path).is_ok() {
        return; // the superuser may read everything
    }
    let dataset = folder.open().unwrap();
    says(
        &left_out(&dataset),
        &["secret.png: file or folder that cannot be read"],
    );
}

#[test]
fn pipes_are_not_waited_for() {
    let folder = good();
    let path = folder.path().join("happy/pipe.png");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if !made.is_ok_and(|status| status.success()) {
        return;
    }
    let dataset = folder.open().unwrap();
    says(&left_out(&dataset), &["pipe.png: neither file nor folder"]);
}

#[test]
fn names_that_are_not_unicode_are_used_as_files_and_refused_as_labels() {
    let mut folder = good();
    let name = OsStr::from_bytes(b"caf\xe9");
    let picture = folder.face("spare.png");
    let file = folder.path().join("happy").join(name).with_extension("png");
    if fs::copy(&picture, &file).is_err() {
        return; // this file system takes Unicode names alone
    }
    let class = folder.path().join(name);
    fs::create_dir(&class).unwrap();
    fs::rename(&picture, class.join("a.png")).unwrap();
    let dataset = folder.open().unwrap();
    assert_eq!(dataset.len(), 7);
    says(
        &left_out(&dataset),
        &["name that is not Unicode where a label stands"],
    );
}
