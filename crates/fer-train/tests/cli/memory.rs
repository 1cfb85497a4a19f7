use std::fs;

use crate::{course_folder, fer, stderr, stdout};

#[test]
fn pictures_on_disk_train_to_the_bytes_of_pictures_in_memory_and_a_run_goes_on_with_either() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    course_folder(&at.join("course"));
    fs::create_dir(at.join("scratch")).unwrap();
    let run = |more: &[&str]| {
        let common = ["--data", "course", "--arch", "cnn", "--batch-size", "64"];
        fer(at, &[&common, more].concat())
    };
    let in_memory = run(&["--epochs", "1", "--out", "one"]);
    assert!(in_memory.status.success(), "{}", stderr(&in_memory));
    assert!(!stdout(&in_memory).contains("temporary file"));
    let spill = ["--memory", "0", "--set", "data.spill_folder=scratch"];
    let on_disk = run(&[&spill[..], &["--epochs", "1", "--out", "other"]].concat());
    assert!(on_disk.status.success(), "{}", stderr(&on_disk));
    assert!(stdout(&on_disk).contains("temporary file in scratch"));
    for file in [
        "model.safetensors",
        "metrics.json",
        "predictions.csv",
        "audit.json",
    ] {
        let [one, other] = ["one", "other"].map(|run| fs::read(at.join(run).join(file)).unwrap());
        assert!(one == other, "{file} is another");
    }
    let config = fs::read_to_string(at.join("other/config.toml")).unwrap();
    assert!(config.contains("memory = \"0\""), "{config}");
    assert_eq!(fs::read_dir(at.join("scratch")).unwrap().count(), 0);

    let resumed = fer(
        at,
        &["--resume", "one", "--epochs", "2", "--memory", "100 kB"],
    );
    assert!(resumed.status.success(), "{}", stderr(&resumed));
}

#[test]
fn a_folder_that_takes_no_pictures_and_a_size_that_is_none_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    course_folder(&at.join("course"));
    let set = "data.spill_folder=no/such/folder";
    let refused = fer(
        at,
        &[
            "--data", "course", "--memory", "0", "--set", set, "--out", "run",
        ],
    );
    assert_eq!(refused.status.code(), Some(1));
    for words in [
        "no/such/folder",
        "350208 bytes",
        "--memory",
        "data.spill_folder",
    ] {
        assert!(
            stderr(&refused).contains(words),
            "{words}: {}",
            stderr(&refused)
        );
    }
    let refused = fer(at, &["--data", "course", "--memory", "much"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("512 MB"), "{}", stderr(&refused));
}
