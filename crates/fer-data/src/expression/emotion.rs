use std::fmt;
use std::str::FromStr;

use crate::expression::ClassNames;

/// The eight expressions, in alphabetical order: `angry` is class 0, `surprised` class 7.
///
/// An expression is what a face *shows*; it says nothing about what a person feels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Expression {
    Angry,
    Contempt,
    Disgust,
    Fear,
    Happy,
    Neutral,
    Sad,
    Surprised,
}

impl Expression {
    /// All eight, in class order.
    pub const ALL: [Expression; 8] = [
        Expression::Angry,
        Expression::Contempt,
        Expression::Disgust,
        Expression::Fear,
        Expression::Happy,
        Expression::Neutral,
        Expression::Sad,
        Expression::Surprised,
    ];

    /// The seven that FER2013 labels itself: all but contempt.
    pub const SEVEN: [Expression; 7] = [
        Expression::Angry,
        Expression::Disgust,
        Expression::Fear,
        Expression::Happy,
        Expression::Neutral,
        Expression::Sad,
        Expression::Surprised,
    ];

    /// The class number among the eight, 0 to 7.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The name that this project writes: lower case, an adjective where there is one.
    pub fn name(self) -> &'static str {
        self.spellings()[0]
    }

    /// Every spelling that is understood: ours first, then those of FER2013, FER+, AffectNet,
    /// RAF-DB, CK+ and of common folder names. Letter case does not matter.
    pub fn spellings(self) -> &'static [&'static str] {
        match self {
            Expression::Angry => &["angry", "anger"],
            Expression::Contempt => &["contempt", "contemptuous"],
            Expression::Disgust => &["disgust", "disgusted"],
            Expression::Fear => &["fear", "fearful", "afraid", "scared"],
            Expression::Happy => &["happy", "happiness", "joy"],
            Expression::Neutral => &["neutral", "neutrality"],
            Expression::Sad => &["sad", "sadness"],
            Expression::Surprised => &["surprised", "surprise"],
        }
    }

    /// The eight as a list of class names.
    pub fn class_names() -> ClassNames {
        ClassNames::of(&Expression::ALL)
    }

    /// FER2013's own seven as a list of class names.
    pub fn seven_class_names() -> ClassNames {
        ClassNames::of(&Expression::SEVEN)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// The error of reading an [`Expression`]: the word is no spelling of any of the eight.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names none of the eight expressions (angry contempt disgust fear happy neutral sad surprised)"
)]
pub struct UnknownExpression(pub String);

impl FromStr for Expression {
    type Err = UnknownExpression;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let lower = word.trim().to_lowercase();
        Expression::ALL
            .into_iter()
            .find(|expression| expression.spellings().contains(&lower.as_str()))
            .ok_or_else(|| UnknownExpression(word.to_string()))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn order_is_the_alphabet_of_the_source_document() {
        let names: Vec<&str> = Expression::ALL.iter().map(|e| e.name()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(names, sorted);
        for (index, expression) in Expression::ALL.iter().enumerate() {
            assert_eq!(expression.index(), index);
        }
    }

    #[test]
    fn every_spelling_is_read_in_any_case_and_belongs_to_one_expression() {
        for expression in Expression::ALL {
            for spelling in expression.spellings() {
                assert_eq!(spelling.parse::<Expression>().unwrap(), expression);
                let shouted = spelling.to_uppercase();
                assert_eq!(shouted.parse::<Expression>().unwrap(), expression);
            }
        }
        assert!("person_17".parse::<Expression>().is_err());
        assert!("".parse::<Expression>().is_err());
    }
}
