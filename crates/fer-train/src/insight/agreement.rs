//! How far regions that a network looks at are those that EMFACS names.

use fer_data::{Expression, Region};

use super::Agreement;

impl Agreement {
    /// The agreement of densities, in the order of [`Region::ALL`], with the regions of an
    /// expression; `None` where EMFACS names none.
    pub fn of(expression: Expression, densities: &[f64; Region::ALL.len()]) -> Option<Agreement> {
        let mut units = [0.0; Region::ALL.len()];
        for (region, count) in expression.regions() {
            units[region.index()] = count as f64;
        }
        let named = units.map(|count| count > 0.0);
        let average_precision = average_precision(densities, &named)?;
        Some(Agreement {
            rank_correlation: spearman(densities, &units),
            average_precision,
            overlap: overlap(densities, &named),
        })
    }

    /// The mean of several; `None` of none.
    pub fn mean(several: &[Agreement]) -> Option<Agreement> {
        let mean = |value: fn(&Agreement) -> f64| {
            several.iter().map(value).sum::<f64>() / several.len() as f64
        };
        (!several.is_empty()).then(|| Agreement {
            rank_correlation: mean(|agreement| agreement.rank_correlation),
            average_precision: mean(|agreement| agreement.average_precision),
            overlap: mean(|agreement| agreement.overlap),
        })
    }
}

/// Spearman's rank correlation of two lists of one length, −1 to 1: Pearson's correlation of the
/// ranks, equals sharing the mean of theirs. 0, and not undefined, where one list is all equal: it
/// orders nothing.
pub fn spearman(one: &[f64], other: &[f64]) -> f64 {
    let (one, other) = (ranks(one), ranks(other));
    let middle = (one.len() as f64 + 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| (a - middle) * (b - middle)).sum()
    };
    let spread = product(&one, &one) * product(&other, &other);
    if spread > 0.0 {
        product(&one, &other) / spread.sqrt()
    } else {
        0.0
    }
}

/// Ranks from 1, the least first.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        below as f64 + (equal as f64 + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

/// The average precision of scores in finding what is wanted, 0 to 1, as scikit-learn's
/// `average_precision_score`: Σ (recall gained) · precision over falling thresholds, equals passing
/// together. `None` where nothing is wanted.
pub fn average_precision(scores: &[f64], wanted: &[bool]) -> Option<f64> {
    let all = wanted.iter().filter(|&&wanted| wanted).count();
    let mut thresholds = scores.to_vec();
    thresholds.sort_by(|one, other| other.total_cmp(one));
    thresholds.dedup();
    let (mut area, mut before) = (0.0, 0);
    for threshold in thresholds {
        let passing = scores
            .iter()
            .zip(wanted)
            .filter(|(score, _)| **score >= threshold);
        let (found, passed) = passing.fold((0, 0), |(found, passed), (_, &wanted)| {
            (found + usize::from(wanted), passed + 1)
        });
        area += (found - before) as f64 / all.max(1) as f64 * found as f64 / f64::from(passed);
        before = found;
    }
    (all > 0).then_some(area)
}

/// Of as many of the highest scores as are wanted, the share that is; of equal scores the first comes
/// first.
fn overlap(scores: &[f64], wanted: &[bool]) -> f64 {
    let all = wanted.iter().filter(|&&wanted| wanted).count();
    let mut places: Vec<usize> = (0..scores.len()).collect();
    places.sort_by(|&one, &other| scores[other].total_cmp(&scores[one]));
    let found = places[..all].iter().filter(|&&place| wanted[place]).count();
    found as f64 / all.max(1) as f64
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_very_regions_agree_wholly_and_others_do_not() {
        // Sad: brow by two units, mouth by one.
        let right = Agreement::of(Expression::Sad, &[3.0, 0.1, 0.2, 0.3, 1.0, 0.4]).unwrap();
        assert_eq!((right.average_precision, right.overlap), (1.0, 1.0));
        assert!(right.rank_correlation > 0.75, "{}", right.rank_correlation);
        let wrong = Agreement::of(Expression::Sad, &[0.1, 3.0, 2.0, 2.0, 0.2, 2.0]).unwrap();
        assert_eq!(wrong.overlap, 0.0);
        assert!(wrong.rank_correlation < -0.7, "{}", wrong.rank_correlation);
        assert!(wrong.average_precision < 0.3);
        assert_eq!(Agreement::of(Expression::Neutral, &[1.0; 6]), None);
    }

    #[test]
    fn a_list_of_equals_orders_nothing() {
        assert_eq!(spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), 0.0);
        assert_eq!(spearman(&[4.0, 5.0, 9.0], &[1.0, 2.0, 3.0]), 1.0);
        assert_eq!(average_precision(&[1.0, 1.0], &[true, false]), Some(0.5));
        assert_eq!(average_precision(&[1.0, 1.0], &[false, false]), None);
    }

    #[test]
    fn the_mean_is_over_each_figure() {
        let agreement = |value| Agreement {
            rank_correlation: value,
            average_precision: value / 2.0,
            overlap: 0.5,
        };
        let mean = Agreement::mean(&[agreement(0.2), agreement(0.6)]).unwrap();
        assert!((mean.rank_correlation - 0.4).abs() < 1e-12);
        assert!((mean.average_precision - 0.2).abs() < 1e-12);
        assert_eq!((mean.overlap, Agreement::mean(&[])), (0.5, None));
    }
}
