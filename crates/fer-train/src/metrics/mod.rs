//! How good a network is: counted, scored per class, averaged, reported.
//!
//! [`Metrics`] takes batches of labels, targets and log-probabilities and gives a [`Report`]. What
//! it counts is a [`ConfusionMatrix`]; every score but the loss and the calibration error is a function
//! of that matrix, in a file of its own. All that scikit-learn knows agree with it, and where it leaves
//! a choice, the function says which was taken. Every figure of a report has its 95 % interval
//! ([`statistics`](crate::statistics)); [`GroupReport`] has the figures by group of people, and
//! [`PairedDifference`] those of two classifiers on the same pictures.

mod accumulator;
mod balanced_accuracy;
mod brier;
mod calibration_error;
mod class_report;
mod class_score;
mod comparison;
mod confusion;
mod coverage;
mod f1;
mod groups;
mod intervals;
mod log_loss;
mod reliability;
mod report;
mod votes;

pub use accumulator::Metrics;
pub use balanced_accuracy::balanced_accuracy;
pub use brier::BrierScore;
pub use calibration_error::{CalibrationError, ReliabilityBin};
pub use class_report::{ClassReport, LEAST_PICTURES_OF_CLASS};
pub use class_score::{ClassScore, class_scores};
pub use comparison::{ClassDifference, Comparison, PairedDifference};
pub use confusion::ConfusionMatrix;
pub use coverage::{CoveragePoint, CoverageReport, RiskCurve, RiskLevel};
pub use f1::{macro_f1, weighted_f1};
pub use groups::{
    Group, GroupFigures, GroupGap, GroupReport, JudgedPictures, LEAST_PICTURES_OF_GROUP,
};
pub use intervals::{ScoreIntervals, resampled, scores};
pub use log_loss::{LogLoss, NotFinite, mean_loss};
pub use reliability::{CalibrationReport, Reliability};
pub use report::{Copies, ProbabilityScore, Report};
pub use votes::VoteAgreement;
pub(crate) use votes::entropy;
