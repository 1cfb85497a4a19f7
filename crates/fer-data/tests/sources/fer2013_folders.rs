use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fer_data::drawn::DrawnFaces;
use fer_data::{Dataset, Expression, OpenSettings, PIXELS, Split, open};
use image::GrayImage;

use crate::folder::Folder;

/// Writes every picture of a FER2013 table as Kaggle's folders have them: `train` and `test`, each
/// with the seven classes.
fn write_folders(table: &Dataset, folder: &Path) {
    for index in 0..table.len() {
        let entry = table.entry(index);
        let side = match entry.split {
            Split::Train => "train",
            Split::Validation | Split::Test => "test",
        };
        let class = match table.class_names().name(entry.label) {
            "surprised" => "surprise",
            name => name,
        };
        let folder = folder.join(side).join(class);
        fs::create_dir_all(&folder).unwrap();
        let pixels = table.picture(index).unwrap().pixels().to_vec();
        let image = GrayImage::from_raw(48, 48, pixels).unwrap();
        image.save(folder.join(format!("im{index}.png"))).unwrap();
    }
}

/// How often each picture stands with each class on a side.
fn pictures(
    dataset: &Dataset,
    side: impl Fn(Split) -> &'static str,
) -> BTreeMap<(&'static str, String, [u8; PIXELS]), usize> {
    let mut pictures = BTreeMap::new();
    for index in 0..dataset.len() {
        let entry = dataset.entry(index);
        let class = dataset.class_names().name(entry.label).to_string();
        let key = (
            side(entry.split),
            class,
            *dataset.picture(index).unwrap().pixels(),
        );
        *pictures.entry(key).or_default() += 1;
    }
    pictures
}

/// The pictures of test that train, or what was cut from it, has too.
fn copies(dataset: &Dataset, judged: Split) -> usize {
    let groups = dataset.copies().unwrap();
    let split = |&index: &usize| dataset.entry(index).split;
    let crossing = groups
        .iter()
        .filter(|group| group.iter().any(|index| split(index) != judged));
    crossing
        .map(|group| group.iter().filter(|index| split(index) == judged).count())
        .sum()
}

fn compare(table: &Path, folder: &Path) -> usize {
    let table = open(table, &OpenSettings::default()).unwrap();
    write_folders(&table, folder);
    let folders = open(folder, &OpenSettings::default()).unwrap();
    assert_eq!(folders.class_names(), table.class_names());
    assert!(folders.skipped().is_empty());
    let of_table = pictures(&table, |split| match split {
        Split::Train => "train",
        _ => "test",
    });
    let of_folders = pictures(&folders, |split| match split {
        Split::Test => "test",
        _ => "train",
    });
    assert!(
        of_table == of_folders,
        "the same pictures, classes and sides"
    );
    assert_eq!(
        copies(&folders, Split::Test),
        copies(&table, Split::Validation)
    );
    assert_eq!(
        copies(&table, Split::Validation),
        table.copies_of_train(Split::Validation).unwrap().len()
    );
    copies(&folders, Split::Test)
}

#[test]
fn a_table_written_out_as_kaggles_folders_gives_the_same_pictures_and_copies() {
    let numbers = [3, 0, 6, 5, 4, 2, 1];
    let faces = DrawnFaces::new(2).subjects(12).takes(1);
    let mut rows = String::from("emotion,pixels,Usage\n");
    for index in 0..faces.len() {
        let drawn = faces.draw(if index > 90 { index - 80 } else { index });
        if drawn.expression == Expression::Contempt {
            continue;
        }
        let values: Vec<String> = drawn.pixels.iter().map(u8::to_string).collect();
        let usage = if index > 80 { "PublicTest" } else { "Training" };
        rows += &format!("{},{},{usage}\n", numbers[index % 7], values.join(" "));
    }
    let folder = Folder::new();
    let table = folder.write("table/fer2013.csv", rows);
    let count = compare(&table, &folder.path().join("kaggle"));
    assert!(count > 3, "{count} copies cross");
}

/// The real rows, where the folder named by `FER2013_DIR` holds them.
#[test]
fn fer2013_written_out_as_kaggles_folders_has_the_280_copies() {
    let Some(table) = crate::fer2013() else {
        return;
    };
    let written = tempfile::tempdir().unwrap();
    assert_eq!(compare(&table, written.path()), 280);
}
