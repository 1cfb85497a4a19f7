//! Whether two classifiers differ on the same pictures.

use serde::{Deserialize, Serialize};

/// From this many pictures on that one of two classifiers alone gets right, chi-squared stands for the
/// binomial distribution.
const LEAST_FOR_CHI_SQUARED: u64 = 25;

/// How the p-value of McNemar's test was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum McNemarForm {
    /// The exact binomial test of the discordant pairs.
    Exact,
    /// Chi-squared of one degree of freedom, with continuity correction.
    ChiSquared,
}

/// Two classifiers on the same pictures, right and wrong: the four counts and McNemar's test of
/// whether the two are equally often right.
///
/// Only the discordant pictures, which one alone gets right, decide. Quinn McNemar: Note on the
/// Sampling Error of the Difference Between Correlated Proportions or Percentages, Psychometrika 12
/// (1947); for classifiers Thomas G. Dietterich: Approximate Statistical Tests for Comparing
/// Supervised Classification Learning Algorithms, Neural Computation 10 (1998). Agrees with
/// `statsmodels.stats.contingency_tables.mcnemar`. It takes pictures for independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Pictures that both get right.
    pub both_right: u64,
    /// Pictures that the first alone gets right.
    pub only_first: u64,
    /// Pictures that the second alone gets right.
    pub only_second: u64,
    /// Pictures that neither gets right.
    pub both_wrong: u64,
    /// How the p-value was computed: exactly for fewer than 25 discordant pictures.
    pub form: McNemarForm,
    /// The lesser discordant count where exact, else (|b − c| − 1)² / (b + c) of the two.
    pub statistic: f64,
    /// The probability of so great a difference or a greater one, to either side, among classifiers
    /// that are equally often right.
    pub p_value: f64,
}

impl McNemar {
    /// The test in the form that fits the number of discordant pictures.
    pub fn new(both_right: u64, only_first: u64, only_second: u64, both_wrong: u64) -> Self {
        let form = match only_first + only_second < LEAST_FOR_CHI_SQUARED {
            true => McNemarForm::Exact,
            false => McNemarForm::ChiSquared,
        };
        let (statistic, p_value) = mcnemar(form, only_first, only_second);
        McNemar {
            both_right,
            only_first,
            only_second,
            both_wrong,
            form,
            statistic,
            p_value,
        }
    }

    /// The number of pictures.
    pub fn n(&self) -> u64 {
        self.both_right + self.only_first + self.only_second + self.both_wrong
    }
}

/// The statistic and the p-value of McNemar's test in this form; see [`McNemar`]. Without any
/// discordant pair the p-value is 1.
pub fn mcnemar(form: McNemarForm, only_first: u64, only_second: u64) -> (f64, f64) {
    let discordant = only_first + only_second;
    let lesser = only_first.min(only_second);
    match form {
        McNemarForm::Exact => {
            let tails = 2.0 * binomial_half(lesser, discordant);
            (lesser as f64, tails.min(1.0))
        }
        McNemarForm::ChiSquared if discordant == 0 => (0.0, 1.0),
        McNemarForm::ChiSquared => {
            let beyond = only_first.abs_diff(only_second) as f64 - 1.0;
            let statistic = beyond * beyond / discordant as f64;
            (statistic, libm::erfc((statistic / 2.0).sqrt()))
        }
    }
}

/// The probability of at most `most` heads among `tosses` of a fair coin.
fn binomial_half(most: u64, tosses: u64) -> f64 {
    // Logarithms, because 0.5^tosses leaves f64's range beyond a thousand tosses.
    let mut logarithm = -(tosses as f64) * std::f64::consts::LN_2;
    let mut sum = logarithm.exp();
    for heads in 1..=most {
        logarithm += ((tosses - heads + 1) as f64 / heads as f64).ln();
        sum += logarithm.exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_discordant_pictures_are_tested_exactly() {
        let test = McNemar::new(50, 1, 7, 3);
        assert_eq!((test.form, test.statistic), (McNemarForm::Exact, 1.0));
        // Two tails of 0 or 1 heads of 8: 2 (1 + 8) / 256.
        assert!((test.p_value - 18.0 / 256.0).abs() < 1e-15);
        assert_eq!(test.n(), 61);
        let many = McNemar::new(0, 10, 15, 0);
        assert_eq!((many.form, many.statistic), (McNemarForm::ChiSquared, 0.64));
        assert_eq!(McNemar::new(0, 9, 15, 0).form, McNemarForm::Exact);
    }

    #[test]
    fn no_difference_has_p_1_and_the_order_does_not_matter() {
        for form in [McNemarForm::Exact, McNemarForm::ChiSquared] {
            assert_eq!(mcnemar(form, 0, 0).1, 1.0);
            assert_eq!(mcnemar(form, 3, 30), mcnemar(form, 30, 3));
        }
        assert_eq!(mcnemar(McNemarForm::Exact, 12, 12).1, 1.0);
        assert!(mcnemar(McNemarForm::Exact, 12, 10).1 > 0.8);
    }

    #[test]
    fn the_two_forms_meet_where_pairs_are_many_and_thousands_do_no_harm() {
        let exact = mcnemar(McNemarForm::Exact, 2_000, 2_150).1;
        let approximate = mcnemar(McNemarForm::ChiSquared, 2_000, 2_150).1;
        assert!((exact - approximate).abs() < 1e-3, "{exact} {approximate}");
        assert!(exact > 0.01 && exact < 0.03);
    }
}
