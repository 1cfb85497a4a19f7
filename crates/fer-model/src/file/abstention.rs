use serde::{Deserialize, Serialize};

/// How sure a network must be for its answers to be wrong no more often than wanted: what its answers
/// for validation pictures came to at each threshold of the top probability.
///
/// A network that may abstain answers a picture where its top probability is at least the threshold, and
/// is unsure about the others. Yonatan Geifman, Ran El-Yaniv: Selective Classification for Deep Neural
/// Networks, NeurIPS 2017. The risk is that of the pictures that were counted: on others it varies about
/// it, the more the fewer they were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abstention {
    /// Thresholds ascending with falling risk and coverage, at least one and at most
    /// [`MOST_STEPS`](Self::MOST_STEPS). Each is the least threshold at which the risk is as low as its
    /// own, with at least [`LEAST_ANSWERED`](Self::LEAST_ANSWERED) pictures answered. The first answers
    /// every picture: its threshold is 0.
    pub steps: Vec<AbstentionStep>,
    /// Where they come from.
    pub origin: AbstentionOrigin,
}

/// What a threshold came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbstentionStep {
    /// The share of the answered pictures that was wrong, in [0, 1].
    pub risk: f64,
    /// The least top probability, at the model's temperature, that is answered, in [0, 1]. It lies
    /// halfway between those of two pictures.
    pub threshold: f64,
    /// The share of the pictures that was answered, in (0, 1].
    pub coverage: f64,
}

/// Where the steps come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AbstentionOrigin {
    /// This network's answers for pictures of its data set.
    Measured {
        /// The split of those pictures.
        split: String,
        /// How many they were.
        pictures: usize,
    },
    /// Another network's, from whose model file they were carried over to this one.
    CarriedOver {
        /// How many pictures they were.
        pictures: usize,
    },
}

impl Abstention {
    /// With fewer pictures answered, one more mistake is more than five points of risk.
    pub const LEAST_ANSWERED: usize = 20;

    /// More steps than this add nothing that a person would ask for.
    pub const MOST_STEPS: usize = 100;

    /// The step of the least threshold, and so of the greatest coverage, whose risk is at most `risk`, in
    /// [0, 1]; `None` where the risk was never so low.
    pub fn at_risk(&self, risk: f64) -> Option<AbstentionStep> {
        self.steps.iter().copied().find(|step| step.risk <= risk)
    }

    /// The lowest risk that was reached, in [0, 1].
    pub fn least_risk(&self) -> f64 {
        self.steps.last().map_or(1.0, |step| step.risk)
    }

    /// The number of pictures that were counted.
    pub fn pictures(&self) -> usize {
        match self.origin {
            AbstentionOrigin::Measured { pictures, .. }
            | AbstentionOrigin::CarriedOver { pictures } => pictures,
        }
    }

    /// Whether the steps are what they claim to be: shares, in their order, from a first that answers
    /// everything.
    pub fn is_usable(&self) -> bool {
        let is_share = |value: f64| (0.0..=1.0).contains(&value);
        let are_shares = self
            .steps
            .iter()
            .all(|step| is_share(step.risk) && is_share(step.threshold) && is_share(step.coverage));
        let are_ordered = self.steps.windows(2).all(|pair| {
            pair[0].risk > pair[1].risk
                && pair[0].threshold < pair[1].threshold
                && pair[0].coverage > pair[1].coverage
        });
        let answers_all = self.steps.first().is_some_and(|step| step.threshold == 0.0);
        let is_short = self.steps.len() <= Self::MOST_STEPS;
        are_shares && are_ordered && answers_all && is_short
    }

    /// The same steps, as another network's carry them.
    #[must_use]
    pub fn carried_over(self) -> Self {
        let pictures = self.pictures();
        Abstention {
            origin: AbstentionOrigin::CarriedOver { pictures },
            ..self
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn abstention() -> Abstention {
        let step = |(risk, threshold, coverage)| AbstentionStep {
            risk,
            threshold,
            coverage,
        };
        let steps = [(0.2, 0.0, 1.0), (0.1, 0.5, 0.75), (0.02, 0.9, 0.25)];
        Abstention {
            steps: steps.map(step).into(),
            origin: AbstentionOrigin::Measured {
                split: "validation".into(),
                pictures: 80,
            },
        }
    }

    #[test]
    fn a_risk_gets_the_least_threshold_that_kept_it() {
        let abstention = abstention();
        let threshold = |risk| abstention.at_risk(risk).map(|step| step.threshold);
        assert_eq!(threshold(0.5), Some(0.0));
        assert_eq!(threshold(0.2), Some(0.0));
        assert_eq!(threshold(0.19), Some(0.5));
        assert_eq!(threshold(0.02), Some(0.9));
        assert_eq!(threshold(0.01), None);
        assert_eq!(abstention.least_risk(), 0.02);
    }

    #[test]
    fn steps_out_of_order_or_range_are_not_usable() {
        assert!(abstention().is_usable());
        assert!(abstention().carried_over().is_usable());
        let changes: [fn(&mut Vec<AbstentionStep>); 7] = [
            |steps| steps.clear(),
            |steps| steps.swap(0, 1),
            |steps| steps[0].threshold = 0.1,
            |steps| steps[1].risk = 0.01,
            |steps| steps[2].coverage = 0.8,
            |steps| steps[2].threshold = 1.1,
            |steps| steps[1].risk = f64::NAN,
        ];
        for change in changes {
            let mut changed = abstention();
            change(&mut changed.steps);
            assert!(!changed.is_usable(), "{changed:?}");
        }
    }

    #[test]
    fn json_brings_them_back_and_unknown_keys_are_refused() {
        let json = serde_json::to_string(&abstention()).unwrap();
        let read: Abstention = serde_json::from_str(&json).unwrap();
        assert_eq!(read, abstention());
        let broken = json.replace("coverage", "cover");
        assert!(serde_json::from_str::<Abstention>(&broken).is_err());
    }
}
