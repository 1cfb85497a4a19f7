//! How sure a network must be to be wrong no more often than wanted.
//!
//! [`measure`] turns the risk at each threshold, as validation pictures show it, into the steps that the
//! model file carries as its [`Abstention`]; `predict --abstain-risk R` takes the least threshold whose
//! risk was at most R.

use fer_model::file::{Abstention, AbstentionOrigin, AbstentionStep};

use crate::metrics::RiskCurve;

/// The steps of this curve, that of the pictures of `split` at the model's temperature; `None` for fewer
/// than [`Abstention::LEAST_ANSWERED`] pictures.
///
/// A threshold is a step where at least that many pictures are answered and the risk is lower than at
/// every lower threshold. Of more than [`Abstention::MOST_STEPS`] those are kept that are the first to
/// reach one of as many risks, spread evenly between the highest and the lowest.
pub fn measure(curve: &RiskCurve, split: &str) -> Option<Abstention> {
    let steps = thinned(steps(curve));
    (!steps.is_empty()).then(|| Abstention {
        steps,
        origin: AbstentionOrigin::Measured {
            split: split.into(),
            pictures: curve.pictures() as usize,
        },
    })
}

fn steps(curve: &RiskCurve) -> Vec<AbstentionStep> {
    let least = Abstention::LEAST_ANSWERED as u64;
    let pictures = curve.pictures() as f64;
    let mut steps: Vec<AbstentionStep> = Vec::new();
    let mut below: Option<f64> = None;
    for level in curve.levels().iter().rev() {
        if level.answered < least {
            break;
        }
        let is_lower = steps.last().is_none_or(|last| level.risk() < last.risk);
        if is_lower {
            steps.push(AbstentionStep {
                risk: level.risk(),
                threshold: below.map_or(0.0, |below| 0.5 * (below + level.threshold)),
                coverage: level.answered as f64 / pictures,
            });
        }
        below = Some(level.threshold);
    }
    steps
}

fn thinned(steps: Vec<AbstentionStep>) -> Vec<AbstentionStep> {
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else {
        return steps;
    };
    if steps.len() <= Abstention::MOST_STEPS {
        return steps;
    }
    let spaces = Abstention::MOST_STEPS - 1;
    let (highest, lowest) = (first.risk, last.risk);
    let mut kept: Vec<AbstentionStep> = Vec::new();
    for place in 0..=spaces {
        let risk = highest - (highest - lowest) * place as f64 / spaces as f64;
        let reached = steps.iter().find(|step| step.risk <= risk.max(lowest));
        if let Some(step) = reached.filter(|step| kept.last() != Some(step)) {
            kept.push(*step);
        }
    }
    kept
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Pictures from the surest on, of which those at `wrong` are wrong.
    fn curve(pictures: usize, wrong: impl Fn(usize) -> bool) -> RiskCurve {
        let sure = |place| 1.0 - place as f64 / 1e4;
        RiskCurve::new((0..pictures).map(|place| (sure(place), !wrong(place))))
    }

    #[test]
    fn a_step_is_the_least_threshold_of_its_risk_and_lies_between_two_pictures() {
        let found = measure(
            &curve(40, |place| [24, 30, 39].contains(&place)),
            "validation",
        )
        .unwrap();
        let steps: Vec<(f64, f64)> = found
            .steps
            .iter()
            .map(|it| (it.risk, it.coverage))
            .collect();
        // All 40 with 3 wrong; 39 with 2; 30 with 1; 24 with none.
        let expected = [(3.0, 40.0), (2.0, 39.0), (1.0, 30.0), (0.0, 24.0)];
        assert_eq!(
            steps,
            expected.map(|(wrong, answered)| (wrong / answered, answered / 40.0))
        );
        assert_eq!(found.steps[0].threshold, 0.0);
        assert!((found.steps[1].threshold - (1.0 - 38.5 / 1e4)).abs() < 1e-12);
        assert!(found.is_usable());
        assert_eq!(found.pictures(), 40);
    }

    #[test]
    fn fewer_answered_than_twenty_say_nothing() {
        assert_eq!(measure(&curve(19, |_| false), "validation"), None);
        let found = measure(&curve(30, |place| place >= 10), "validation").unwrap();
        let last = found.steps.last().unwrap();
        assert_eq!((last.coverage, last.risk), (20.0 / 30.0, 0.5));
    }

    #[test]
    fn a_dip_of_the_risk_lasts_until_it_is_undercut() {
        // Wrong at 22, so that the risk falls from 1/23 to 1/60, and at 60 to 69.
        let found = measure(
            &curve(100, |place| place == 22 || (60..70).contains(&place)),
            "validation",
        );
        let found = found.unwrap();
        // 3 of 62 are wrong, 4 of 63 too many.
        assert_eq!(found.at_risk(0.05).unwrap().coverage, 0.62);
        assert_eq!(found.at_risk(1.0 / 60.0).unwrap().coverage, 0.6);
        assert_eq!(found.at_risk(0.0).unwrap().coverage, 0.22);
    }

    #[test]
    fn many_steps_are_thinned_to_a_hundred_that_keep_both_ends_and_every_promise() {
        let whole = curve(5_000, |place| {
            place > 1_000 && (place * place) % 11 < place / 700
        });
        let all = steps(&whole);
        assert!(all.len() > 300, "{}", all.len());
        let kept = measure(&whole, "validation").unwrap();
        assert!(
            kept.is_usable() && kept.steps.len() > 80,
            "{}",
            kept.steps.len()
        );
        assert_eq!((kept.steps[0], kept.steps.last()), (all[0], all.last()));
        let spread = all[0].risk - kept.least_risk();
        for risk in (0..100).map(|part| kept.least_risk() + spread * f64::from(part) / 100.0) {
            let (thin, full) = (
                kept.at_risk(risk).unwrap(),
                Abstention {
                    steps: all.clone(),
                    ..kept.clone()
                },
            );
            let full = full.at_risk(risk).unwrap();
            assert!(thin.risk <= risk && thin.coverage <= full.coverage);
            assert!(full.risk - thin.risk <= spread / 50.0);
        }
    }
}
