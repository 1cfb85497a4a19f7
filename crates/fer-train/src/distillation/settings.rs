use std::path::PathBuf;

use fer_data::DataError;
use serde::{Deserialize, Serialize};

/// What a run learns from networks that were trained before, beside the labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DistillationSettings {
    /// The model files of the teachers, of which the word `builtin` is the model that comes along; their
    /// probabilities are averaged. They know the classes of the data in the same order.
    pub teachers: Vec<PathBuf>,
    /// How much of a training target is theirs, above 0 to 1; the rest is what the data say. Default 0.5.
    pub share: f64,
    /// SHA-256 of those files, in hexadecimal: others are refused. A run writes down those that it found.
    /// Default empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sha256: Vec<String>,
}

impl Default for DistillationSettings {
    fn default() -> Self {
        DistillationSettings {
            teachers: Vec::new(),
            share: 0.5,
            sha256: Vec::new(),
        }
    }
}

impl DistillationSettings {
    /// Checks the share, and that there are teachers, with as many digests or none.
    ///
    /// # Errors
    /// [`DataError::Setting`], naming the setting.
    pub fn check(&self) -> Result<(), DataError> {
        let (teachers, digests) = (self.teachers.len(), self.sha256.len());
        let ranges = [
            (
                "distillation.share",
                self.share.to_string(),
                self.share > 0.0 && self.share <= 1.0,
                "above 0 and to 1",
            ),
            (
                "distillation.teachers",
                "empty".into(),
                teachers > 0,
                "one model file at least, or the word builtin",
            ),
            (
                "distillation.sha256",
                format!("{digests} digests"),
                digests == 0 || digests == teachers,
                "one digest a teacher, or none",
            ),
        ];
        let wrong = ranges.into_iter().find(|(_, _, allowed, _)| !allowed);
        match wrong {
            Some((name, value, _, expected)) => Err(DataError::Setting {
                name,
                value,
                expected,
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn each_setting_out_of_range_is_refused_by_its_own_name() {
        let settings: DistillationSettings = toml::from_str("teachers = [\"builtin\"]").unwrap();
        assert_eq!(settings.share, 0.5);
        assert!(settings.check().is_ok());
        for (text, name) in [
            ("teachers = []", "distillation.teachers"),
            ("teachers = [\"a\"]\nshare = 0", "distillation.share"),
            ("teachers = [\"a\"]\nshare = nan", "distillation.share"),
            (
                "teachers = [\"a\"]\nsha256 = [\"0\", \"1\"]",
                "distillation.sha256",
            ),
        ] {
            let settings: DistillationSettings = toml::from_str(text).unwrap();
            let refused = settings.check().unwrap_err().to_string();
            assert!(refused.contains(name), "{text}: {refused}");
        }
    }
}
