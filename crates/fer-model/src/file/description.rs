use std::collections::BTreeMap;

use fer_data::{ClassNames, FerPlusTarget, Resize};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::Views;
use crate::arch::Architecture;
use crate::file::{Abstention, Calibration, SelfTest};

/// What a model file says of its weights. It stands as JSON under the metadata key `fer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Version of this description.
    pub format: u32,
    /// What wrote the file, such as `fer-model 0.1.0`.
    pub library: String,
    /// The network and its settings.
    #[serde(deserialize_with = "architecture")]
    pub architecture: Architecture,
    /// The classes in the order of the outputs.
    pub classes: ClassNames,
    /// How a picture is made ready.
    pub preprocessing: Preprocessing,
    /// What the weights were trained on, and how.
    pub training: TrainingSummary,
    /// What logits are divided by, and where that comes from; absent where they are taken as they
    /// are, as by files that know nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// How sure it must be to be wrong no more often than wanted; absent where that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abstention: Option<Abstention>,
    /// How good the network was found to be when it was saved, if it was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
    /// A picture with the logits that the network gave for it.
    pub self_test: SelfTest,
}

impl Description {
    /// The format that this version writes, and the only one it reads.
    pub const FORMAT: u32 = 1;

    /// As it stands in a file.
    pub(crate) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// What this version of the library writes of itself.
    pub fn library_name() -> String {
        format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
    }
}

/// The network of a file. One that was written before the option was taken out has its `stochastic_depth`,
/// which does nothing to a prediction.
fn architecture<'de, D: Deserializer<'de>>(settings: D) -> Result<Architecture, D::Error> {
    let mut settings: Map<String, Value> = Map::deserialize(settings)?;
    settings.remove("stochastic_depth");
    serde_json::from_value(Value::Object(settings)).map_err(D::Error::custom)
}

/// How good a network was found to be when it was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The split of the pictures that judged.
    pub split: String,
    /// How many they were.
    pub pictures: usize,
    /// The share of them taken for what they are, 0 to 1.
    pub accuracy: f64,
    /// The mean F1 of the classes, 0 to 1.
    pub macro_f1: f64,
    /// Whether anything of the model was chosen by these very pictures, which flatters the figures.
    pub chosen_on_this_split: bool,
}

/// How a picture becomes a network's input. [`resize`](Self::resize) and [`views`](Self::views) leave a
/// choice so far; a file that asks for anything else is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Pixels along each side.
    pub side: usize,
    /// How colours become grey.
    pub grey: String,
    /// How sizes are changed: the way in which the training pictures were made.
    pub resize: Resize,
    /// What a grey value is divided by.
    pub divisor: u32,
    /// Over which views of a picture logits are the mean. Absent where it is the picture alone.
    #[serde(default, alias = "flips", skip_serializing_if = "Views::is_one")]
    pub views: Views,
}

impl Default for Preprocessing {
    fn default() -> Self {
        Preprocessing {
            side: fer_data::SIDE,
            grey: "bt601".into(),
            resize: Resize::default(),
            divisor: 255,
            views: Views::One,
        }
    }
}

/// What the weights were trained on, and how. Holds no path, date or host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingSummary {
    /// What people call the data.
    pub data: String,
    /// SHA-256 of the data, in hexadecimal.
    pub data_hash: String,
    /// How FER+ votes made the targets, if they did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ferplus_target: Option<FerPlusTarget>,
    /// SHA-256, in hexadecimal, of which picture stood in which split.
    pub division_hash: String,
    /// In words, how the data were split.
    pub split_rule: String,
    /// The split's seed.
    pub split_seed: u64,
    /// The validation fraction that was asked for, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_fraction: Option<f64>,
    /// The test fraction that was asked for, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_fraction: Option<f64>,
    /// Whether exact copies of validation and test pictures were taken out of train.
    pub dedup: bool,
    /// Pictures of each class, in class order, by split.
    pub counts: BTreeMap<String, Vec<usize>>,
    /// The training seed.
    pub seed: u64,
    /// Epochs that were trained.
    pub epochs: usize,
    /// The epoch whose weights these are, counted from 1.
    pub epoch: usize,
    /// The split whose figures chose that epoch, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch_chosen_on: Option<String>,
    /// Pictures in a batch.
    pub batch_size: usize,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// The model whose weights it began with; absent where they were drawn, as by files that know
    /// nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<InitialModel>,
    /// The models that taught it; absent where labels alone did, as by files that know nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distillation: Option<Distillation>,
}

/// The models that taught a network beside the labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distillation {
    /// How much of the training targets was theirs, above 0 to 1.
    pub share: f64,
    /// One by one.
    pub teachers: Vec<TeacherModel>,
}

/// A model that taught another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeacherModel {
    /// SHA-256 of its file, in hexadecimal.
    pub sha256: String,
    /// Whether it is the one that comes with the program.
    pub builtin: bool,
    /// What people call the data that it was trained on.
    pub data: String,
    /// SHA-256 of those data, in hexadecimal.
    pub data_hash: String,
}

/// The model whose weights a training began with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InitialModel {
    /// SHA-256 of its file, in hexadecimal.
    pub sha256: String,
    /// Whether it is the one that comes with the program.
    pub builtin: bool,
    /// What people call the data that it was trained on.
    pub data: String,
    /// SHA-256 of those data, in hexadecimal.
    pub data_hash: String,
    /// Whether its last layer was kept, the classes being the same; else a new one was drawn.
    pub head_kept: bool,
    /// The patterns of tensor names that training left as they were, as they were given.
    pub frozen: Vec<String>,
    /// How many of the trainable numbers that were.
    pub frozen_parameters: usize,
}
