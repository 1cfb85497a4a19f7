use std::io::Write;
use std::path::Path;

use fer_data::{Dataset, OpenSettings, Split, open};
use rayon::ThreadPoolBuilder;

use crate::folder::{Folder, refusal, says};

/// Rows that take more than 16 blocks of 256 KiB together.
const ROWS: usize = 1200;

/// Rows with something wrong: in the first block, in the middle, at the end.
const BAD: [usize; 4] = [2, 700, 701, 1199];

/// The values of row `number`, from 1: no two rows agree.
fn values(number: usize) -> Vec<u8> {
    let value = |place: usize| match place {
        0 => number % 256,
        1 => number / 256,
        _ => (place * number) % 256,
    };
    (0..2304).map(|place| value(place) as u8).collect()
}

fn rows() -> Vec<String> {
    let row = |number: usize| {
        let words: Vec<String> = values(number).iter().map(u8::to_string).collect();
        let usage = ["Training", "PublicTest"][number % 2];
        let emotion = if BAD.contains(&number) { 9 } else { number % 7 };
        format!("{emotion},{},{usage}", words.join(" "))
    };
    (1..=ROWS).map(row).collect()
}

fn text(end: &str) -> String {
    format!("emotion,pixels,Usage{end}{}{end}", rows().join(end))
}

fn by_threads(path: &Path, threads: usize) -> Dataset {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap()
        .install(|| open(path, &OpenSettings::default()))
        .unwrap()
}

fn check(dataset: &Dataset, lines: &dyn Fn(usize) -> usize) {
    assert_eq!(dataset.len(), ROWS - BAD.len());
    let good = (1..=ROWS).filter(|number| !BAD.contains(number));
    for (index, number) in good.enumerate() {
        let found = dataset.picture(index).unwrap();
        assert_eq!(found.pixels().as_slice(), values(number), "row {number}");
        assert!(dataset.origin(index).ends_with(&format!(" row {number}")));
        let split = [Split::Train, Split::Validation][number % 2];
        assert_eq!(dataset.entry(index).split, split, "row {number}");
    }
    let told: Vec<&str> = dataset
        .skipped()
        .iter()
        .map(|entry| entry.detail.as_str())
        .collect();
    assert_eq!(told.len(), BAD.len());
    for (number, told) in BAD.into_iter().zip(told) {
        let place = format!("row {number} (line {}): unknown label `9`", lines(number));
        assert!(told.contains(&place), "{place}: {told}");
    }
}

#[test]
fn rows_lines_and_pictures_are_the_same_in_every_block_for_every_line_end_and_any_threads() {
    let folder = Folder::new();
    let mut hashes = Vec::new();
    for (name, end) in [("lf", "\n"), ("crlf", "\r\n"), ("cr", "\r")] {
        let path = folder.path().join(format!("{name}.csv"));
        folder.write(&format!("{name}.csv"), text(end));
        for threads in [1, 2, 4] {
            let dataset = by_threads(&path, threads);
            check(&dataset, &|number| number + 1);
            hashes.push(dataset.hash().to_string());
        }
    }
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
}

#[test]
fn packed_tables_are_read_while_they_are_unpacked() {
    let folder = Folder::new();
    let plain = text("\n");
    let zstd = zstd::encode_all(plain.as_bytes(), 1).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(plain.as_bytes()).unwrap();
    folder.write("packed.csv.zst", &zstd);
    folder.write("packed.csv.gz", gzip.finish().unwrap());
    for name in ["packed.csv.zst", "packed.csv.gz"] {
        for threads in [1, 3] {
            let dataset = by_threads(&folder.path().join(name), threads);
            check(&dataset, &|number| number + 1);
        }
    }
    folder.write("cut.csv.zst", &zstd[..zstd.len() / 2]);
    let cut = open(&folder.path().join("cut.csv.zst"), &OpenSettings::default());
    says(&refusal(cut), &["cut.csv.zst: "]);
}

#[test]
fn empty_lines_are_no_rows_and_still_count_as_lines() {
    let folder = Folder::new();
    let gaps = format!("\n\nemotion,pixels,Usage\n\n{}", rows().join("\n\n"));
    folder.write("gaps.csv", gaps);
    let dataset = by_threads(&folder.path().join("gaps.csv"), 2);
    check(&dataset, &|number| 2 * number + 3);
}
