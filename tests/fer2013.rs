use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use fer_data::{
    DataError, Dataset, Expression, FerPlusTarget, OpenSettings, Split, SplitSettings,
    count_by_reason, open,
};

const HEADER: &str = "emotion,pixels,Usage";
const VOTES_HEADER: &str =
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF";

/// The pixels of one row; `bright` places apart from the rest tell rows from each other.
fn pixels(value: usize, bright: usize) -> String {
    let values: Vec<String> = (0..2304)
        .map(|place| if place == bright { 255 } else { value }.to_string())
        .collect();
    values.join(" ")
}

fn row(emotion: &str, value: usize, usage: &str) -> String {
    format!("{emotion},{},{usage}", pixels(value, value))
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn table(&self, rows: &[String]) -> PathBuf {
        self.write("fer2013.csv", format!("{HEADER}\n{}\n", rows.join("\n")))
    }
}

fn good_rows() -> Vec<String> {
    vec![
        row("3", 10, "Training"),
        row("0", 20, "Training"),
        row("6", 30, "PublicTest"),
        row("5", 40, "PrivateTest"),
    ]
}

fn open_plain(path: &Path) -> Result<Dataset, DataError> {
    open(path, &OpenSettings::default())
}

fn refusal(result: Result<Dataset, DataError>) -> String {
    match result {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn labels_splits_and_pixels_come_out_as_they_stand_with_the_bright_pixel_in_place() {
    let dataset = open_plain(&Folder::new().table(&good_rows())).unwrap();
    assert_eq!(dataset.class_names(), &Expression::seven_class_names());
    let label = |index| {
        dataset
            .class_names()
            .name(dataset.entry(index).label)
            .to_string()
    };
    assert_eq!(
        (0..4).map(label).collect::<Vec<_>>(),
        ["happy", "angry", "neutral", "surprised"]
    );
    assert_eq!(dataset.indices(Split::Train), [0, 1]);
    assert_eq!(dataset.indices(Split::Validation), [2]);
    assert_eq!(dataset.indices(Split::Test), [3]);
    let first = dataset.picture(1).unwrap();
    let first = first.pixels();
    assert_eq!((first[20], first[19], first[21]), (255, 20, 20));
    assert!(dataset.origin(1).ends_with("row 2"));
}

#[test]
fn gzip_zstd_a_bom_crlf_and_other_column_orders_read_the_same() {
    let folder = Folder::new();
    let plain = fs::read(folder.table(&good_rows())).unwrap();
    let expected = open_plain(&folder.write("plain.csv", &plain))
        .unwrap()
        .hash()
        .to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let zstd = zstd::encode_all(plain.as_slice(), 1).unwrap();
    let text = String::from_utf8(plain.clone()).unwrap();
    let reordered: Vec<String> = text
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            format!("{}, {}, {}", fields[0], fields[2], fields[1])
        })
        .collect();
    let files = [
        folder.write("packed.csv.gz", gzip.finish().unwrap()),
        folder.write("packed.csv.zst", zstd),
        folder.write("bom.csv", format!("\u{feff}{text}")),
        folder.write("windows.csv", text.replace('\n', "\r\n")),
        folder.write("icml.csv", reordered.join("\n")),
    ];
    for file in files {
        assert_eq!(
            open_plain(&file).unwrap().hash(),
            expected,
            "{}",
            file.display()
        );
    }
}

#[test]
fn each_bad_row_is_left_out_counted_and_named_and_strict_refuses_it() {
    let cases = [
        (
            format!("3,{},Training", vec!["7"; 2303].join(" ")),
            "2303 pixels, expected 2304",
        ),
        (
            format!("3,{} 256,Training", vec!["7"; 2303].join(" ")),
            "pixel 2304 is `256`, expected 0 to 255",
        ),
        (
            format!("3,{} -1,Training", vec!["7"; 2303].join(" ")),
            "pixel 2304 is `-1`",
        ),
        (
            row("7", 10, "Training"),
            "unknown label `7`, expected 0 to 6",
        ),
        (row("happy", 10, "Training"), "unknown label `happy`"),
        (row("3", 10, "Testing"), "unknown Usage `Testing`"),
        ("3,Training".to_string(), "2 fields, expected 3"),
    ];
    for (bad, reason) in cases {
        let folder = Folder::new();
        let mut rows = good_rows();
        rows.insert(1, bad);
        let path = folder.table(&rows);
        let dataset = open_plain(&path).unwrap();
        assert_eq!(dataset.len(), 4);
        assert_eq!(count_by_reason(dataset.skipped())["malformed row"], 1);
        let detail = &dataset.skipped()[0].detail;
        assert!(
            detail.contains("fer2013.csv, row 2 (line 3)") && detail.contains(reason),
            "{detail}"
        );
        let strict = OpenSettings {
            strict: true,
            ..OpenSettings::default()
        };
        let refused = refusal(open(&path, &strict));
        assert!(
            refused.contains("row 2") && refused.contains(reason),
            "{refused}"
        );
    }
}

#[test]
fn a_stray_quote_costs_its_own_row_alone_and_lines_are_counted_with_either_ending() {
    for ending in ["\n", "\r\n"] {
        let folder = Folder::new();
        let mut rows = good_rows();
        rows[1] = format!("\"{}", rows[1]);
        let text = format!("{HEADER}{ending}{}{ending}", rows.join(ending));
        let dataset = open_plain(&folder.write("quoted.csv", text)).unwrap();
        assert_eq!((dataset.len(), dataset.skipped().len()), (3, 1));
        let detail = &dataset.skipped()[0].detail;
        assert!(detail.contains("row 2 (line 3)"), "{ending:?}: {detail}");
    }
}

#[test]
fn what_is_no_fer2013_table_is_refused_by_name() {
    let folder = Folder::new();
    let refused = refusal(open_plain(&folder.write("other.csv", "a,b\n1,2\n")));
    for words in ["other.csv", "`emotion`", "emotion,pixels,Usage", "`a,b`"] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    let refused = refusal(open_plain(&folder.write("empty.csv", "")));
    assert!(refused.contains("empty.csv"), "{refused}");
    let refused = refusal(open_plain(&folder.write("header.csv", HEADER)));
    assert!(refused.contains("no usable picture"), "{refused}");
    let refused = refusal(open_plain(&folder.0.path().join("missing.csv")));
    assert!(refused.contains("missing.csv"), "{refused}");
}

fn votes(usage: &str, name: &str, counts: [u32; 10]) -> String {
    let counts: Vec<String> = counts.iter().map(u32::to_string).collect();
    format!("{usage},{name},{}", counts.join(","))
}

fn vote_rows() -> Vec<String> {
    vec![
        votes("Training", "fer0000000.png", [0, 9, 0, 0, 0, 0, 0, 1, 0, 0]),
        votes("Training", "fer0000001.png", [0, 0, 0, 0, 4, 3, 3, 0, 0, 0]),
        votes(
            "PublicTest",
            "fer0028638.png",
            [0, 0, 0, 0, 0, 0, 0, 6, 4, 0],
        ),
        votes("PrivateTest", "", [0, 0, 0, 0, 0, 0, 0, 0, 0, 10]),
    ]
}

fn with_votes(
    folder: &Folder,
    rows: &[String],
    target: FerPlusTarget,
) -> Result<Dataset, DataError> {
    let votes = folder.write(
        "fer2013new.csv",
        format!("{VOTES_HEADER}\n{}\n", rows.join("\n")),
    );
    let settings = OpenSettings {
        ferplus: Some(votes),
        ferplus_target: target,
        ..OpenSettings::default()
    };
    open(&folder.table(&good_rows()), &settings)
}

#[test]
fn votes_are_joined_by_row_and_what_they_leave_out_is_counted_by_reason() {
    let dataset = with_votes(&Folder::new(), &vote_rows(), FerPlusTarget::Majority).unwrap();
    assert_eq!(dataset.class_names(), &Expression::class_names());
    let labels: Vec<usize> = (0..dataset.len())
        .map(|index| dataset.entry(index).label)
        .collect();
    assert_eq!(
        labels,
        [Expression::Happy.index(), Expression::Contempt.index()]
    );
    assert_eq!(dataset.indices(Split::Train), [0]);
    let reasons = count_by_reason(dataset.skipped());
    assert_eq!(reasons["FER+ votes have no majority"], 1);
    assert_eq!(reasons["FER+ names no image (not a face)"], 1);
}

#[test]
fn votes_are_told_of_every_picture_whatever_trains_and_change_no_digest() {
    let dataset = |how| with_votes(&Folder::new(), &vote_rows(), how).unwrap();
    let majority = dataset(FerPlusTarget::Majority);
    // Happy has nine of ten votes and contempt one; contempt has six of the six for an expression.
    let place = |expression: Expression| expression.index();
    let first = majority.votes(0).unwrap();
    assert_eq!(
        (
            first[place(Expression::Happy)],
            first[place(Expression::Contempt)]
        ),
        (0.9, 0.1)
    );
    assert_eq!(majority.votes(1).unwrap()[place(Expression::Contempt)], 1.0);
    assert_eq!(majority.entry(0).distribution, None, "the majority trains");
    assert_eq!(dataset(FerPlusTarget::Votes).votes(0), Some(first));
    let folder = Folder::new();
    assert_eq!(
        open_plain(&folder.table(&good_rows())).unwrap().votes(0),
        None
    );
    let mut other = vote_rows();
    other[0] = votes("Training", "fer0000000.png", [0, 8, 0, 0, 0, 0, 0, 2, 0, 0]);
    let other = with_votes(&Folder::new(), &other, FerPlusTarget::Majority).unwrap();
    assert_ne!(other.votes(0), majority.votes(0));
    assert_eq!(other.hash(), majority.hash());
}

#[test]
fn soft_targets_train_while_validation_keeps_the_majority() {
    let target = |how| {
        let dataset = with_votes(&Folder::new(), &vote_rows(), how).unwrap();
        let mut shares = vec![0.0; 8];
        dataset.write_target(0, &mut shares);
        let validation = dataset
            .entry(dataset.indices(Split::Validation)[0])
            .distribution
            .clone();
        assert_eq!(validation, None);
        (
            dataset.indices(Split::Train).len(),
            shares[Expression::Happy.index()],
            shares[Expression::Contempt.index()],
        )
    };
    assert_eq!(target(FerPlusTarget::Majority), (1, 1.0, 0.0));
    assert_eq!(target(FerPlusTarget::Probabilities), (2, 1.0, 0.0));
    assert_eq!(target(FerPlusTarget::Votes), (2, 0.9, 0.1));
}

#[test]
fn validation_cut_from_voted_rows_is_judged_by_majority_and_the_rest_still_trains() {
    let mut rows: Vec<String> = (0..40).map(|value| row("3", value, "Training")).collect();
    let voted = |value: usize| match value % 2 {
        0 => votes("Training", "fer.png", [0, 8, 2, 0, 0, 0, 0, 0, 0, 0]),
        _ => votes("Training", "fer.png", [4, 0, 0, 3, 3, 0, 0, 0, 0, 0]),
    };
    let mut table: Vec<String> = (0..40).map(voted).collect();
    rows.push(row("6", 50, "PublicTest"));
    table.push(votes(
        "PublicTest",
        "fer.png",
        [9, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ));
    let folder = Folder::new();
    let settings = OpenSettings {
        ferplus: Some(folder.write(
            "fer2013new.csv",
            format!("{VOTES_HEADER}\n{}\n", table.join("\n")),
        )),
        ferplus_target: FerPlusTarget::Probabilities,
        split: SplitSettings {
            validation_fraction: Some(0.2),
            ..SplitSettings::default()
        },
        ..OpenSettings::default()
    };
    let dataset = open(&folder.table(&rows), &settings).unwrap();
    let (happy, neutral) = (Expression::Happy.index(), Expression::Neutral.index());
    let train = dataset.counts(Split::Train);
    assert_eq!((train[happy], train[neutral]), (16, 16));
    let validation = dataset.counts(Split::Validation);
    assert_eq!((validation[happy], validation[neutral]), (4, 0));
    for index in dataset.indices(Split::Validation) {
        assert_eq!(dataset.entry(index).distribution, None);
    }
    assert_eq!(
        count_by_reason(dataset.skipped())["FER+ votes have no majority"],
        4
    );
    let whole = open(
        &folder.table(&rows),
        &OpenSettings {
            split: SplitSettings::default(),
            ..settings
        },
    )
    .unwrap();
    assert_eq!(whole.hash(), dataset.hash(), "the data are the same");
}

#[test]
fn votes_of_another_table_are_refused_with_file_and_row() {
    let refused =
        |rows: &[String]| refusal(with_votes(&Folder::new(), rows, FerPlusTarget::Majority));
    let rows = vote_rows();
    let text = refused(&rows[..3]);
    assert!(
        text.contains("fer2013new.csv") && text.contains("3 rows") && text.contains("4"),
        "{text}"
    );
    let mut swapped = rows.clone();
    swapped.swap(1, 2);
    let text = refused(&swapped);
    assert!(
        text.contains("row 2") && text.contains("PublicTest"),
        "{text}"
    );
    let mut broken = rows.clone();
    broken[2] = broken[2].replace(",6,4,", ",six,4,");
    let text = refused(&broken);
    assert!(
        text.contains("row 3 (line 4)") && text.contains("`six`"),
        "{text}"
    );
    let folder = Folder::new();
    let wrong = folder.write("wrong.csv", "a,b\n");
    let settings = OpenSettings {
        ferplus: Some(wrong),
        ..OpenSettings::default()
    };
    let text = refusal(open(&folder.table(&good_rows()), &settings));
    assert!(
        text.contains("wrong.csv") && text.contains("no FER+ vote file"),
        "{text}"
    );
}

#[test]
fn a_validation_fraction_makes_public_test_the_test_split() {
    let mut rows: Vec<String> = (0..20).map(|value| row("3", value, "Training")).collect();
    rows.extend((20..30).map(|value| row("0", value, "Training")));
    rows.push(row("6", 30, "PublicTest"));
    rows.push(row("6", 31, "PrivateTest"));
    let path = Folder::new();
    let path = (path.table(&rows), path);
    let divided = |fraction| {
        let split = SplitSettings {
            validation_fraction: Some(fraction),
            ..SplitSettings::default()
        };
        let dataset = open(
            &path.0,
            &OpenSettings {
                split,
                ..OpenSettings::default()
            },
        )
        .unwrap();
        assert_eq!(dataset.skipped().len(), 1, "the PrivateTest row is listed");
        Split::ALL.map(|split| dataset.counts(split).iter().sum::<usize>())
    };
    assert_eq!(divided(0.1), [27, 3, 1]);
    assert_eq!(divided(0.0), [30, 0, 1]);
}

#[test]
fn exact_copies_that_cross_are_counted_and_taken_out_of_train_when_asked() {
    let folder = Folder::new();
    let mut rows = good_rows();
    rows.push(row("2", 30, "Training"));
    rows.push(row("2", 20, "Training"));
    let path = folder.table(&rows);
    let dataset = open_plain(&path).unwrap();
    assert_eq!(dataset.copies_of_train(Split::Validation).unwrap(), [2]);
    assert!(dataset.copies_of_train(Split::Test).unwrap().is_empty());
    let cleaned = open(
        &path,
        &OpenSettings {
            dedup: true,
            ..OpenSettings::default()
        },
    )
    .unwrap();
    assert_eq!(
        cleaned.indices(Split::Train).len(),
        3,
        "copies inside train stay"
    );
    assert_eq!(
        cleaned.hash(),
        dataset.hash(),
        "the hash is of the data as they lie there"
    );
    assert_eq!(
        count_by_reason(cleaned.skipped())["exact copy of a validation or test picture"],
        1
    );
    assert!(
        cleaned
            .copies_of_train(Split::Validation)
            .unwrap()
            .is_empty()
    );
}

/// The real rows, where the folder named by `FER2013_DIR` holds them.
#[test]
fn the_published_counts_come_out_exactly() {
    let Some(folder) = env::var_os("FER2013_DIR").map(PathBuf::from) else {
        return;
    };
    let path = ["fer2013.csv", "fer2013.csv.zst", "fer2013.csv.gz"].map(|name| folder.join(name));
    let path = path
        .iter()
        .find(|path| File::open(path).is_ok())
        .expect("FER2013_DIR holds no fer2013.csv");
    let by_name = |dataset: &Dataset, split, names: &[&str]| -> Vec<usize> {
        let counts = dataset.counts(split);
        names
            .iter()
            .map(|name| counts[dataset.class_names().index(name).unwrap()])
            .collect()
    };
    let dataset = open_plain(path).unwrap();
    let csv_order = [
        "angry",
        "disgust",
        "fear",
        "happy",
        "sad",
        "surprised",
        "neutral",
    ];
    assert_eq!(
        by_name(&dataset, Split::Train, &csv_order),
        [3995, 436, 4097, 7215, 4830, 3171, 4965]
    );
    assert_eq!(
        by_name(&dataset, Split::Validation, &csv_order),
        [467, 56, 496, 895, 653, 415, 607]
    );
    assert_eq!(
        dataset.copies_of_train(Split::Validation).unwrap().len(),
        280
    );

    let settings = OpenSettings {
        ferplus: Some(folder.join("fer2013new.csv")),
        ..OpenSettings::default()
    };
    let dataset = open(path, &settings).unwrap();
    let plus_order = [
        "neutral",
        "happy",
        "surprised",
        "sad",
        "angry",
        "disgust",
        "fear",
        "contempt",
    ];
    assert_eq!(
        by_name(&dataset, Split::Train, &plus_order),
        [8740, 7287, 3149, 3014, 2100, 119, 532, 119]
    );
    assert_eq!(
        by_name(&dataset, Split::Validation, &plus_order),
        [1182, 865, 415, 351, 287, 24, 62, 13]
    );
    assert_eq!(dataset.indices(Split::Train).len(), 25_060);
    assert_eq!(dataset.indices(Split::Validation).len(), 3_199);
    assert_eq!(
        dataset.len() + dataset.skipped().len(),
        32_298,
        "every row is used or listed"
    );
}
