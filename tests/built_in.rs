use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use fer_data::drawn::DrawnFaces;
use fer_data::{Expression, FerPlusTarget, OpenSettings, Picture, Split, SplitSettings, open};
use fer_model::file::{self, Description, TemperatureOrigin};
use fer_model::ops::Engine;
use fer_model::{Classifier, Device};
use fer_train::evaluation::evaluate;
use fer_train::recipe::Recipe;

fn description() -> Description {
    let classifier = Classifier::builtin().unwrap();
    classifier.description().clone()
}

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets")
}

#[test]
fn it_answers_with_the_eight_expressions() {
    let classifier = Classifier::builtin().unwrap();
    assert_eq!(*classifier.class_names(), Expression::class_names());
    let face = Picture::from_pixels(&DrawnFaces::new(3).draw(0).pixels, "face").unwrap();
    let prediction = classifier.predict(&face).unwrap();
    let sum: f32 = prediction.iter().map(|(_, probability)| probability).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
}

#[test]
fn it_is_the_recipes_network_trained_on_all_of_training_with_a_temperature_found_elsewhere() {
    let found = description();
    let recipe = Recipe::FerPlus.config().unwrap();
    assert_eq!(found.architecture, recipe.model);
    let training = &found.training;
    assert_eq!(training.data, "FER2013 with FER+ votes");
    assert_eq!(training.ferplus_target, Some(FerPlusTarget::Probabilities));
    assert_eq!(training.epochs, recipe.training.epochs);
    assert_eq!(training.learning_rate, recipe.training.learning_rate);
    assert_eq!(training.epoch, training.epochs, "the last average");
    assert!(training.dedup && training.epoch_chosen_on.is_none());
    assert!(
        training.counts["validation"]
            .iter()
            .all(|&count| count == 0)
    );
    let calibration = found.calibration.unwrap();
    assert!(matches!(
        calibration.origin,
        TemperatureOrigin::CarriedOver { .. }
    ));
}

#[test]
fn its_card_and_its_history_stand_beside_it_and_tell_the_same() {
    let found = description();
    let judged = found.judged.unwrap();
    let card = fs::read_to_string(assets().join("MODEL_CARD.md")).unwrap();
    let accuracy = format!("| test | 3,199 | {:.1} % (", 100.0 * judged.accuracy);
    for part in [
        accuracy.as_str(),
        found.training.data_hash.as_str(),
        "Licence of the pictures: unclear",
        "weights in 16 bits",
        "from seed 0",
    ] {
        assert!(card.contains(part), "{part}");
    }
    let history = fs::read_to_string(assets().join("history.csv")).unwrap();
    assert_eq!(history.lines().count(), 1 + found.training.epochs);
}

/// On the real pictures, where the folder named by `FER2013_DIR` holds them.
#[test]
fn its_figures_come_out_again_on_public_test() {
    let Some(folder) = env::var_os("FER2013_DIR").map(PathBuf::from) else {
        return;
    };
    let names = ["fer2013.csv", "fer2013.csv.zst", "fer2013.csv.gz"];
    let mut paths = names.iter().map(|name| folder.join(name));
    let path = paths.find(|path| path.is_file()).expect("a fer2013.csv");
    let model = file::builtin(&Device::Cpu, Engine::detect()).unwrap();
    let settings = OpenSettings {
        ferplus: Some(folder.join("fer2013new.csv")),
        ferplus_target: FerPlusTarget::Probabilities,
        split: SplitSettings {
            validation_fraction: Some(0.0),
            ..SplitSettings::default()
        },
        ..OpenSettings::default()
    };
    let dataset = open(&path, &settings).unwrap();
    assert_eq!(dataset.hash(), model.description.training.data_hash);
    let test = dataset.indices(Split::Test);
    let evaluation = evaluate(&*model.answering().unwrap(), &dataset, test, &Device::Cpu).unwrap();
    let temperature = model.description.calibration.map(|found| found.temperature);
    let report = evaluation
        .report(&dataset, Some(Split::Test), temperature, false)
        .unwrap();
    let judged = model.description.judged.unwrap();
    // Other kernels add in another order: a picture on the border may fall to the other side.
    assert!((report.accuracy - judged.accuracy).abs() < 2.5 / 3199.0);
    assert!(report.ece < 0.02, "{}", report.ece);
}
