use std::fs;
use std::path::Path;

use fer_data::drawn::DrawnFaces;
use fer_train::config::Config;
use fer_train::fit::Schedule;
use fer_train::recipe::Recipe;

use crate::{fer, small_table, stderr, stdout};

fn trained(at: &Path, out: &str, arguments: &[&str]) -> (Config, String) {
    let output = fer(at, &[arguments, &["--out", out]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let config = Config::read(&at.join(out).join("config.toml")).unwrap();
    (config, stdout(&output))
}

#[test]
fn data_of_ones_own_train_by_the_quick_recipe_and_flags_go_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let data = ["--data", "fer2013.csv", "--epochs", "1"];
    let (config, said) = trained(at, "quick", &data);
    let quick = Recipe::Quick.config().unwrap();
    assert!(said.contains("recipe      quick"), "{said}");
    assert_eq!(config.model, quick.model);
    assert_eq!(config.training.schedule, quick.training.schedule);
    assert_eq!(config.training.epochs, 1);

    let flags = ["--recipe", "fer2013", "--arch", "cnn", "--lr", "0.01"];
    let (config, said) = trained(at, "flags", &[&data[..], &flags].concat());
    assert!(said.contains("recipe      fer2013"), "{said}");
    assert_eq!(config.model.name(), "cnn");
    assert_eq!(config.training.learning_rate, 0.01);
    let fer2013 = Recipe::Fer2013.config().unwrap();
    assert_eq!(config.training.augmentation, fer2013.training.augmentation);
}

#[test]
fn data_with_a_validation_split_of_their_own_keep_it_and_are_judged_again_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let faces = DrawnFaces::new(3).subjects(9).takes(1);
    for index in 0..faces.len() {
        let face = faces.draw(index);
        let split = ["train", "validation", "test"][face.subject as usize % 3];
        let class = ["happy", "sad"][index % 2];
        let place = at.join("faces").join(split).join(class);
        fs::create_dir_all(&place).unwrap();
        let image = image::GrayImage::from_raw(48, 48, face.pixels).unwrap();
        image.save(place.join(format!("{index}.png"))).unwrap();
    }
    let narrow = ["--data", "faces", "--epochs", "1", "--set", "model.width=8"];
    let (config, said) = trained(at, "run", &narrow);
    assert!(said.contains("recipe      quick"), "{said}");
    assert!(
        said.contains("split       the data's own train, validation and test"),
        "{said}"
    );
    assert_eq!(config.data.split.validation_fraction, None);
    let judged = fer(
        at,
        &[
            "evaluate",
            "run/model.safetensors",
            "--data",
            "faces",
            "--json",
        ],
    );
    let figures = fs::read_to_string(at.join("run/metrics.json")).unwrap();
    assert_eq!(stdout(&judged), figures);

    for asked in [
        ["--validation-fraction", "0.1"],
        ["--set", "data.split.validation_fraction=0.1"],
    ] {
        let asked = fer(at, &[&narrow[..], &asked].concat());
        assert_eq!(asked.status.code(), Some(2), "{}", stderr(&asked));
        assert!(stderr(&asked).contains("bring their own validation split"));
    }
}

#[test]
fn what_the_data_have_no_use_for_is_refused_before_a_run_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    for (setting, named) in [
        ("training.patience=2", "training.patience"),
        ("calibration.from=elsewhere", "calibration.from"),
    ] {
        let flags = ["--data", "fer2013.csv", "--arch", "cnn", "--out", "run"];
        let without = ["--validation-fraction", "0", "--set", setting];
        let output = fer(at, &[&flags[..], &without].concat());
        assert!(!output.status.success(), "{setting}");
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
        assert!(!at.join("run").exists(), "{setting}");
    }
}

#[test]
fn a_named_network_and_drawn_faces_keep_the_defaults_of_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let (config, said) = trained(
        at,
        "cnn",
        &["--data", "fer2013.csv", "--arch", "cnn", "--epochs", "1"],
    );
    assert!(!said.contains("recipe"), "{said}");
    assert_eq!(config.training.schedule, Schedule::default());
    assert_eq!(config.training.batch_size, 32);
}

#[test]
fn few_pictures_get_their_least_steps_and_the_run_says_how_many_epochs_that_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    fs::write(
        at.join("steps.toml"),
        "[data]\npath = \"fer2013.csv\"\n[training]\nleast_steps = 30\n",
    )
    .unwrap();
    let (config, said) = trained(at, "run", &["--config", "steps.toml", "--epochs", "2"]);
    assert_eq!(config.training.epochs, 2, "{said}");
    let (config, said) = trained(at, "steps", &["--config", "steps.toml"]);
    assert_eq!(
        config.training.epochs, 10,
        "72 pictures are 3 batches of 32: {said}"
    );
    assert_eq!(config.training.least_steps, None);
}

#[test]
fn an_unknown_recipe_is_wrong_usage_and_the_answer_names_those_there_are() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["--recipe", "quik"][..],
        &["--recipe", "quick", "--config", "a.toml"],
    ] {
        let output = fer(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    }
    let said = stderr(&fer(folder.path(), &["--recipe", "quik"]));
    assert!(said.contains("quick, ferplus, fer2013"), "{said}");
}
