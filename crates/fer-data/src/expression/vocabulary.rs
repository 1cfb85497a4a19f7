use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::expression::Expression::{
    self, Angry, Contempt, Disgust, Fear, Happy, Neutral, Sad, Surprised,
};

/// The numbering of a known data set: what its labels `0`, `1`, `2` … mean.
///
/// ```
/// use fer_data::{Expression, Vocabulary};
///
/// let rafdb: Vocabulary = "rafdb".parse()?;
/// assert_eq!(rafdb.expression("1"), Some(Expression::Surprised));
/// assert_eq!(Vocabulary::Fer2013.expression("1"), Some(Expression::Disgust));
/// assert_eq!(rafdb.expression("8"), None);
/// # Ok::<(), fer_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vocabulary {
    /// FER2013: 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprised, 6 neutral
    /// (Goodfellow et al. 2013).
    Fer2013,
    /// FER+: 0 neutral, 1 happy, 2 surprised, 3 sad, 4 angry, 5 disgust, 6 fear, 7 contempt
    /// (Barsoum et al. 2016).
    FerPlus,
    /// AffectNet: 0 neutral, 1 happy, 2 sad, 3 surprised, 4 fear, 5 disgust, 6 angry, 7 contempt
    /// (Mollahosseini et al. 2017). Its 8 to 10 (none, uncertain, no face) are no expressions.
    AffectNet,
    /// RAF-DB: 1 surprised, 2 fear, 3 disgust, 4 happy, 5 sad, 6 angry, 7 neutral
    /// (Li et al. 2017).
    #[serde(rename = "rafdb")]
    RafDb,
    /// CK+: 0 neutral, 1 angry, 2 contempt, 3 disgust, 4 fear, 5 happy, 6 sad, 7 surprised
    /// (Lucey et al. 2010).
    CkPlus,
}

impl Vocabulary {
    /// All that are known.
    pub const ALL: [Vocabulary; 5] = [
        Vocabulary::Fer2013,
        Vocabulary::FerPlus,
        Vocabulary::AffectNet,
        Vocabulary::RafDb,
        Vocabulary::CkPlus,
    ];

    /// `fer2013`, `ferplus`, `affectnet`, `rafdb` or `ckplus`.
    pub fn name(self) -> &'static str {
        match self {
            Vocabulary::Fer2013 => "fer2013",
            Vocabulary::FerPlus => "ferplus",
            Vocabulary::AffectNet => "affectnet",
            Vocabulary::RafDb => "rafdb",
            Vocabulary::CkPlus => "ckplus",
        }
    }

    /// The number of the first label; the others follow it one by one.
    pub fn first(self) -> usize {
        usize::from(self == Vocabulary::RafDb)
    }

    /// The expressions in the order of their numbers.
    pub fn order(self) -> &'static [Expression] {
        match self {
            Vocabulary::Fer2013 => &[Angry, Disgust, Fear, Happy, Sad, Surprised, Neutral],
            Vocabulary::FerPlus => &[
                Neutral, Happy, Surprised, Sad, Angry, Disgust, Fear, Contempt,
            ],
            Vocabulary::AffectNet => &[
                Neutral, Happy, Sad, Surprised, Fear, Disgust, Angry, Contempt,
            ],
            Vocabulary::RafDb => &[Surprised, Fear, Disgust, Happy, Sad, Angry, Neutral],
            Vocabulary::CkPlus => &[
                Neutral, Angry, Contempt, Disgust, Fear, Happy, Sad, Surprised,
            ],
        }
    }

    /// What a label of this data set means: its number, or any spelling of an expression.
    pub fn expression(self, label: &str) -> Option<Expression> {
        match label.trim().parse::<usize>() {
            Ok(number) => {
                let place = number.checked_sub(self.first())?;
                self.order().get(place).copied()
            }
            Err(_) => label.parse().ok(),
        }
    }

    /// The numbering in words: `0 angry, 1 disgust, …`.
    pub fn numbering(self) -> String {
        let numbers = self.first()..;
        let words: Vec<String> = numbers
            .zip(self.order())
            .map(|(number, expression)| format!("{number} {expression}"))
            .collect();
        words.join(", ")
    }
}

impl fmt::Display for Vocabulary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Vocabulary {
    type Err = DataError;

    fn from_str(word: &str) -> Result<Self, DataError> {
        Vocabulary::ALL
            .into_iter()
            .find(|vocabulary| vocabulary.name() == word)
            .ok_or_else(|| DataError::Setting {
                name: "vocabulary",
                value: word.to_string(),
                expected: "fer2013, ferplus, affectnet, rafdb or ckplus",
            })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn each_data_set_numbers_its_labels_in_its_own_way() {
        let happy: Vec<&str> = Vocabulary::ALL
            .iter()
            .map(|vocabulary| {
                let numbers = ["0", "1", "2", "3", "4", "5", "6", "7"].into_iter();
                let mut found = numbers.filter(|n| vocabulary.expression(n) == Some(Happy));
                found.next().unwrap()
            })
            .collect();
        assert_eq!(happy, ["3", "1", "1", "4", "5"]);
        assert_eq!(
            Vocabulary::FerPlus.numbering(),
            "0 neutral, 1 happy, 2 surprised, 3 sad, 4 angry, 5 disgust, 6 fear, 7 contempt"
        );
        assert_eq!(
            Vocabulary::AffectNet.numbering(),
            "0 neutral, 1 happy, 2 sad, 3 surprised, 4 fear, 5 disgust, 6 angry, 7 contempt"
        );
        assert_eq!(
            Vocabulary::RafDb.numbering(),
            "1 surprised, 2 fear, 3 disgust, 4 happy, 5 sad, 6 angry, 7 neutral"
        );
    }

    #[test]
    fn numbers_outside_and_words_that_are_none_mean_nothing() {
        assert_eq!(Vocabulary::RafDb.expression("0"), None);
        assert_eq!(Vocabulary::Fer2013.expression("7"), None);
        assert_eq!(Vocabulary::AffectNet.expression("8"), None);
        assert_eq!(Vocabulary::FerPlus.expression("NF"), None);
        assert_eq!(Vocabulary::RafDb.expression("Happiness"), Some(Happy));
    }

    #[test]
    fn names_are_read_back() {
        for vocabulary in Vocabulary::ALL {
            assert_eq!(vocabulary.name().parse::<Vocabulary>().unwrap(), vocabulary);
        }
        let error = "imagenet".parse::<Vocabulary>().unwrap_err().to_string();
        assert!(
            error.contains("imagenet") && error.contains("rafdb"),
            "{error}"
        );
    }
}
