//! Intervals and tests against those of statsmodels, scipy and scikit-learn; oracle/statsmodels_statistics.py made
//! the numbers, with the indices that it drew.

use fer_train::metrics::{ScoreIntervals, resampled, scores};
use fer_train::statistics::{
    Interval, McNemar, McNemarForm, gap, mcnemar, p_value, paired_difference, percentile_intervals,
    wilson,
};
use serde::Deserialize;

const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Oracle {
    wilson: Vec<WilsonCase>,
    mcnemar: Vec<McNemarCase>,
    paired_difference: Vec<DifferenceCase>,
    bootstrap: Vec<BootstrapCase>,
    permutation: Vec<PermutationCase>,
}

#[derive(Deserialize)]
struct WilsonCase {
    part: u64,
    whole: u64,
    low: f64,
    high: f64,
}

/// The statistic and the p-value in either form.
#[derive(Deserialize)]
struct McNemarCase {
    only_first: u64,
    only_second: u64,
    exact: [f64; 2],
    chi_squared: [f64; 2],
}

/// Counts of both right, only the first, only the second, neither.
#[derive(Deserialize)]
struct DifferenceCase {
    counts: [u64; 4],
    difference: f64,
    low: f64,
    high: f64,
}

/// Ends in the order of [`scores`].
#[derive(Deserialize)]
struct BootstrapCase {
    name: String,
    classes: usize,
    #[serde(rename = "true")]
    truth: Vec<usize>,
    predicted: Vec<usize>,
    indices: Vec<Vec<usize>>,
    low: Vec<f64>,
    high: Vec<f64>,
}

#[derive(Deserialize)]
struct PermutationCase {
    name: String,
    right: Vec<bool>,
    groups: Vec<usize>,
    permuted: Vec<Vec<usize>>,
    gap: f64,
    p_value: f64,
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("oracle/statsmodels_statistics.json")).unwrap()
}

#[track_caller]
fn near(what: &str, ours: f64, theirs: f64) {
    let distance = (ours - theirs).abs();
    assert!(distance <= TOLERANCE, "{what}: {ours}, expected {theirs}");
}

#[track_caller]
fn ends_near(what: &str, ours: Interval, low: f64, high: f64) {
    near(&format!("{what}, low"), ours.low, low);
    near(&format!("{what}, high"), ours.high, high);
}

#[test]
fn wilson_intervals_are_those_of_statsmodels() {
    for case in oracle().wilson {
        let what = format!("{} of {}", case.part, case.whole);
        let ours = wilson(case.part, case.whole).unwrap();
        ends_near(&what, ours, case.low, case.high);
    }
}

#[test]
fn mcnemars_test_is_that_of_statsmodels_in_both_forms() {
    for case in oracle().mcnemar {
        for (form, theirs) in [
            (McNemarForm::Exact, case.exact),
            (McNemarForm::ChiSquared, case.chi_squared),
        ] {
            let (statistic, p_value) = mcnemar(form, case.only_first, case.only_second);
            let what = format!("{form:?} of {} and {}", case.only_first, case.only_second);
            near(&what, statistic, theirs[0]);
            near(&what, p_value, theirs[1]);
            assert!((p_value / theirs[1] - 1.0).abs() < 1e-6, "{what}");
        }
    }
}

#[test]
fn paired_differences_have_newcombes_interval() {
    for case in oracle().paired_difference {
        let [a, b, c, d] = case.counts;
        let (difference, interval) = paired_difference(&McNemar::new(a, b, c, d)).unwrap();
        let what = format!("{:?}", case.counts);
        near(&what, difference, case.difference);
        ends_near(&what, interval, case.low, case.high);
    }
}

#[test]
fn newcombes_own_example_comes_out_as_printed() {
    let (difference, interval) = paired_difference(&McNemar::new(36, 12, 2, 0)).unwrap();
    let printed = [difference, interval.low, interval.high].map(|it| format!("{it:.4}"));
    assert_eq!(printed, ["-0.2000", "-0.3404", "-0.0569"]);
}

#[test]
fn bootstrap_intervals_are_scipys_over_scikit_learns_scores_of_the_same_resamples() {
    for case in oracle().bootstrap {
        let pairs = case.truth.iter().copied().zip(case.predicted);
        let pairs: Vec<(usize, usize)> = pairs.collect();
        let figures = |indices: &Vec<usize>| scores(&resampled(&pairs, case.classes, indices));
        let resamples: Vec<Vec<f64>> = case.indices.iter().map(figures).collect();
        let ours = percentile_intervals(&resamples);
        assert_eq!(ours.len(), 3 + case.classes, "{}", case.name);
        for (place, &interval) in ours.iter().enumerate() {
            let what = format!("{}, figure {place}", case.name);
            ends_near(&what, interval, case.low[place], case.high[place]);
        }
        let named = ScoreIntervals::of(ours).unwrap();
        near("macro F1", named.macro_f1.low, case.low[0]);
        near("weighted F1", named.weighted_f1.low, case.low[1]);
        near(
            "balanced accuracy",
            named.balanced_accuracy.low,
            case.low[2],
        );
        near("first F1", named.f1[0].low, case.low[3]);
    }
}

#[test]
fn permutation_tests_are_scipys_with_the_same_permutations() {
    for case in oracle().permutation {
        let observed = gap(&case.right, &case.groups).unwrap().2;
        near(&case.name, observed, case.gap);
        let permuted: Vec<f64> = case
            .permuted
            .iter()
            .map(|groups| gap(&case.right, groups).unwrap().2)
            .collect();
        near(&case.name, p_value(observed, &permuted), case.p_value);
    }
}

#[test]
fn the_cases_can_tell_the_definitions_apart() {
    let oracle = oracle();
    let far = |a: f64, b: f64| (a - b).abs() > 0.01;
    assert!(
        oracle
            .mcnemar
            .iter()
            .any(|case| far(case.exact[1], case.chi_squared[1]))
    );
    for case in oracle
        .bootstrap
        .iter()
        .filter(|case| case.name != "all right")
    {
        assert!(far(case.low[0], case.low[1]) && far(case.low[1], case.low[2]));
        assert!(
            case.low
                .iter()
                .zip(&case.high)
                .all(|(low, high)| low < high)
        );
    }
    let tests: Vec<f64> = oracle.permutation.iter().map(|case| case.p_value).collect();
    assert!(tests.iter().any(|&p| p < 0.05) && tests.iter().any(|&p| p > 0.05));
}
