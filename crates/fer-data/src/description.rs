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

/// One property that divides the pictures into groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupColumn {
    /// Its name, as the table of the data spells it.
    pub name: String,
    /// The value of each picture, by its position in the store; `None` where none is known.
    pub values: Vec<Option<String>>,
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
        column.values.get(self.entry(index).position)?.as_deref()
    }
}
