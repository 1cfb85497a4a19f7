//! The files are written by `tests/parquet/write.py`.

use std::fs;
use std::path::{Path, PathBuf};

use fer_data::{DataError, Dataset, Layout, OpenSettings, PIXELS, Split, count_by_reason, open};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet")
}

/// The picture that the script draws for `number`.
fn pattern(number: usize) -> Vec<u8> {
    let value = |place: usize| {
        let (row, column) = (place / 48, place % 48);
        (row * (number % 5) + column * (number / 5 % 5) + number) % 256
    };
    (0..PIXELS).map(|place| value(place) as u8).collect()
}

fn numbers(dataset: &Dataset, split: Split) -> Vec<usize> {
    let number = |index: usize| {
        let pixels = dataset.picture(index).unwrap().pixels().to_vec();
        let number = (0..100).find(|&number| pattern(number) == pixels).unwrap();
        assert_eq!(dataset.entry(index).label, number % 3, "{number}");
        number
    };
    dataset.indices(split).into_iter().map(number).collect()
}

#[test]
fn a_folder_that_datasets_wrote_brings_its_classes_and_its_splits() {
    let dataset = open(&folder().join("datasets"), &OpenSettings::default()).unwrap();
    let classes: Vec<&str> = dataset.class_names().iter().collect();
    assert_eq!(classes, ["happy", "sad", "surprised"]);
    assert_eq!(dataset.description().layout, Some(Layout::Parquet));
    assert_eq!(numbers(&dataset, Split::Train), (0..12).collect::<Vec<_>>());
    assert_eq!(
        numbers(&dataset, Split::Validation),
        (12..18).collect::<Vec<_>>()
    );
    assert_eq!(numbers(&dataset, Split::Test), (18..24).collect::<Vec<_>>());
    assert!(
        dataset
            .origin(0)
            .ends_with("test-00000-of-00001.parquet row 1")
    );
}

#[test]
fn plain_columns_are_found_by_their_names_over_groups_of_rows() {
    let dataset = open(&folder().join("plain.parquet"), &OpenSettings::default()).unwrap();
    assert_eq!(dataset.len(), 30);
    assert_eq!(numbers(&dataset, Split::Train), (0..18).collect::<Vec<_>>());
    assert_eq!(
        numbers(&dataset, Split::Validation),
        (18..24).collect::<Vec<_>>()
    );
    assert_eq!(numbers(&dataset, Split::Test), (24..30).collect::<Vec<_>>());
    assert_eq!(dataset.description().subject_names.len(), 10);
    assert!(
        dataset
            .origin(8)
            .ends_with("plain.parquet row 2 of group 2")
    );
}

#[test]
fn numbers_without_names_need_a_meaning() {
    let path = folder().join("numbers.parquet");
    let error = open(&path, &OpenSettings::default()).err().unwrap();
    assert!(
        error.to_string().contains("a number names no expression"),
        "{error}"
    );
    let map = tempfile::NamedTempFile::new().unwrap();
    fs::write(
        map.path(),
        "\"0\" = \"angry\"\n\"1\" = \"disgust\"\n\"2\" = \"fear\"\n",
    )
    .unwrap();
    let settings = OpenSettings {
        label_map: Some(map.path().to_path_buf()),
        ..Default::default()
    };
    let dataset = open(&path, &settings).unwrap();
    assert_eq!(
        dataset.class_names().iter().collect::<Vec<_>>(),
        ["angry", "disgust", "fear"]
    );
}

#[test]
fn rows_that_cannot_be_used_are_left_out_by_reason() {
    let dataset = open(&folder().join("broken.parquet"), &OpenSettings::default()).unwrap();
    assert_eq!(dataset.len(), 3);
    let counts = count_by_reason(dataset.skipped());
    assert_eq!(dataset.skipped().len(), 5, "{:?}", dataset.skipped());
    assert_eq!(counts.get("unknown label"), Some(&1), "{counts:?}");
    assert_eq!(
        counts.get("picture that is broken or cut short"),
        Some(&1),
        "{counts:?}"
    );
    assert!(dataset.skipped()[0].entry.ends_with("broken.parquet row 2"));
}

#[test]
fn a_file_without_pictures_names_its_columns() {
    let error = open(&folder().join("without.parquet"), &OpenSettings::default())
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("no column holds pictures"),
        "{error}"
    );
    assert!(error.to_string().contains("pixels, emotion"), "{error}");
}

#[test]
fn a_file_that_is_cut_short_or_changed_is_an_error_or_gives_fewer_pictures() {
    let whole = fs::read(folder().join("plain.parquet")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.parquet");
    for length in [0, 3, 4, 8, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(open(&path, &OpenSettings::default()).is_err(), "{length}");
    }
    let mut random = 1u64;
    for _ in 0..300 {
        let mut changed = whole.clone();
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let place = (random >> 33) as usize % changed.len();
        changed[place] ^= 1 << (random % 8);
        fs::write(&path, &changed).unwrap();
        match open(&path, &OpenSettings::default()) {
            Ok(dataset) => assert!(dataset.len() <= 30),
            Err(DataError::Panic { message, .. }) => panic!("{message}"),
            Err(_) => {}
        }
    }
}

#[test]
fn some_files_with_a_split_and_some_without_are_unclear() {
    let own = tempfile::tempdir().unwrap();
    let plain = folder().join("plain.parquet");
    fs::copy(&plain, own.path().join("train-00000-of-00001.parquet")).unwrap();
    fs::copy(&plain, own.path().join("more.parquet")).unwrap();
    let error = open(own.path(), &OpenSettings::default()).err().unwrap();
    assert!(matches!(error, DataError::Unclear { .. }), "{error}");
}
