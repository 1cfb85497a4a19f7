//! How the network speaks for a class.

/// The logarithm of the probability of `class` by a row of logits, in nats, at most 0.
pub(super) fn log_probability(logits: &[f32], class: usize) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    logits[class] - largest - sum.ln()
}

/// The probability of `class`, 0 to 1.
pub(super) fn probability(logits: &[f32], class: usize) -> f32 {
    log_probability(logits, class).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_however_large_the_logits() {
        for logits in [[0.3, -1.2, 2.5], [400.0, -300.0, 401.0]] {
            let sum: f32 = (0..3).map(|class| probability(&logits, class)).sum();
            assert!((sum - 1.0).abs() < 1e-6);
            let apart = log_probability(&logits, 2) - log_probability(&logits, 0);
            assert!((apart - (logits[2] - logits[0])).abs() < 1e-4);
        }
        assert_eq!(log_probability(&[7.0], 0), 0.0);
    }
}
