use anyhow::Result;
use fer_data::face::Bounds;
use fer_data::{ClassNames, printable};
use serde_json::{Map, Value};

use crate::answer::{Answer, NO_FACE};
use crate::command::output::percent;
use crate::formula::escaped;

impl Answer {
    pub(super) fn is_failure(&self) -> bool {
        matches!(self, Answer::Failed { .. })
    }

    /// The line that people read.
    pub(super) fn line(&self) -> String {
        match self {
            Answer::Predicted {
                path,
                face,
                expression,
                probabilities,
                ..
            } => {
                let sorted = sorted(probabilities);
                let mut places = sorted.iter().take(3).map(told);
                let answer = match expression {
                    Some(_) => places.next().unwrap_or_default(),
                    None => "unsure".into(),
                };
                let others = places.collect::<Vec<_>>().join(", ");
                let path = path.as_deref().unwrap_or_default();
                let place = face.map_or(String::new(), |face| {
                    format!(" at {},{} {}×{}", face.x, face.y, face.width, face.height)
                });
                format!("{path}{place}: {answer} ({others})")
            }
            Answer::Failed { path, error } if error == NO_FACE => {
                let path = path.as_deref().unwrap_or_default();
                format!("error: {path}: {NO_FACE}; --no-detect takes the whole picture for a face")
            }
            Answer::Failed { error, .. } => format!("error: {error}"),
        }
    }

    /// The words that stand by a face in a drawn copy, such as "happy 93.1 %".
    pub(super) fn label(&self) -> Option<String> {
        match self {
            Answer::Predicted {
                expression: Some(_),
                probabilities,
                ..
            } => sorted(probabilities).first().map(told),
            Answer::Predicted { .. } => Some("unsure".into()),
            Answer::Failed { .. } => None,
        }
    }

    pub(super) fn path(&self) -> Option<&str> {
        match self {
            Answer::Predicted { path, .. } | Answer::Failed { path, .. } => path.as_deref(),
        }
    }

    pub(super) fn expression(&self) -> Option<&str> {
        match self {
            Answer::Predicted { expression, .. } => expression.as_deref(),
            Answer::Failed { .. } => None,
        }
    }

    pub(super) fn error(&self) -> Option<&str> {
        match self {
            Answer::Predicted { .. } => None,
            Answer::Failed { error, .. } => Some(error),
        }
    }

    pub(super) fn probability(&self, class_name: &str) -> Option<&Value> {
        match self {
            Answer::Predicted { probabilities, .. } => probabilities.get(class_name),
            Answer::Failed { .. } => None,
        }
    }

    /// Left, top, width and height of the face, if it is one and not the whole picture.
    pub(super) fn place(&self) -> Option<[u32; 4]> {
        let bounds = self.bounds()?;
        Some([bounds.x, bounds.y, bounds.width, bounds.height])
    }

    /// Where the face is, if it is one and not the whole picture.
    pub(super) fn bounds(&self) -> Option<Bounds> {
        match self {
            Answer::Predicted { face, .. } => *face,
            Answer::Failed { .. } => None,
        }
    }
}

/// Classes with their probabilities, the most likely first.
fn sorted(probabilities: &Map<String, Value>) -> Vec<(&String, f64)> {
    let mut sorted: Vec<(&String, f64)> = probabilities
        .iter()
        .map(|(name, value)| (name, value.as_f64().unwrap_or(0.0)))
        .collect();
    sorted.sort_by(|one, other| other.1.total_cmp(&one.1));
    sorted
}

fn told((name, probability): &(&String, f64)) -> String {
    format!("{name} {}", percent(*probability))
}

/// The name of the column that holds the probability of a class.
pub(super) fn column(class_name: &str) -> String {
    format!("probability of {class_name}")
}

/// The answers as rows of a table: `path,x,y,width,height,expression,error`, then a column
/// `probability of NAME` a class. What an answer does not have is empty; a text that a spreadsheet would
/// take for a formula has an apostrophe before it, and what would steer a terminal is written out.
pub(super) struct Table {
    class_names: Vec<String>,
    /// Whether the names of the columns are still to come.
    names_due: bool,
}

impl Table {
    /// A table whose first rows stand below the names of its columns where it `begins`, and which goes
    /// on with another one where it does not.
    pub(super) fn new(class_names: &ClassNames, begins: bool) -> Self {
        Table {
            class_names: class_names.iter().map(String::from).collect(),
            names_due: begins,
        }
    }

    /// The next rows as text, after the names of the columns when they are the first.
    pub(super) fn rows<'a>(&mut self, answers: impl Iterator<Item = &'a Answer>) -> Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        if self.names_due {
            let fixed = ["path", "x", "y", "width", "height", "expression", "error"];
            let names = self.class_names.iter().map(|name| column(name));
            writer.write_record(fixed.map(String::from).into_iter().chain(names))?;
            self.names_due = false;
        }
        for answer in answers {
            writer.write_record(self.row(answer))?;
        }
        Ok(String::from_utf8(writer.into_inner()?)?)
    }

    fn row(&self, answer: &Answer) -> Vec<String> {
        let place = answer
            .place()
            .map(|numbers| numbers.map(|number| number.to_string()));
        let mut row = vec![cell(answer.path())];
        row.extend(place.unwrap_or_default());
        row.push(cell(answer.expression()));
        row.push(cell(answer.error()));
        let probability = |name: &String| answer.probability(name).map(Value::to_string);
        row.extend(
            self.class_names
                .iter()
                .map(|name| probability(name).unwrap_or_default()),
        );
        row
    }
}

fn cell(text: Option<&str>) -> String {
    escaped(&printable(text.unwrap_or_default())).into_owned()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn answer(expression: Option<&str>) -> Answer {
        let probabilities = [("happy", 0.75), ("sad", 0.25)];
        let probability = |(name, value): (&str, f64)| (name.to_string(), Value::from(value));
        Answer::Predicted {
            path: Some("a, b.jpg".into()),
            face: Some(Bounds {
                x: 1,
                y: 2,
                width: 30,
                height: 40,
            }),
            expression: expression.map(String::from),
            abstained: expression.is_none(),
            probabilities: probabilities.into_iter().map(probability).collect(),
        }
    }

    #[test]
    fn a_table_names_its_columns_once_and_has_a_row_an_answer() {
        let names = ClassNames::new(["happy", "sad"]).unwrap();
        let mut table = Table::new(&names, true);
        let first = table.rows([answer(Some("happy"))].iter()).unwrap();
        let expected = "path,x,y,width,height,expression,error,probability of happy,probability of sad\n\
                        \"a, b.jpg\",1,2,30,40,happy,,0.75,0.25\n";
        assert_eq!(first, expected);
        let more = [answer(None), Answer::no_face(Some("c.png".into()))];
        let expected = "\"a, b.jpg\",1,2,30,40,,,0.75,0.25\nc.png,,,,,,no face found,,\n";
        assert_eq!(table.rows(more.iter()).unwrap(), expected);
        let mut further = Table::new(&names, false);
        assert_eq!(further.rows(more.iter()).unwrap(), expected);
    }

    #[test]
    fn names_are_no_formulas_and_numbers_stay_numbers() {
        let mut table = Table::new(&ClassNames::new(["=happy", "sad"]).unwrap(), false);
        let nobody = Answer::no_face(Some("=cmd|' /C calc'!A1\u{1b}.png".into()));
        let Answer::Predicted { probabilities, .. } = answer(None) else {
            panic!("a prediction");
        };
        let named = Answer::Predicted {
            path: Some("-0.5".into()),
            face: None,
            expression: Some("=happy".into()),
            abstained: false,
            probabilities,
        };
        let rows = table.rows([nobody, named].iter()).unwrap();
        let mut lines = rows.lines();
        assert_eq!(
            lines.next().unwrap(),
            "'=cmd|' /C calc'!A1\\u{1b}.png,,,,,,no face found,,"
        );
        assert_eq!(lines.next().unwrap(), "'-0.5,,,,,'=happy,,,0.25");
    }

    #[test]
    fn people_read_where_and_what_and_how_sure() {
        let line = answer(Some("happy")).line();
        assert_eq!(line, "a, b.jpg at 1,2 30×40: happy 75.0 % (sad 25.0 %)");
        let line = answer(None).line();
        assert_eq!(
            line,
            "a, b.jpg at 1,2 30×40: unsure (happy 75.0 %, sad 25.0 %)"
        );
        let nobody = Answer::no_face(Some("c.png".into()));
        assert!(nobody.is_failure() && nobody.line().starts_with("error: c.png: no face found"));
        assert_eq!(nobody.label(), None);
        assert_eq!(answer(Some("happy")).label().unwrap(), "happy 75.0 %");
    }
}
