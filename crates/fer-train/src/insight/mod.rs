//! Where a network looks: the maps of `fer_model::explain` over a data set, and what they say of the
//! regions of the face.

mod explanation;

pub use explanation::{
    Agreement, AgreementBesideRandom, ByMethod, ClassExplanation, Curve, Curves, Explanation,
    ExplanationSettings, Importance, OrderCurves, RandomImportance,
};
