use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::expression::Expression;
use crate::printable::steers;

/// An ordered list of distinct class names; its length sizes every head, metric and file.
///
/// Class `i` is the name at position `i`. Names travel with models and figures, never bare
/// indices, so a model and a data set can be checked against each other.
///
/// ```
/// use fer_data::{ClassNames, Expression};
///
/// let eight = Expression::class_names();
/// assert_eq!(eight.len(), 8);
/// assert_eq!(eight.index("happy"), Some(4));
///
/// let own = ClassNames::new(["awake", "asleep"])?;
/// assert_eq!(own.name(1), "asleep");
/// # Ok::<(), fer_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct ClassNames(Vec<String>);

impl ClassNames {
    /// The most classes that a list may have.
    pub const MOST: usize = 1000;

    /// The longest name, in letters.
    pub const LONGEST: usize = 100;

    /// A list of at least one name.
    ///
    /// # Errors
    /// An empty list, or one of more than [`MOST`](Self::MOST) names; a name that is empty, is longer
    /// than [`LONGEST`](Self::LONGEST) letters, stands twice, or has a letter that would steer a
    /// terminal ([`printable`](crate::printable())).
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Result<Self, DataError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.is_empty() {
            return Err(DataError::ClassNames("the list is empty".into()));
        }
        if names.len() > ClassNames::MOST {
            return Err(DataError::ClassNames(format!(
                "{} are more than {}: are these names of people or of files? --label-map FILE says what \
                 each label means",
                names.len(),
                ClassNames::MOST
            )));
        }
        for (position, name) in names.iter().enumerate() {
            if name.trim().is_empty() {
                let reason = format!("the name of class {position} is empty");
                return Err(DataError::ClassNames(reason));
            }
            refuse_unshown(name)?;
            if names[..position].contains(name) {
                return Err(DataError::ClassNames(format!("`{name}` stands twice")));
            }
        }
        Ok(ClassNames(names))
    }

    pub(crate) fn of(expressions: &[Expression]) -> Self {
        ClassNames(expressions.iter().map(|e| e.name().to_string()).collect())
    }

    /// How many classes there are.
    #[expect(clippy::len_without_is_empty, reason = "the list is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The name of class `index`.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn name(&self, index: usize) -> &str {
        &self.0[index]
    }

    /// The class that has this very name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|own| own == name)
    }

    /// The class of an expression, by its name.
    pub fn index_of(&self, expression: Expression) -> Option<usize> {
        self.index(expression.name())
    }

    /// The names in order.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The names in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Names stand in tables, figures and files of many kinds, each on one line.
fn refuse_unshown(name: &str) -> Result<(), DataError> {
    let most = ClassNames::LONGEST;
    let reason = match name.char_indices().nth(most) {
        Some((end, _)) => format!("`{}…` has more than {most} letters", &name[..end]),
        None if name.contains(steers) => format!("`{name}` has letters that cannot be shown"),
        None => return Ok(()),
    };
    let remedy = "rename it, or say with --label-map FILE what it means";
    Err(DataError::ClassNames(format!("{reason}: {remedy}")))
}

impl fmt::Display for ClassNames {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(" "))
    }
}

impl TryFrom<Vec<String>> for ClassNames {
    type Error = DataError;

    fn try_from(names: Vec<String>) -> Result<Self, DataError> {
        ClassNames::new(names)
    }
}

impl From<ClassNames> for Vec<String> {
    fn from(names: ClassNames) -> Self {
        names.0
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn empty_lists_empty_names_and_repeated_names_are_refused() {
        assert!(ClassNames::new(Vec::<String>::new()).is_err());
        assert!(ClassNames::new(["a", " "]).is_err());
        assert!(ClassNames::new(["a", "b", "a"]).is_err());
        assert!(ClassNames::new(["a", "b", "A"]).is_ok());
    }

    #[test]
    fn names_that_no_table_could_hold_are_refused_with_what_to_do() {
        let refused = |names: Vec<String>| {
            let refused = ClassNames::new(names);
            refused.map_err(|error| error.to_string()).unwrap_err()
        };
        for (name, said) in [
            (
                "ha\u{1b}[2Jppy".to_string(),
                "`ha\\u{1b}[2Jppy` has letters that cannot be shown",
            ),
            ("yppah\u{202e}".to_string(), "yppah\\u{202e}"),
            ("a\nb".to_string(), "a\\nb"),
            ("ü".repeat(101), "has more than 100 letters"),
        ] {
            let refused = refused(vec!["sad".into(), name]);
            assert!(
                refused.contains(said) && refused.contains("--label-map"),
                "{refused}"
            );
        }
        assert!(ClassNames::new(["ü".repeat(100)]).is_ok());
        let many = refused((0..1001).map(|number| number.to_string()).collect());
        assert!(many.contains("1001 are more than 1000"), "{many}");
    }

    #[test]
    fn seven_are_the_eight_without_contempt() {
        let seven = Expression::seven_class_names();
        assert_eq!(seven.len(), 7);
        assert_eq!(seven.index_of(Expression::Contempt), None);
        assert_eq!(seven.index_of(Expression::Disgust), Some(1));
    }
}
