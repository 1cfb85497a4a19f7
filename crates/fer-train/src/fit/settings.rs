use std::ops::Deref;

use fer_data::{Augmentation, DataError, Dataset, Sampling, Split};
use fer_model::ops::{AdamSettings, ClassWeights, Loss, LossSettings, SgdSettings};
use serde::{Deserialize, Serialize};

use crate::fit::{
    AveragingSettings, DivergenceSettings, Monitor, OptimiserKind, PlateauSettings, Schedule,
    UpdateRule,
};

/// How a network is trained. The defaults are the source document's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FitSettings {
    /// Passes over the training pictures, at least 1. Default 10.
    pub epochs: usize,
    /// Steps that a run has at least: few pictures are passed over more often than `epochs` until
    /// they are reached. Default absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_steps: Option<u64>,
    /// Pictures in a batch, at least 1; the last batch of an epoch may be smaller. Default 32.
    pub batch_size: usize,
    /// Learning rate, above 0; where the schedule varies it, the highest. Default 0.001.
    pub learning_rate: f64,
    /// Seed of initial weights, dropout, shuffling and augmentation. Default 0.
    pub seed: u64,
    /// What tells the best epoch, whose weights are kept. Default the validation accuracy.
    pub monitor: Monitor,
    /// Epochs without an improvement of the monitored figure after which training stops; never
    /// when absent. Default absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// The least change that counts as an improvement, at least 0. Default 0.
    pub min_delta: f64,
    /// How the learning rate goes over the run. Default constant.
    pub schedule: Schedule,
    /// When a figure on validation that no longer improves lowers the learning rate: the monitored
    /// one, or the loss where nothing is monitored. Default absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plateau: Option<PlateauSettings>,
    /// A moving average of the weights in place of the weights themselves. Default absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub averaging: Option<AveragingSettings>,
    /// What moves the weights: `adam` or `sgd`. Default `adam`.
    pub optimiser: OptimiserKind,
    /// The largest norm of all gradients together, above 0: a larger one is scaled down to it. Never
    /// when absent. Default absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Batches whose gradients make one step together, at least 1: their mean over all pictures; the
    /// last step of an epoch takes those that are left. A run is kept and stopped between steps.
    /// Default 1.
    pub accumulate: usize,
    /// Adam's constants.
    pub adam: AdamSettings,
    /// The constants of stochastic gradient descent.
    pub sgd: SgdSettings,
    /// What training makes small. The training loss of the history is the cross-entropy from the data's own
    /// targets whatever it is. Default the cross-entropy.
    pub loss: LossSettings,
    /// Which pictures an epoch takes. Default each once.
    pub sampling: Sampling,
    /// Changes to training pictures. Default none.
    pub augmentation: Augmentation,
    /// What counts as diverged, and what is done then.
    pub divergence: DivergenceSettings,
}

impl Default for FitSettings {
    fn default() -> Self {
        FitSettings {
            epochs: 10,
            least_steps: None,
            batch_size: 32,
            learning_rate: 1e-3,
            seed: 0,
            monitor: Monitor::ValidationAccuracy,
            patience: None,
            min_delta: 0.0,
            schedule: Schedule::default(),
            plateau: None,
            averaging: None,
            optimiser: OptimiserKind::default(),
            clip_norm: None,
            accumulate: 1,
            adam: AdamSettings::default(),
            sgd: SgdSettings::default(),
            loss: LossSettings::default(),
            sampling: Sampling::default(),
            augmentation: Augmentation::default(),
            divergence: DivergenceSettings::default(),
        }
    }
}

/// More epochs than anyone waits for, of which steps can still be counted.
const MOST_EPOCHS: usize = 1_000_000;

/// Settings that are all in range: the only kind that a [`Trainer`](crate::fit::Trainer) takes.
#[derive(Clone, Debug)]
pub struct CheckedSettings(FitSettings);

impl FitSettings {
    /// The same settings for so many training pictures, with [`least_steps`](Self::least_steps)
    /// turned into epochs.
    #[must_use]
    pub fn for_pictures(mut self, pictures: usize) -> Self {
        let batches = pictures.div_ceil(self.batch_size.max(1)).max(1);
        if let Some(steps) = self.least_steps.take() {
            let epochs = steps.div_ceil(batches.div_ceil(self.accumulate.max(1)) as u64);
            self.epochs = self
                .epochs
                .max(usize::try_from(epochs).unwrap_or(usize::MAX));
        }
        self
    }

    /// Whether what an epoch does depends on how many there will be, so that a run that has begun
    /// cannot be made longer.
    pub fn has_an_end(&self) -> bool {
        self.schedule.has_an_end()
    }

    /// The optimiser that was chosen, with its constants.
    pub fn update_rule(&self) -> UpdateRule {
        match self.optimiser {
            OptimiserKind::Adam => self.adam.into(),
            OptimiserKind::Sgd => self.sgd.into(),
        }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`DataError::Setting`], naming the first setting out of range.
    pub fn check(self) -> Result<CheckedSettings, DataError> {
        let adam = &self.adam;
        let share = |value: f64| (0.0..1.0).contains(&value);
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let ranges = [
            (
                "training.epochs",
                self.epochs as f64,
                (1..=MOST_EPOCHS).contains(&self.epochs),
                "1 to a million",
            ),
            (
                "training.batch_size",
                self.batch_size as f64,
                self.batch_size > 0,
                "at least 1",
            ),
            (
                "training.learning_rate",
                self.learning_rate,
                positive(self.learning_rate),
                "above 0",
            ),
            (
                "training.min_delta",
                self.min_delta,
                self.min_delta >= 0.0,
                "at least 0",
            ),
            (
                "training.clip_norm",
                self.clip_norm.unwrap_or(f64::NAN),
                self.clip_norm.is_none_or(positive),
                "above 0",
            ),
            (
                "training.accumulate",
                self.accumulate as f64,
                self.accumulate > 0,
                "at least 1",
            ),
            (
                "training.adam.beta1",
                adam.beta1,
                share(adam.beta1),
                "at least 0 and below 1",
            ),
            (
                "training.adam.beta2",
                adam.beta2,
                share(adam.beta2),
                "at least 0 and below 1",
            ),
            (
                "training.adam.epsilon",
                adam.epsilon,
                positive(adam.epsilon),
                "above 0",
            ),
            (
                "training.adam.weight_decay",
                adam.weight_decay,
                adam.weight_decay >= 0.0 && adam.weight_decay.is_finite(),
                "at least 0",
            ),
        ];
        for (name, value, allowed, expected) in ranges {
            if !allowed {
                return Err(DataError::Setting {
                    name,
                    value: value.to_string(),
                    expected,
                });
            }
        }
        if self.monitor == Monitor::Nothing && self.patience.is_some() {
            return Err(DataError::Setting {
                name: "training.patience",
                value: "set".into(),
                expected: "absent where training.monitor is nothing",
            });
        }
        let balances = [
            self.loss.class_weights == ClassWeights::Balanced,
            self.loss.logit_adjustment > 0.0,
            self.sampling.balanced > 0.0,
        ];
        if balances.into_iter().filter(|&balances| balances).count() > 1 {
            return Err(DataError::Setting {
                name: "training",
                value: "balanced more than once".into(),
                expected: "one of loss.class_weights, loss.logit_adjustment and sampling.balanced, each \
                           of which makes up for rare classes",
            });
        }
        self.schedule.check()?;
        if let Some(plateau) = &self.plateau {
            plateau.check()?;
        }
        if let Some(averaging) = &self.averaging {
            averaging.check()?;
        }
        self.sgd.check()?;
        self.loss.check()?;
        self.sampling.check()?;
        self.augmentation.check()?;
        self.divergence.check()?;
        Ok(CheckedSettings(self))
    }
}

impl CheckedSettings {
    /// Checks that the data have what the settings need.
    ///
    /// # Errors
    /// [`DataError::Setting`]: a plateau or a patience without a validation picture, balanced class weights for
    /// a class without a training picture.
    pub fn check_for(&self, dataset: &Dataset) -> Result<(), DataError> {
        let refuse = |name, expected| {
            Err(DataError::Setting {
                name,
                value: "set".into(),
                expected,
            })
        };
        if dataset.indices(Split::Validation).is_empty() {
            let expected =
                "absent where no picture validates; ask for some with --validation-fraction";
            if self.plateau.is_some() {
                return refuse("training.plateau", expected);
            }
            if self.patience.is_some() {
                return refuse("training.patience", expected);
            }
        }
        Loss::new(&self.loss, &dataset.counts(Split::Train)).map(|_| ())
    }
}

impl Deref for CheckedSettings {
    type Target = FitSettings;

    fn deref(&self) -> &FitSettings {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_pictures_are_passed_over_until_the_least_steps_are_made() {
        let settings = FitSettings {
            least_steps: Some(100),
            ..FitSettings::default()
        };
        let epochs = |pictures| settings.clone().for_pictures(pictures).epochs;
        assert_eq!([64, 65, 3200].map(epochs), [50, 34, 10]);
        assert_eq!(settings.clone().for_pictures(1).least_steps, None);
        let none = FitSettings::default().for_pictures(1);
        assert_eq!(none, FitSettings::default());
    }

    #[test]
    fn each_setting_out_of_range_is_refused_by_its_own_name() {
        type Change = fn(&mut FitSettings);
        let changes: [(&str, Change); 14] = [
            ("epochs", |settings| settings.epochs = 0),
            ("epochs", |settings| settings.epochs = usize::MAX),
            ("batch_size", |settings| settings.batch_size = 0),
            ("learning_rate", |settings| {
                settings.learning_rate = f64::NAN
            }),
            ("min_delta", |settings| settings.min_delta = -1.0),
            ("beta1", |settings| settings.adam.beta1 = 1.0),
            ("epsilon", |settings| settings.adam.epsilon = 0.0),
            ("weight_decay", |settings| settings.adam.weight_decay = -0.1),
            ("patience", |settings| {
                settings.monitor = Monitor::Nothing;
                settings.patience = Some(3);
            }),
            ("training.clip_norm = 0", |settings| {
                settings.clip_norm = Some(0.0)
            }),
            ("training.accumulate", |settings| settings.accumulate = 0),
            ("training.sgd.momentum", |settings| {
                settings.sgd.momentum = 1.0
            }),
            ("one of loss.class_weights", |settings| {
                settings.loss.logit_adjustment = 0.5;
                settings.sampling.balanced = 0.5;
            }),
            ("augmentation.shift", |settings| {
                settings.augmentation.shift = 2.0
            }),
        ];
        assert!(FitSettings::default().check().is_ok());
        for (name, change) in changes {
            let mut settings = FitSettings::default();
            change(&mut settings);
            let refusal = settings
                .check()
                .map(|_| ())
                .map_err(|error| error.to_string());
            assert!(refusal.is_err_and(|text| text.contains(name)), "{name}");
        }
    }

    #[test]
    fn the_words_of_a_recipe_are_understood_and_written_back() -> Result<(), toml::de::Error> {
        let settings: FitSettings = toml::from_str(
            "optimiser = \"sgd\"\nclip_norm = 1.0\naccumulate = 4\n[sgd]\nmomentum = 0.8\n\
             [loss]\nclass_weights = \"balanced\"\nlabel_smoothing = 0.1\n",
        )?;
        let sgd = SgdSettings {
            momentum: 0.8,
            ..SgdSettings::default()
        };
        assert_eq!(settings.update_rule(), UpdateRule::Sgd(sgd));
        assert_eq!((settings.clip_norm, settings.accumulate), (Some(1.0), 4));
        assert_eq!(settings.loss.label_smoothing, 0.1);
        assert_eq!(settings.loss.class_weights, ClassWeights::Balanced);
        let text = toml::to_string(&settings).unwrap_or_default();
        assert_eq!(toml::from_str::<FitSettings>(&text)?, settings);
        let plain = FitSettings::default();
        assert_eq!(plain.update_rule(), UpdateRule::Adam(plain.adam));
        for unknown in [
            "optimiser = \"rmsprop\"",
            "[loss]\nsmoothing = 0.1",
            "[sgd]\ndampening = 0.1",
        ] {
            assert!(toml::from_str::<FitSettings>(unknown).is_err(), "{unknown}");
        }
        Ok(())
    }
}
