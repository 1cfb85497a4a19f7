use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::{fer, stderr, stdout};

/// A folder with 70 drawn faces, one file that is no picture among them, and `list`, which names them
/// `times` over.
fn faces(times: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let drawn = fer_data::drawn::DrawnFaces::new(3);
    let mut names = Vec::new();
    for index in 0..70 {
        let name = format!("face{index:02}.pgm");
        let pixels = [b"P5 48 48 255\n".as_slice(), &drawn.draw(index).pixels].concat();
        fs::write(folder.path().join(&name), pixels).unwrap();
        names.push(name);
    }
    fs::write(folder.path().join(&names[40]), "no picture").unwrap();
    let list = (names.join("\n") + "\n").repeat(times);
    fs::write(folder.path().join("list"), list).unwrap();
    folder
}

fn data(folder: &Path, arguments: &[&str]) -> String {
    let predicted = fer(folder, &[&["predict", "--no-detect"], arguments].concat());
    let said = stderr(&predicted);
    assert!(matches!(predicted.status.code(), Some(0 | 1)), "{said}");
    stdout(&predicted)
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn parts_one_after_the_other_are_the_whole_to_the_byte() {
    let folder = faces(2);
    let at = folder.path();
    let whole = data(at, &["--list", "list", "--csv"]);
    let lines = data(at, &["--list", "list", "--jsonl"]);
    assert_eq!((whole.lines().count(), lines.lines().count()), (141, 140));
    let (mut tables, mut printed, mut files) = (String::new(), String::new(), String::new());
    for number in 1..=3 {
        let shard = format!("{number}/3");
        let part = ["--list", "list", "--shard", &shard];
        tables += &data(at, &[&part[..], &["--csv"]].concat());
        printed += &data(at, &[&part[..], &["--jsonl"]].concat());
        for ending in ["csv", "jsonl"] {
            let out = format!("part{number}.{ending}");
            data(at, &[&part[..], &["--out", &out]].concat());
        }
        files += &read(at, &format!("part{number}.csv"));
    }
    assert!(tables == whole && files == whole && printed == lines);
    let parts = (1..=3).map(|number| read(at, &format!("part{number}.jsonl")));
    assert_eq!(parts.collect::<String>(), lines);
    let more = data(at, &["--list", "list", "--csv", "--shard", "201/300"]);
    assert_eq!(more, "", "more parts than pictures");
}

#[cfg(unix)]
#[test]
fn a_command_that_was_killed_goes_on_to_the_same_bytes() {
    let folder = faces(40);
    let at = folder.path();
    let arguments = ["predict", "--no-detect", "--list", "list", "--out"];
    data(at, &["--list", "list", "--out", "undisturbed.csv"]);
    let journal = at.join("disturbed.csv.journal");
    let mut kills = 0;
    for round in 1..=3 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fer-train"))
            .args(arguments)
            .arg("disturbed.csv")
            .current_dir(at)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let enough = |bytes: u64| bytes > round * 150_000;
        while child.try_wait().unwrap().is_none()
            && !fs::metadata(&journal).is_ok_and(|found| enough(found.len()))
        {
            sleep(Duration::from_millis(2));
        }
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills > 0, "it was never caught at work");
    assert!(
        !at.join("disturbed.csv").exists(),
        "a file is there once it is complete"
    );
    let other = fer(
        at,
        &[&arguments[..], &["disturbed.csv", "--shard", "1/2"]].concat(),
    );
    assert_eq!(other.status.code(), Some(1));
    assert!(
        stderr(&other).contains("the number of files was 2800 and is 1400"),
        "{}",
        stderr(&other)
    );

    let last = fer(at, &[&arguments[..], &["disturbed.csv"]].concat());
    let said = stdout(&last);
    assert!(
        said.contains("goes on     after") && said.contains("40 of them errors"),
        "{said}"
    );
    assert_eq!(
        last.status.code(),
        Some(1),
        "files that are no pictures are failures"
    );
    assert!(read(at, "disturbed.csv") == read(at, "undisturbed.csv"));
    assert!(!journal.exists());
}

#[test]
fn a_name_says_what_is_written_and_another_is_refused() {
    let folder = faces(1);
    let at = folder.path();
    data(
        at,
        &["face00.pgm", "face40.pgm", "--out", "answers.parquet"],
    );
    let bytes = fs::read(at.join("answers.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    let refused = fer(at, &["predict", "face00.pgm", "--out", "answers.xlsx"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        stderr(&refused).contains(".csv, .jsonl or .parquet"),
        "{}",
        stderr(&refused)
    );
    fs::write(at.join("answers.csv.journal"), "my diary\n").unwrap();
    let refused = fer(at, &["predict", "face00.pgm", "--out", "answers.csv"]);
    assert!(
        stderr(&refused).contains("holds no answers"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(read(at, "answers.csv.journal"), "my diary\n");
}
