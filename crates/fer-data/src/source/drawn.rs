use crate::dataset::{Dataset, DatasetParts, PictureStore};
use crate::description::Description;
use crate::drawn::DrawnFaces;
use crate::entries::Entry;
use crate::error::DataError;
use crate::expression::Expression;
use crate::picture::Picture;
use crate::source::OpenSettings;
use crate::split::by_subject;

/// The drawn faces are the same in every run: only their division follows the run's seed.
const SEED: u64 = 1;

impl PictureStore for DrawnFaces {
    fn picture(&self, position: usize) -> Result<Picture, DataError> {
        Picture::from_pixels(&self.draw(position).pixels, &self.origin(position))
    }

    fn origin(&self, position: usize) -> String {
        format!("drawn face {position} (subject {})", self.subject(position))
    }
}

/// The built-in drawn faces, divided by subject.
pub(crate) fn open(settings: &OpenSettings) -> Result<Dataset, DataError> {
    let (memory, settings) = (settings.memory.clone(), &settings.split);
    let faces = DrawnFaces::new(SEED);
    let subjects: Vec<u32> = (0..faces.len()).map(|index| faces.subject(index)).collect();
    let (validation, test) = settings.shares()?;
    let sides = by_subject(&subjects, settings.seed, validation, test);
    let entries = sides
        .into_iter()
        .enumerate()
        .map(|(position, split)| Entry {
            position,
            label: faces.expression(position).index(),
            distribution: None,
            subject: Some(subjects[position]),
            split,
        });
    let dataset = Dataset::new(DatasetParts {
        name: "drawn faces".into(),
        class_names: Expression::class_names(),
        entries: entries.collect(),
        split_rule: format!("by subject: {validation} of the people validate, {test} test"),
        split_settings: settings.clone(),
        store: Box::new(faces),
        skipped: Vec::new(),
        memory,
    })?;
    Ok(dataset.with_description(Description {
        labels: "what was drawn".into(),
        ..Description::default()
    }))
}
