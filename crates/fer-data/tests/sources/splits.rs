use std::collections::{BTreeMap, BTreeSet};

use fer_data::{Dataset, GroupedShares, Split, stratified, stratified_by_subject};

use crate::folder::{Folder, notices, refusal, says, sizes};

fn sides_of_subjects(dataset: &Dataset) -> BTreeMap<u32, BTreeSet<Split>> {
    let mut sides: BTreeMap<u32, BTreeSet<Split>> = BTreeMap::new();
    for index in 0..dataset.len() {
        let entry = dataset.entry(index);
        sides
            .entry(entry.subject.unwrap())
            .or_default()
            .insert(entry.split);
    }
    sides
}

#[test]
fn no_person_stands_on_two_sides_and_the_seed_decides_who_stands_where() {
    let mut folder = Folder::new();
    folder.people("", 19);
    let with_seed = |seed| {
        let dataset = folder
            .open_with(|settings| settings.split.seed = seed)
            .unwrap();
        let sides = sides_of_subjects(&dataset);
        assert!(sides.values().all(|sides| sides.len() == 1));
        assert_eq!(sizes(&dataset), [120, 16, 16]);
        sides
    };
    assert_eq!(with_seed(3), with_seed(3));
    assert_ne!(with_seed(3), with_seed(4));
}

#[test]
fn a_missing_validation_is_a_tenth_of_train_and_test_is_left_alone() {
    let mut folder = Folder::new();
    for class in ["happy", "sad"] {
        folder.faces(&format!("train/{class}"), 30);
        folder.faces(&format!("test/{class}"), 7);
    }
    let dataset = folder.open().unwrap();
    assert_eq!(sizes(&dataset), [54, 6, 14]);
    says(
        dataset.split_rule(),
        &[
            "0.1 of train validates, stratified by class",
            "the data's own test tests",
        ],
    );
    for index in dataset.indices(Split::Validation) {
        assert!(dataset.origin(index).contains("/train/"));
    }
    let none = folder.open_with(|settings| settings.split.validation_fraction = Some(0.0));
    assert_eq!(sizes(&none.unwrap()), [60, 0, 14]);
    let refused = refusal(folder.open_with(|settings| settings.split.test_fraction = Some(0.1)));
    says(&refused, &["test_fraction", "bring their own splits"]);
}

#[test]
fn validation_is_cut_by_person_where_people_are_known() {
    let mut folder = Folder::new();
    folder.people("train/", 12);
    for name in ["Happy", "Sad"] {
        folder.face(&format!("test/99/{name}.png"));
    }
    let dataset = folder.open().unwrap();
    assert_eq!(sizes(&dataset), [88, 8, 2]);
    assert!(
        sides_of_subjects(&dataset)
            .values()
            .all(|sides| sides.len() == 1)
    );
    says(dataset.split_rule(), &["by subject"]);
}

#[test]
fn a_share_asked_for_makes_the_datas_own_validation_the_test() {
    let mut folder = Folder::new();
    for class in ["happy", "sad"] {
        folder.faces(&format!("train_set/{class}"), 20);
        folder.faces(&format!("val_set/{class}"), 5);
    }
    assert_eq!(sizes(&folder.open().unwrap()), [40, 10, 0]);
    let asked = folder.open_with(|settings| settings.split.validation_fraction = Some(0.2));
    let asked = asked.unwrap();
    assert_eq!(sizes(&asked), [32, 8, 10]);
    says(asked.split_rule(), &["own validation tests"]);
    folder.faces("test_set/happy", 3);
    let refused =
        refusal(folder.open_with(|settings| settings.split.validation_fraction = Some(0.2)));
    says(&refused, &["validation_fraction", "own validation split"]);
}

#[test]
fn a_test_folder_alone_tests_and_nothing_is_taken_from_it() {
    let mut folder = Folder::new();
    folder.faces("test/happy", 5);
    folder.faces("test/sad", 5);
    assert_eq!(sizes(&folder.open().unwrap()), [0, 0, 10]);
}

#[test]
fn data_without_splits_are_divided_by_class_and_small_classes_reach_every_side() {
    let mut folder = Folder::new();
    folder.faces("happy", 50);
    folder.faces("sad", 4);
    let dataset = folder.open().unwrap();
    assert_eq!(sizes(&dataset), [42, 6, 6]);
    assert_eq!(dataset.counts(Split::Validation), [5, 1]);
    assert_eq!(dataset.counts(Split::Test), [5, 1]);
    folder.faces("fear", 2);
    let dataset = folder.open().unwrap();
    assert_eq!(dataset.counts(Split::Train)[0], 2);
    says(
        &notices(&dataset),
        &[
            "validation has no picture of fear, which is not judged there",
            "test has no picture of fear",
        ],
    );
}

#[test]
fn few_people_reach_every_side_and_too_few_are_warned_of() {
    for people in 3..7 {
        let mut folder = Folder::new();
        folder.people("", people);
        let sides = sizes(&folder.open().unwrap());
        assert_eq!(sides, [8 * (people - 2), 8, 8]);
    }
    let mut folder = Folder::new();
    folder.people("", 2);
    let dataset = folder.open().unwrap();
    says(
        &notices(&dataset),
        &["warning: there are too few people", "--validation-fraction"],
    );
    assert_eq!(dataset.len(), 16);
}

#[test]
fn people_of_different_classes_and_sizes_are_balanced() {
    let (mut subjects, mut labels) = (Vec::new(), Vec::new());
    for person in 0..120u32 {
        let rare = person % 10 == 0;
        for picture in 0..(5 + person as usize % 30) {
            subjects.push(Some(person));
            labels.push(if rare {
                3
            } else {
                (picture + person as usize) % 3
            });
        }
    }
    let shares = |seed| GroupedShares {
        seed,
        validation: 0.1,
        test: 0.2,
    };
    let sides = stratified_by_subject(&subjects, &labels, shares(1)).unwrap();
    for class in 0..4 {
        let total = labels.iter().filter(|&&label| label == class).count() as f64;
        let share = |side| {
            let pairs = labels.iter().zip(&sides);
            let count = pairs.filter(|&(&label, &other)| label == class && other == side);
            count.count() as f64 / total
        };
        let slack = if class == 3 { 0.12 } else { 0.02 };
        assert!(
            (share(Split::Validation) - 0.1).abs() < slack,
            "class {class}"
        );
        assert!((share(Split::Test) - 0.2).abs() < slack, "class {class}");
    }
    for index in 1..subjects.len() {
        let same = subjects[index] == subjects[index - 1];
        assert!(!same || sides[index] == sides[index - 1]);
    }
    let again = stratified_by_subject(&subjects, &labels, shares(2)).unwrap();
    assert_ne!(sides, again);
}

#[test]
fn a_class_of_few_people_reaches_the_sides_that_judge() {
    let (mut subjects, mut labels) = (Vec::new(), Vec::new());
    for person in 0..40u32 {
        for _ in 0..20 {
            subjects.push(Some(person));
            labels.push(0);
        }
        if person % 13 == 0 {
            subjects.push(Some(person));
            labels.push(1);
        }
    }
    for seed in 0..20 {
        let shares = GroupedShares {
            seed,
            validation: 0.1,
            test: 0.1,
        };
        let sides = stratified_by_subject(&subjects, &labels, shares).unwrap();
        for side in Split::ALL {
            let mut pairs = labels.iter().zip(&sides);
            assert!(
                pairs.any(|(&label, &other)| label == 1 && other == side),
                "seed {seed}: {side} has none of the rare class"
            );
        }
    }
}

#[test]
fn shares_of_tiny_classes_never_take_more_than_there_is() {
    for count in 0..12 {
        for (validation, test) in [
            (0.1, 0.1),
            (0.9, 0.05),
            (0.45, 0.54),
            (0.0, 0.3),
            (0.5, 0.0),
        ] {
            let sides = stratified(&vec![0; count], 0, validation, test);
            let has = |side| sides.contains(&side);
            assert!(
                count == 0 || has(Split::Train),
                "{count} {validation} {test}"
            );
            if count >= 3 {
                assert_eq!(has(Split::Validation), validation > 0.0);
                assert_eq!(has(Split::Test), test > 0.0);
            }
        }
    }
}

#[test]
fn pictures_of_unknown_people_count_one_by_one() {
    let subjects = vec![None; 40];
    let labels: Vec<usize> = (0..40).map(|index| index % 2).collect();
    let shares = GroupedShares {
        seed: 0,
        validation: 0.1,
        test: 0.1,
    };
    let sides = stratified_by_subject(&subjects, &labels, shares).unwrap();
    let count = |side| sides.iter().filter(|&&other| other == side).count();
    assert_eq!(Split::ALL.map(count), [32, 4, 4]);
}
