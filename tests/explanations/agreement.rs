//! Rank correlation and average precision against scipy and scikit-learn; ../oracle/agreement.py made
//! the numbers.

use fer_train::insight::{average_precision, spearman};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    densities: Vec<f64>,
    units: Vec<f64>,
    rank_correlation: f64,
    average_precision: f64,
}

#[test]
fn rank_correlation_and_average_precision_agree_with_scipy_and_scikit_learn() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../oracle/agreement.json")).unwrap();
    assert_eq!(cases.len(), 15);
    for case in cases {
        let found = spearman(&case.densities, &case.units);
        let expected = case.rank_correlation;
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        let wanted: Vec<bool> = case.units.iter().map(|&units| units > 0.0).collect();
        let found = average_precision(&case.densities, &wanted).unwrap();
        let expected = case.average_precision;
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
}
