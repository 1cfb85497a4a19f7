//! Softmax cross-entropy with soft labels.

use super::convolution::check_len;

/// The mean over the batch of the cross-entropy between `labels` and the softmax of `logits`, both
/// (batch, `classes`); a row of labels is a distribution, or any weights of the classes.
///
/// Where `gradient` (as long as `logits`) is given, it gets the loss's gradient for the logits. An
/// empty batch has loss NaN, as in PyTorch.
///
/// # Panics
/// If a length does not fit, or `classes` is 0.
pub fn cross_entropy(
    classes: usize,
    logits: &[f32],
    labels: &[f32],
    mut gradient: Option<&mut [f32]>,
) -> f32 {
    assert!(classes > 0, "no classes");
    check_len("logits", logits.len(), logits.len() / classes * classes);
    check_len("labels", labels.len(), logits.len());
    if let Some(gradient) = &gradient {
        check_len("gradient", gradient.len(), logits.len());
    }
    let batch = (logits.len() / classes) as f64;
    let mut loss = 0.0;
    let rows = logits
        .chunks_exact(classes)
        .zip(labels.chunks_exact(classes));
    for (row, (logits, labels)) in rows.enumerate() {
        let (shift, norm) = log_norm(logits);
        let mass: f64 = labels.iter().copied().map(f64::from).sum();
        for (class, (logit, label)) in logits.iter().zip(labels).enumerate() {
            let log = f64::from(*logit) - shift - norm;
            // A class without weight adds nothing even where its probability is zero.
            if *label != 0.0 {
                loss -= f64::from(*label) * log;
            }
            if let Some(gradient) = &mut gradient {
                let slope = (mass * log.exp() - f64::from(*label)) / batch;
                gradient[row * classes + class] = slope as f32;
            }
        }
    }
    (loss / batch) as f32
}

/// Writes the softmax of each row of `logits` (batch, `classes`) to `probabilities`.
///
/// # Panics
/// If a length does not fit, or `classes` is 0.
pub fn softmax(classes: usize, logits: &[f32], probabilities: &mut [f32]) {
    assert!(classes > 0, "no classes");
    check_len("logits", logits.len(), logits.len() / classes * classes);
    check_len("probabilities", probabilities.len(), logits.len());
    let rows = logits
        .chunks_exact(classes)
        .zip(probabilities.chunks_exact_mut(classes));
    for (logits, probabilities) in rows {
        let (shift, norm) = log_norm(logits);
        for (logit, probability) in logits.iter().zip(probabilities) {
            *probability = (f64::from(*logit) - shift - norm).exp() as f32;
        }
    }
}

/// The largest logit, and the logarithm of the sum of the exponentials of what they lie below it.
fn log_norm(logits: &[f32]) -> (f64, f64) {
    let shift = logits.iter().fold(f32::NEG_INFINITY, |most, logit| {
        if *logit > most || logit.is_nan() {
            *logit
        } else {
            most
        }
    });
    let shift = f64::from(shift);
    let sum: f64 = logits
        .iter()
        .map(|logit| (f64::from(*logit) - shift).exp())
        .sum();
    (shift, sum.ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::kernel::reference::numbers;

    #[test]
    fn the_loss_of_equal_logits_is_the_logarithm_of_their_number() {
        let loss = cross_entropy(4, &[3.0; 8], &[0.25; 8], None);
        assert!((loss - 4f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let classes = 5;
        let mut logits = numbers(3, 15).iter().map(|x| 4.0 * x).collect::<Vec<_>>();
        let labels: Vec<f32> = numbers(4, 15).iter().map(|x| x.abs()).collect();
        let mut gradient = vec![0.0; 15];
        cross_entropy(classes, &logits, &labels, Some(&mut gradient));
        for place in 0..15 {
            let logit = logits[place];
            let mut at = |value: f32| {
                logits[place] = value;
                f64::from(cross_entropy(classes, &logits, &labels, None))
            };
            let slope = (at(logit + 0.01) - at(logit - 0.01)) / 0.02;
            logits[place] = logit;
            assert!((slope - f64::from(gradient[place])).abs() < 1e-4);
        }
    }

    #[test]
    fn huge_logits_neither_overflow_nor_vanish() {
        let mut probabilities = [0.0; 3];
        softmax(3, &[1e30, 0.0, -1e30], &mut probabilities);
        assert_eq!(probabilities, [1.0, 0.0, 0.0]);
        assert_eq!(cross_entropy(2, &[200.0, -200.0], &[0.0, 1.0], None), 400.0);
    }

    #[test]
    fn a_nan_makes_its_row_and_the_loss_nan() {
        let mut probabilities = [0.0; 4];
        softmax(2, &[f32::NAN, 1.0, 0.0, 0.0], &mut probabilities);
        assert!(probabilities[..2].iter().all(|p| p.is_nan()));
        assert_eq!(probabilities[2..], [0.5, 0.5]);
        assert!(cross_entropy(2, &[f32::NAN, 1.0], &[0.5, 0.5], None).is_nan());
    }
}
