use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use fer_data::audit::Audit;
use fer_data::{
    Dataset, FerPlusTarget, Layout, Level, Notice, Resize, Split, Vocabulary, count_by_reason, open,
};
use fer_model::ops::{Engine, EngineChoice};
use fer_model::{DeviceChoice, SelectedDevice, thousands};

use crate::command::output::People;
use crate::config::{DataConfig, MemorySize};

/// Which pictures, for every command that reads data.
#[derive(Args, Clone)]
pub(crate) struct DataArguments {
    /// The pictures: a folder of faces, a manifest csv, a fer2013.csv (plain, .gz or .zst), Parquet
    /// files, `hf://owner/name` on the Hugging Face hub, or the word `drawn`
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArguments,
}

/// How the pictures are read and divided.
#[derive(Args, Clone)]
pub(crate) struct ReadingArguments {
    /// How pictures and labels lie there, where it does not show: classes (a folder a class), people
    /// (a folder a person, expressions as file names), csv (fer2013.csv), manifest or parquet
    #[arg(long, value_name = "LAYOUT")]
    pub layout: Option<Layout>,
    /// What the labels mean: a TOML file, one `"0" = "happy"` a line
    #[arg(long, value_name = "FILE", conflicts_with = "vocabulary")]
    pub label_map: Option<PathBuf>,
    /// The data set whose numbers the labels are: fer2013, ferplus, affectnet, rafdb or ckplus
    #[arg(long, value_name = "NAME")]
    pub vocabulary: Option<Vocabulary>,
    /// How picture files become 48×48: antialiased, or opencv-linear as cv2.resize does it
    #[arg(long, value_name = "HOW")]
    pub resize: Option<Resize>,
    /// FER+ votes (fer2013new.csv) for the rows of fer2013.csv: eight classes
    #[arg(long, value_name = "CSV")]
    pub ferplus: Option<PathBuf>,
    /// How FER+ votes become training targets
    #[arg(long, value_name = "HOW", value_parser = parse_target)]
    pub ferplus_target: Option<FerPlusTarget>,
    /// Seed of everything random
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Share of the pictures that validates, on which choices are made; 0 for none
    #[arg(long, value_name = "SHARE")]
    pub validation_fraction: Option<f64>,
    /// Share of the pictures that judges at the end, for data without a split of their own
    #[arg(long, value_name = "SHARE")]
    pub test_fraction: Option<f64>,
    /// Take exact copies of validation and test pictures out of train
    #[arg(long)]
    pub dedup: bool,
    /// Stop with an error if any entry cannot be read
    #[arg(long)]
    pub strict: bool,
    /// How much memory decoded pictures may take, such as 512MB or 2GiB; more lie in a temporary file
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<MemorySize>,
}

impl DataArguments {
    /// Puts what was typed over `config`.
    pub(crate) fn apply(&self, config: &mut DataConfig) {
        if let Some(path) = &self.data {
            config.path.clone_from(path);
        }
        self.reading.apply(config);
    }
}

impl ReadingArguments {
    /// Puts what was typed over `config`.
    pub(crate) fn apply(&self, config: &mut DataConfig) {
        config.layout = self.layout.or(config.layout);
        if self.label_map.is_some() {
            config.label_map.clone_from(&self.label_map);
        }
        config.vocabulary = self.vocabulary.or(config.vocabulary);
        config.resize = self.resize.unwrap_or(config.resize);
        if self.ferplus.is_some() {
            config.ferplus.clone_from(&self.ferplus);
        }
        config.ferplus_target = self.ferplus_target.unwrap_or(config.ferplus_target);
        config.split.seed = self.seed.unwrap_or(config.split.seed);
        config.split.validation_fraction = self
            .validation_fraction
            .or(config.split.validation_fraction);
        config.split.test_fraction = self.test_fraction.or(config.split.test_fraction);
        config.dedup |= self.dedup;
        config.strict |= self.strict;
        if let Some(memory) = &self.memory {
            config.memory = memory.clone();
        }
    }
}

fn parse_target(word: &str) -> Result<FerPlusTarget, String> {
    match word {
        "majority" => Ok(FerPlusTarget::Majority),
        "probabilities" => Ok(FerPlusTarget::Probabilities),
        "votes" => Ok(FerPlusTarget::Votes),
        _ => Err("expected majority, probabilities or votes".into()),
    }
}

/// Opens the data. A validation `share` that a recipe alone asks for is for FER2013, whose PublicTest would
/// choose without it: data that bring a validation split keep theirs.
pub(crate) fn open_by_recipe(data: &mut DataConfig, share: Option<f64>) -> Result<Dataset> {
    let asked = data.split.validation_fraction;
    if asked.is_some() && asked == share {
        data.split.validation_fraction = None;
        let dataset = open(&data.path, &data.open_settings())?;
        if !dataset.name().starts_with("FER2013") {
            return Ok(dataset);
        }
        data.split.validation_fraction = asked;
    }
    Ok(open(&data.path, &data.open_settings())?)
}

/// Where to compute, for every command that computes.
#[derive(Args, Clone, Copy)]
pub(crate) struct DeviceArguments {
    /// Where to compute: auto, cpu, cuda, cuda:N, metal or metal:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// What computes on the CPU: auto, avx512, avx2, plain, or portable, which is what a GPU executes;
    /// anywhere: bf16, which trains with convolutions of 16 bits
    #[arg(long, value_name = "ENGINE", default_value = "auto")]
    pub engine: EngineChoice,
}

impl DeviceArguments {
    /// Opens the device and says which it is, and on the CPU which engine computes.
    pub(crate) fn select(self, people: People) -> Result<(SelectedDevice, Engine)> {
        let engine = self.engine.select()?;
        let selected = self.device.select()?;
        if selected.device.is_cpu() {
            people.say(&format!("device      {selected}, engine {engine}"))?;
        } else {
            let rounded = match engine {
                Engine::Bf16 => ", convolutions of training steps in bf16",
                _ => "",
            };
            people.say(&format!("device      {selected}{rounded}"))?;
        }
        Ok((selected, engine))
    }
}

/// Says what spoils training on these data and what mends it, save what was said already.
pub(crate) fn say_warnings(audit: &Audit, dataset: &Dataset, people: People) -> Result<()> {
    for warning in &audit.warnings {
        if !dataset.notices().contains(warning) {
            say_notice(warning, people)?;
        }
    }
    Ok(())
}

/// Says what data these are: how they were understood, counts by class and split, what was left
/// out.
pub(crate) fn describe_data(dataset: &Dataset, people: People) -> Result<()> {
    people.say(&format!("data        {}", dataset.name()))?;
    for notice in dataset.notices() {
        say_notice(notice, people)?;
    }
    for split in Split::ALL {
        let counts = dataset.counts(split);
        let total: usize = counts.iter().sum();
        if total == 0 {
            continue;
        }
        let classes: Vec<String> = dataset
            .class_names()
            .iter()
            .zip(&counts)
            .map(|(name, &count)| format!("{name} {}", thousands(count)))
            .collect();
        people.say(&format!(
            "{:<11} {:>6}: {}",
            split.name(),
            thousands(total),
            classes.join(", ")
        ))?;
    }
    people.say(&format!("split       {}", dataset.split_rule()))?;
    if let Some(folder) = dataset.spill_folder() {
        let folder = folder.display();
        people.say(&format!(
            "memory      the decoded pictures take more than --memory, so they lie in a temporary file in {folder}"
        ))?;
    }
    let reasons = count_by_reason(dataset.skipped());
    if !reasons.is_empty() {
        let total = thousands(dataset.skipped().len());
        let reasons: Vec<String> = reasons
            .iter()
            .map(|(reason, &count)| format!("{} {reason}", thousands(count)))
            .collect();
        people.say(&format!("left out    {total}: {}", reasons.join("; ")))?;
    }
    Ok(())
}

/// Says how the data were understood, or what is wrong with them and what mends it.
pub(crate) fn say_notice(notice: &Notice, people: People) -> Result<()> {
    let word = match notice.level {
        Level::Note => "note",
        Level::Warning => "warning",
    };
    people.say(&format!("{word:<11} {}", notice.message))?;
    if !notice.remedy.is_empty() {
        people.say(&format!("            → {}", notice.remedy))?;
    }
    Ok(())
}
