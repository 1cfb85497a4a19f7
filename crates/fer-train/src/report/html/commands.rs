//! The commands that compute what is not there yet.

use std::path::Path;

use serde::Serialize;

use crate::config::{Config, DataConfig};

/// A command for each part of a report. `DATA` stands for the path of the data and `RUN` for the
/// directory of the report, because paths are a matter of the machine.
#[derive(Serialize)]
pub(super) struct Commands {
    evaluate: String,
    situations: String,
    regions: String,
    baselines: String,
    audit: String,
    train: String,
}

impl Commands {
    /// With the flags that the data took for the run.
    pub(super) fn new(config: Option<&Config>) -> Self {
        let data = config.map_or_else(|| "--data DATA".into(), |config| flags(&config.data));
        let evaluate = format!("fer-train evaluate RUN/model.safetensors {data}");
        Commands {
            situations: format!("{evaluate} --robustness --out RUN"),
            evaluate: format!("{evaluate} --out RUN"),
            regions: format!("fer-train explain --model RUN/model.safetensors {data} --out RUN"),
            baselines: format!("fer-train baseline {data} --out RUN"),
            audit: "fer-train inspect DATA --out INSPECTION".into(),
            train: "fer-train --data DATA".into(),
        }
    }
}

/// How the data are read; how they are divided stands in the model file.
fn flags(data: &DataConfig) -> String {
    let path = match data.path == Path::new("drawn") {
        true => "drawn",
        false => "DATA",
    };
    let mut flags = format!("--data {path}");
    if data.ferplus.is_some() {
        flags += " --ferplus fer2013new.csv";
    }
    if let Some(layout) = data.layout {
        flags += &format!(" --layout {layout}");
    }
    if data.label_map.is_some() {
        flags += " --label-map MAP";
    }
    if let Some(vocabulary) = data.vocabulary {
        flags += &format!(" --vocabulary {}", vocabulary.name());
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_the_flags_that_the_data_took_and_no_path() {
        let mut config = Config::default();
        let commands = Commands::new(Some(&config));
        assert_eq!(
            commands.situations,
            "fer-train evaluate RUN/model.safetensors --data drawn --robustness --out RUN"
        );
        config.data.path = "/home/ada/fer2013.csv".into();
        config.data.ferplus = Some("/home/ada/votes.csv".into());
        let commands = Commands::new(Some(&config));
        assert_eq!(
            commands.baselines,
            "fer-train baseline --data DATA --ferplus fer2013new.csv --out RUN"
        );
        assert!(
            Commands::new(None)
                .regions
                .contains("--data DATA --out RUN")
        );
    }
}
