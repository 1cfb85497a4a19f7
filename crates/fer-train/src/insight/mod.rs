//! Where a network looks: the maps of [`fer_model::explain`] over a data set, and what they say of the
//! regions of the face.
//!
//! [`explain()`] makes the maps of every picture that a network takes for what it is, adds them up by
//! class, and reads the densities in the regions off the mean maps ([`Profile`]). Beside them stand the
//! regions that EMFACS names for the expression ([`Agreement`]), the same from networks of random
//! weights, and deletion and insertion curves against a random order. What is found is an
//! [`Explanation`], the content of `explanation.json`.
//!
//! Maps tell what moves a network's answer. That is no proof that the network sees an expression as
//! people do.

mod agreement;
mod curves;
mod explain;
mod explanation;
mod mean_maps;
mod profile;
mod sample;

pub use agreement::{average_precision, spearman};
pub use explain::{Insight, InsightSettings, Subject, explain};
pub use explanation::{
    Agreement, AgreementBesideRandom, ByMethod, ClassExplanation, Curve, Curves, Explanation,
    ExplanationSettings, Importance, OrderCurves, RandomImportance,
};
pub use mean_maps::ClassMap;
pub use profile::Profile;
pub use sample::stratified_sample;
