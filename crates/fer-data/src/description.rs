use crate::notice::Notice;
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
}

/// One property that divides the pictures into groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupColumn {
    /// Its name, as the table of the data spells it.
    pub name: String,
    /// The value of each picture, by its position in the store; `None` where none is known.
    pub values: Vec<Option<String>>,
}
