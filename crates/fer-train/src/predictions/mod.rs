//! What a network said of each picture that judged it: the table `predictions.csv`.
//!
//! One row a picture, in the order judged: `picture` (its path, or the row of its file), `split`,
//! `label` and `predicted` (class names), `probability` (of the predicted class), `right`,
//! `copy_of_train`, `votes_entropy`, and for each class in order a column `p(NAME)`. Probabilities are
//! calibrated where the model has a temperature.
//!
//! Names of files and classes come from strangers, and a spreadsheet takes a cell that begins with
//! `=`, `+`, `-`, `@`, a tab or a line break for a formula. Such texts, and those that begin with an
//! apostrophe, stand in the table with an apostrophe before them; [`Predictions::from_csv`] takes it
//! away again.

mod read;

use anyhow::{Context, Result};
use csv::Writer;
use fer_data::{ClassNames, Split};

use crate::formula::escaped;

/// The name of the table in a run directory.
pub const FILE: &str = "predictions.csv";

/// The columns before those of the classes.
const COLUMNS: [&str; 8] = [
    "picture",
    "split",
    "label",
    "predicted",
    "probability",
    "right",
    "copy_of_train",
    "votes_entropy",
];

/// What a network said of pictures, in the order judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// The classes, in the order of the probabilities.
    pub class_names: ClassNames,
    /// One a picture; `hard.json` names them by their place here, from 0.
    pub pictures: Vec<JudgedPicture>,
}

/// What a network said of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedPicture {
    /// What a person would call the picture: its path, or the row of its file.
    pub picture: String,
    /// The part of the data set that it stands in.
    pub split: Split,
    /// The given class, an index into the class names.
    pub label: usize,
    /// The class of the highest probability.
    pub predicted: usize,
    /// Whether train holds a picture that is equal to it, pixel by pixel.
    pub copy_of_train: bool,
    /// The entropy of the shares of its votes, in nats; absent where nobody voted.
    pub votes_entropy: Option<f64>,
    /// One a class, in class order, 0 to 1, summing to 1; at the model's temperature.
    pub probabilities: Vec<f32>,
}

impl JudgedPicture {
    /// Whether the predicted class is the given one.
    pub fn is_right(&self) -> bool {
        self.predicted == self.label
    }

    /// The probability of the predicted class, 0 to 1.
    pub fn probability(&self) -> f32 {
        self.probabilities[self.predicted]
    }
}

impl Predictions {
    /// The table as csv, below a line of its columns.
    ///
    /// # Errors
    /// None that can happen in memory.
    ///
    /// # Panics
    /// Where a picture's classes are not below the number of names, or it has another number of
    /// probabilities.
    pub fn to_csv(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::from_writer(Vec::new());
        let classes = self.class_names.iter().map(|name| format!("p({name})"));
        writer.write_record(COLUMNS.map(String::from).into_iter().chain(classes))?;
        for picture in &self.pictures {
            writer.write_record(self.cells(picture))?;
        }
        writer.into_inner().context("csv cannot be flushed")
    }

    fn cells(&self, picture: &JudgedPicture) -> Vec<String> {
        let names = &self.class_names;
        assert_eq!(picture.probabilities.len(), names.len(), "probabilities");
        let entropy = picture.votes_entropy.map(|entropy| entropy.to_string());
        let mut cells = vec![
            escaped(&picture.picture).into_owned(),
            picture.split.name().into(),
            escaped(names.name(picture.label)).into_owned(),
            escaped(names.name(picture.predicted)).into_owned(),
            picture.probability().to_string(),
            picture.is_right().to_string(),
            picture.copy_of_train.to_string(),
            entropy.unwrap_or_default(),
        ];
        cells.extend(picture.probabilities.iter().map(f32::to_string));
        cells
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn predictions() -> Predictions {
        let picture = |name: &str, label, predicted, probabilities: [f32; 3]| JudgedPicture {
            picture: name.into(),
            split: Split::Test,
            label,
            predicted,
            copy_of_train: label == 2,
            votes_entropy: (label == 0).then_some(0.1 + 0.2),
            probabilities: probabilities.into(),
        };
        Predictions {
            class_names: ClassNames::new(["=happy", "sad, or so", "it's"]).unwrap(),
            pictures: vec![
                picture("-1+2.png", 0, 1, [0.1, 0.7, 0.2]),
                picture("a \"b\"\nc.png", 1, 1, [1e-30, 1.0 / 3.0, 2.0 / 3.0]),
                picture("'@x", 2, 0, [0.5, 0.25, 0.25]),
            ],
        }
    }

    #[test]
    fn what_is_written_is_read_back_to_the_last_bit() {
        let written = predictions().to_csv().unwrap();
        assert_eq!(Predictions::from_csv(&written[..]).unwrap(), predictions());
    }

    #[test]
    fn the_table_has_its_documented_columns_and_no_cell_is_a_formula() {
        let written = String::from_utf8(predictions().to_csv().unwrap()).unwrap();
        let mut lines = written.lines();
        assert_eq!(
            lines.next().unwrap(),
            "picture,split,label,predicted,probability,right,copy_of_train,votes_entropy,\
             p(=happy),\"p(sad, or so)\",p(it's)"
        );
        assert_eq!(
            lines.next().unwrap(),
            "'-1+2.png,test,'=happy,\"sad, or so\",0.7,false,false,0.30000000000000004,0.1,0.7,0.2"
        );
        assert!(
            written.contains("\n''@x,test,it's,'=happy,0.5,false,true,,"),
            "{written}"
        );
    }

    #[test]
    fn what_is_no_such_table_is_refused_with_the_row_and_the_column() {
        let written = String::from_utf8(predictions().to_csv().unwrap()).unwrap();
        for (from, to, words) in [
            (
                "picture,",
                "file,",
                "column 1 is `file`, expected `picture`",
            ),
            (",p(it's)", ",it's", "column `it's`, expected `p(NAME)`"),
            ("0.7,false", "0.7,maybe", "row 1: right is `maybe`"),
            ("test,'=happy", "exam,'=happy", "row 1: split is `exam`"),
            ("test,'=happy", "test,glad", "row 1: label is `glad`"),
            (
                "0.1,0.7,0.2",
                "0.1,NaN,0.2",
                "row 1: p(sad, or so) is `NaN`",
            ),
            (
                "0.7,false,false,0.3",
                "0.7,false,false,x0.3",
                "row 1: votes_entropy is `x0.3",
            ),
        ] {
            let broken = written.replacen(from, to, 1);
            assert_ne!(broken, written, "{from}");
            let error = format!(
                "{:#}",
                Predictions::from_csv(broken.as_bytes()).unwrap_err()
            );
            assert!(error.contains(words), "{error}");
        }
    }
}
