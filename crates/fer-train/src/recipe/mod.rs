//! Recipes: configurations that come with the program, by name.
//!
//! `benches/accuracy/README.md` says what each reaches and what every part of it is worth.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result};

use crate::config::Config;

/// A configuration that comes with the program. Data, seed and place are left to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// At most ten minutes on FER+ with two quick CPU cores; what `--data` trains by where nothing else
    /// is said.
    Quick,
    /// The most accurate network on FER+; what made, with teachers, the weights that come with fer-model.
    FerPlus,
    /// The most accurate network on FER2013's own seven classes.
    Fer2013,
    /// From the weights of a trained model to classes of one's own; what `--init` trains by where nothing
    /// else is said. It names no network: that is the model's.
    FineTune,
}

impl Recipe {
    /// All of them.
    pub const ALL: [Recipe; 4] = [
        Recipe::Quick,
        Recipe::FerPlus,
        Recipe::Fer2013,
        Recipe::FineTune,
    ];

    /// What `--recipe` takes.
    pub fn name(self) -> &'static str {
        match self {
            Recipe::Quick => "quick",
            Recipe::FerPlus => "ferplus",
            Recipe::Fer2013 => "fer2013",
            Recipe::FineTune => "fine-tune",
        }
    }

    /// The recipe as TOML.
    pub fn text(self) -> &'static str {
        match self {
            Recipe::Quick => include_str!("quick.toml"),
            Recipe::FerPlus => include_str!("ferplus.toml"),
            Recipe::Fer2013 => include_str!("fer2013.toml"),
            Recipe::FineTune => include_str!("fine-tune.toml"),
        }
    }

    /// The recipe as a configuration for drawn faces; the data are to be set.
    ///
    /// # Errors
    /// None for the recipes that there are: a test reads each.
    pub fn config(self) -> Result<Config> {
        toml::from_str(self.text()).with_context(|| format!("recipe {self}"))
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Recipe {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let mut recipes = Recipe::ALL.into_iter();
        recipes
            .find(|recipe| recipe.name() == name)
            .ok_or_else(|| format!("there is {}", Recipe::ALL.map(Recipe::name).join(", ")))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_is_a_configuration_in_range_that_names_no_data() {
        for recipe in Recipe::ALL {
            let config = recipe.config().unwrap();
            config.training.clone().check().unwrap();
            config.model.check().unwrap();
            assert_eq!(config.data.path, Config::default().data.path, "{recipe}");
            assert_eq!(recipe.name().parse(), Ok(recipe));
            assert_ne!(config, Config::default(), "{recipe}");
        }
        assert!("quik".parse::<Recipe>().is_err());
    }
}
