//! What is explained of a class: how the network speaks for it.

/// The log-odds of `class` against all others, ln(p / (1 − p)) with p its probability, from a row of
/// logits: z_class − ln Σ exp(z_other). Unlike p and ln p it does not saturate where the network is
/// sure. Of a single class it is the logit.
pub(super) fn log_odds(logits: &[f32], class: usize) -> f32 {
    let others = logits.iter().enumerate().filter(|&(own, _)| own != class);
    let others = others.map(|(_, &logit)| logit);
    let largest = others.clone().fold(f32::NEG_INFINITY, f32::max);
    if largest == f32::NEG_INFINITY {
        return logits[class];
    }
    let sum: f32 = others.map(|logit| (logit - largest).exp()).sum();
    logits[class] - largest - sum.ln()
}

/// The probability of `class`, 0 to 1.
pub(super) fn probability(logits: &[f32], class: usize) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    (logits[class] - largest).exp() / sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_odds_are_those_of_the_probability() {
        let logits = [0.3, -1.2, 2.5];
        for class in 0..3 {
            let p = probability(&logits, class);
            let expected = (p / (1.0 - p)).ln();
            assert!((log_odds(&logits, class) - expected).abs() < 1e-5);
        }
        assert!((0..3).map(|class| probability(&logits, class)).sum::<f32>() - 1.0 < 1e-6);
    }

    #[test]
    fn they_stay_apart_where_probabilities_are_one() {
        assert_eq!(probability(&[60.0, 0.0], 0), probability(&[90.0, 0.0], 0));
        assert_eq!(log_odds(&[60.0, 0.0], 0), 60.0);
        assert_eq!(log_odds(&[90.0, 0.0], 0), 90.0);
        assert_eq!(log_odds(&[7.0], 0), 7.0);
    }
}
