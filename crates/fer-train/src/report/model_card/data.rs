use fer_data::Split;
use fer_model::thousands;
use serde_json::json;

use super::ModelCard;
use crate::report::markdown::escaped;

impl ModelCard<'_> {
    /// What it was trained on.
    pub(super) fn data(&self) -> String {
        let training = &self.description.training;
        let mut text = format!(
            "## Data\n\n\
             {}, SHA-256 `{}`. Split: {} (seed {}).{}{}\n\n\
             | pictures | {} | {} | {} |\n|---|--:|--:|--:|\n",
            escaped(&training.data),
            escaped(&training.data_hash),
            escaped(&training.split_rule),
            training.split_seed,
            if training.dedup {
                " Exact copies of validation and test pictures were taken out of train."
            } else {
                ""
            },
            training.ferplus_target.map_or(String::new(), |target| {
                format!(" FER+ votes as targets: {}.", word(&json!(target)))
            }),
            Split::Train,
            Split::Validation,
            Split::Test,
        );
        let count = |split: Split, class: usize| {
            let counts = training.counts.get(split.name());
            counts
                .and_then(|counts| counts.get(class))
                .copied()
                .unwrap_or(0)
        };
        for (class, name) in self.description.classes.iter().enumerate() {
            let counts = Split::ALL.map(|split| thousands(count(split, class)));
            text += &format!("| {} | {} |\n", escaped(name), counts.join(" | "));
        }
        let sums = Split::ALL.map(|split| {
            let classes = 0..self.description.classes.len();
            thousands(classes.map(|class| count(split, class)).sum())
        });
        text += &format!("| all | {} |\n", sums.join(" | "));
        let data = training.data.as_str();
        text += &format!("\nLicence of the pictures: {}\n", licence(data));
        for (who, data, hash) in self.earlier_data() {
            if hash != training.data_hash {
                text += &format!(
                    "\nThe model that {who} learned from {}. Licence of those pictures: {}\n",
                    escaped(data),
                    licence(data)
                );
            }
        }
        text
    }

    /// Whether it learned from FER2013, or a model did that it began with or that taught it.
    pub(super) fn is_fer2013(&self) -> bool {
        let earlier = self.earlier_data().map(|(_, data, _)| data);
        let mut data = earlier.chain([self.description.training.data.as_str()]);
        data.any(|data| data.contains("FER2013"))
    }

    /// What the models did that had to do with it, the data that they learned from, and the data's digest.
    fn earlier_data(&self) -> impl Iterator<Item = (&'static str, &str, &str)> {
        let training = &self.description.training;
        let initial = training.initial.iter();
        let initial = initial.map(|model| ("it began with", &model.data, &model.data_hash));
        let distillation = training.distillation.iter();
        let teachers = distillation.flat_map(|distillation| &distillation.teachers);
        let teachers = teachers.map(|model| ("taught it", &model.data, &model.data_hash));
        let all = initial.chain(teachers);
        all.map(|(who, data, hash)| (who, data.as_str(), hash.as_str()))
    }
}

/// What is known of the rights in the pictures.
fn licence(data: &str) -> &'static str {
    match data {
        "drawn faces" => "MIT; they were drawn by the program that trained the model.",
        "FER2013 with FER+ votes" => {
            "unclear. FER2013 was collected by a web search, and the rights in its pictures are \
             those of their makers and of the people in them. The FER+ votes are Microsoft's, MIT."
        }
        data if data.contains("FER2013") => {
            "unclear. FER2013 was collected by a web search, and the rights in its pictures are \
             those of their makers and of the people in them."
        }
        _ => "not known to the program that trained the model; ask whoever gave the pictures.",
    }
}

/// A setting's name as files have it, without quotes.
fn word(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}
