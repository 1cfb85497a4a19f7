use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use fer_data::{FerPlusTarget, Layout, OpenSettings, open};

use crate::{MEBIBYTE, Target, folder, written};

/// A small packed table may hold long rows; what is read of them is read by blocks.
const ROWS: usize = 128 * MEBIBYTE;

/// FER2013's table, plain or packed.
pub const FER2013: Target = Target {
    name: "fer2013",
    most_memory: ROWS,
    seeds: &["tests/fuzz/seeds/fer2013"],
    accepts: |bytes| opens(&written("fer2013.csv", bytes), Layout::Csv),
};

/// FER+'s votes, for a table of three pictures.
pub const FERPLUS: Target = Target {
    name: "ferplus",
    most_memory: ROWS,
    seeds: &["tests/fuzz/seeds/ferplus"],
    accepts: |bytes| {
        static TABLE: OnceLock<PathBuf> = OnceLock::new();
        let table = TABLE.get_or_init(|| written("voted/fer2013.csv", &three_pictures()));
        let votes = written("fer2013new.csv", bytes);
        let targets = [
            FerPlusTarget::Majority,
            FerPlusTarget::Probabilities,
            FerPlusTarget::Votes,
        ];
        let accepted = targets.map(|target| {
            let settings = OpenSettings {
                ferplus: Some(votes.clone()),
                ferplus_target: target,
                ..OpenSettings::default()
            };
            open(table, &settings).is_ok()
        });
        accepted.contains(&true)
    },
};

/// A manifest, in a folder with two pictures.
pub const MANIFEST: Target = Target {
    name: "manifest",
    most_memory: ROWS,
    seeds: &["tests/fuzz/seeds/manifest"],
    accepts: |bytes| {
        two_pictures();
        opens(&written("pictures/manifest.csv", bytes), Layout::Manifest)
    },
};

/// What labels mean, for a folder of two classes.
pub const LABEL_MAP: Target = Target {
    name: "label_map",
    most_memory: ROWS,
    seeds: &["tests/fuzz/seeds/label_map"],
    accepts: |bytes| {
        static FOLDER: OnceLock<PathBuf> = OnceLock::new();
        let classes = FOLDER.get_or_init(|| {
            for (class, grey) in [("0", 60), ("1", 190)] {
                written(&format!("classes/{class}/face.pgm"), &grey_picture(grey));
            }
            folder().join("classes")
        });
        let settings = OpenSettings {
            label_map: Some(written("labels.toml", bytes)),
            ..OpenSettings::default()
        };
        open(classes, &settings).is_ok()
    },
};

/// Pictures in the rows of a Parquet file.
pub const PARQUET: Target = Target {
    name: "parquet",
    most_memory: 512 * MEBIBYTE,
    seeds: &[
        "crates/fer-data/tests/parquet",
        "crates/fer-data/tests/parquet/datasets",
    ],
    accepts: |bytes| opens(&written("faces.parquet", bytes), Layout::Parquet),
};

fn opens(path: &Path, layout: Layout) -> bool {
    let settings = OpenSettings {
        layout: Some(layout),
        ..OpenSettings::default()
    };
    open(path, &settings).is_ok()
}

fn two_pictures() {
    static WRITTEN: OnceLock<()> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        written("pictures/dark.pgm", &grey_picture(60));
        written("pictures/faces/light.pgm", &grey_picture(190));
    });
}

fn grey_picture(grey: u8) -> Vec<u8> {
    [b"P5 2 2 255\n".as_slice(), &[grey, grey, grey + 9, grey]].concat()
}

fn three_pictures() -> Vec<u8> {
    let mut table = String::from("emotion,pixels,Usage\n");
    for (emotion, usage) in [(3, "Training"), (0, "Training"), (6, "PublicTest")] {
        let pixels = vec![(40 * emotion).to_string(); fer_data::PIXELS].join(" ");
        table += &format!("{emotion},{pixels},{usage}\n");
    }
    table.into_bytes()
}
