//! How sure figures are: intervals and tests, over counts and indices alone.
//!
//! A share has its Wilson interval ([`wilson`]); what is no share, such as F1, is resampled
//! ([`Bootstrap`]). Two classifiers on the same pictures are compared by McNemar's test
//! ([`McNemar`]) and by the interval of the difference ([`paired_difference`]), groups of people by
//! a permutation test ([`PermutationTest`]). All intervals are of 95 %. They agree with statsmodels,
//! scipy and scikit-learn; see `tests/statistics.rs`.

mod bootstrap;
mod difference;
mod interval;
mod mcnemar;
mod permutation;
mod wilson;
mod wording;

pub use bootstrap::{Bootstrap, percentile_intervals};
pub use difference::paired_difference;
pub use interval::{Interval, LEVEL};
pub use mcnemar::{McNemar, McNemarForm, mcnemar};
pub use permutation::{Exchanged, GapTest, PermutationTest, gap, p_value};
pub use wilson::wilson;
pub use wording::{p_value_in_words, percent_within, points_within, score_within};
