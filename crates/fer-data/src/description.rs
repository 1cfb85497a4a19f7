use std::collections::HashMap;

use crate::dataset::Dataset;
use crate::notice::Notice;
use crate::picture::PictureFacts;
use crate::source::Layout;

/// What is known of a data set beyond its pictures and labels.
#[derive(Clone, Debug, Default)]
pub struct Description {
    /// How it lay; `None` for data that come from no path.
    pub layout: Option<Layout>,
    /// Where the meaning of the labels comes from, in words.
    pub labels: String,
    /// What a person should be told about how it was read.
    pub notices: Vec<Notice>,
    /// The name of each subject, by its number.
    pub subject_names: Vec<String>,
    /// What else is known of each picture: age, country, camera.
    pub groups: Vec<GroupColumn>,
    /// What the file of each picture was, by its position in the store; empty for data that are no
    /// picture files.
    pub facts: Vec<PictureFacts>,
}

/// One property that divides the pictures into groups. Each value is kept once, and four bytes a picture
/// say which it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupColumn {
    /// Its name, as the table of the data spells it.
    pub name: String,
    values: Vec<String>,
    /// By the position in the store: 0 where none is known, else one more than the place in `values`.
    numbers: Vec<u32>,
    known: HashMap<String, u32>,
}

impl GroupColumn {
    /// A property of which no value is known yet.
    pub fn new(name: impl Into<String>) -> Self {
        GroupColumn {
            name: name.into(),
            ..GroupColumn::default()
        }
    }

    /// Adds the value of the picture at the next position; `None` where none is known.
    pub fn push(&mut self, value: Option<&str>) {
        let number = value.map_or(0, |value| self.number(value));
        self.numbers.push(number);
    }

    /// The value of the picture at `position` in the store; `None` where none is known.
    pub fn value(&self, position: usize) -> Option<&str> {
        let place = self.numbers.get(position)?.checked_sub(1)?;
        self.values.get(place as usize).map(String::as_str)
    }

    fn number(&mut self, value: &str) -> u32 {
        if let Some(&number) = self.known.get(value) {
            return number;
        }
        self.values.push(value.to_string());
        let number = self.values.len() as u32;
        self.known.insert(value.to_string(), number);
        number
    }

    /// How many values there are.
    pub(crate) fn values(&self) -> usize {
        self.values.len()
    }

    /// Whether the value of some picture is not known.
    pub(crate) fn has_unknown(&self) -> bool {
        self.numbers.contains(&0)
    }

    /// Puts the value at `position` to an earlier position, where it stays.
    pub(crate) fn keep(&mut self, position: usize, earlier: usize) {
        self.numbers[earlier] = self.numbers[position];
    }

    /// Forgets the values of all but the first pictures.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.numbers.truncate(count);
        if count == 0 {
            self.numbers.shrink_to_fit();
        }
    }
}

impl Dataset {
    /// What a person should be told about how the data were read.
    pub fn notices(&self) -> &[Notice] {
        &self.description().notices
    }

    /// The name of a subject; its number where it has none.
    pub fn subject_name(&self, subject: u32) -> String {
        let names = &self.description().subject_names;
        let name = names.get(subject as usize).cloned();
        name.unwrap_or_else(|| subject.to_string())
    }

    /// What the column `name` of [`Description::groups`] says of picture `index`.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn group(&self, name: &str, index: usize) -> Option<&str> {
        let mut columns = self.description().groups.iter();
        let column = columns.find(|column| column.name == name)?;
        column.value(self.position(index))
    }
}
