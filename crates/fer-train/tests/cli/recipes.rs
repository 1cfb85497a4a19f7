use std::fs;
use std::path::Path;

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
    assert_eq!(config.training.schedule, Schedule::Constant);
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
