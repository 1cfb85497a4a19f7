use anyhow::Result;
use fer_data::ClassNames;
use fer_data::face::Bounds;
use serde_json::{Map, Value};

use crate::answer::{Answer, NO_FACE};
use crate::command::output::percent;

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

/// The answers as rows of a table: `path,x,y,width,height,expression,error`, then a column
/// `probability of NAME` a class. What an answer does not have is empty.
pub(super) struct Table {
    class_names: Vec<String>,
    begun: bool,
}

impl Table {
    pub(super) fn new(class_names: &ClassNames) -> Self {
        Table {
            class_names: class_names.iter().map(String::from).collect(),
            begun: false,
        }
    }

    /// The next rows as text, after the names of the columns when they are the first.
    pub(super) fn rows<'a>(&mut self, answers: impl Iterator<Item = &'a Answer>) -> Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        if !self.begun {
            let fixed = ["path", "x", "y", "width", "height", "expression", "error"];
            let names = self.class_names.iter();
            let names = names.map(|name| format!("probability of {name}"));
            writer.write_record(fixed.map(String::from).into_iter().chain(names))?;
            self.begun = true;
        }
        for answer in answers {
            writer.write_record(self.row(answer))?;
        }
        Ok(String::from_utf8(writer.into_inner()?)?)
    }

    fn row(&self, answer: &Answer) -> Vec<String> {
        let mut row = vec![String::new(); 7 + self.class_names.len()];
        match answer {
            Answer::Predicted {
                path,
                face,
                expression,
                probabilities,
                ..
            } => {
                row[0] = path.clone().unwrap_or_default();
                if let Some(face) = face {
                    let numbers = [face.x, face.y, face.width, face.height];
                    row[1..5].clone_from_slice(&numbers.map(|number| number.to_string()));
                }
                row[5] = expression.clone().unwrap_or_default();
                for (cell, name) in row[7..].iter_mut().zip(&self.class_names) {
                    *cell = probabilities
                        .get(name)
                        .map_or(String::new(), Value::to_string);
                }
            }
            Answer::Failed { path, error } => {
                row[0] = path.clone().unwrap_or_default();
                row[6].clone_from(error);
            }
        }
        row
    }
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
        let mut table = Table::new(&ClassNames::new(["happy", "sad"]).unwrap());
        let first = table.rows([answer(Some("happy"))].iter()).unwrap();
        let expected = "path,x,y,width,height,expression,error,probability of happy,probability of sad\n\
                        \"a, b.jpg\",1,2,30,40,happy,,0.75,0.25\n";
        assert_eq!(first, expected);
        let more = [answer(None), Answer::no_face(Some("c.png".into()))];
        let expected = "\"a, b.jpg\",1,2,30,40,,,0.75,0.25\nc.png,,,,,,no face found,,\n";
        assert_eq!(table.rows(more.iter()).unwrap(), expected);
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
