//! Pictures and targets of one batch mixed with each other.

use std::f64::consts::TAU;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::augmentation::Augmentation;
use crate::random::stream;

/// How the pictures of one batch are mixed: each with a partner of the same batch, by mixup. The partners are
/// a permutation of the batch, and one share is drawn for all of it.
pub(super) struct Mixing {
    partners: Vec<usize>,
    /// How much of a picture and of its target is the partner's.
    taken: f32,
}

impl Mixing {
    /// What `settings` ask for in batch `number` of `epoch`, which has `count` pictures. `None` where nothing
    /// is on, and for a batch of one.
    ///
    /// It depends on the seed, the epoch and the number of the batch alone.
    pub(super) fn draw(
        count: usize,
        settings: &Augmentation,
        seed: u64,
        epoch: u64,
        number: usize,
    ) -> Option<Self> {
        if count < 2 || settings.mixup == 0.0 {
            return None;
        }
        let mut random = stream(seed, "mixing", (epoch << 32) | number as u64);
        let mut partners: Vec<usize> = (0..count).collect();
        partners.shuffle(&mut random);
        let share = symmetric_beta(settings.mixup, &mut random);
        let taken = share.min(1.0 - share) as f32;
        Some(Mixing { partners, taken })
    }

    /// The place of each picture's partner in the batch.
    pub(super) fn partners(&self) -> &[usize] {
        &self.partners
    }

    /// Mixes pictures of 48×48 with `others`: as many, each one's partner as it was before.
    pub(super) fn mix_pixels(&self, pixels: &mut [f32], others: &[f32]) {
        blend(pixels, others, self.taken);
    }

    /// Mixes the targets of the whole batch.
    pub(super) fn mix_targets(&self, targets: &mut [f32]) {
        let others = rows(targets, &self.partners);
        blend(targets, &others, self.taken);
    }
}

/// A row of `values` for each of the places in `order`, one after another.
pub(super) fn rows(values: &[f32], order: &[usize]) -> Vec<f32> {
    let length = values.len() / order.len().max(1);
    let mut rows = Vec::with_capacity(values.len());
    for &row in order {
        rows.extend_from_slice(&values[row * length..][..length]);
    }
    rows
}

/// Moves each of `values` by the share `taken` of the way to the other.
fn blend(values: &mut [f32], others: &[f32], taken: f32) {
    for (value, other) in values.iter_mut().zip(others) {
        *value += taken * (other - *value);
    }
}

/// A number from Beta(`alpha`, `alpha`), `alpha` above 0.
///
/// Bailey's polar method gives T of Student's t distribution with ν = 2·alpha degrees of freedom
/// from two uniform numbers, T² = ν(U^(−2/ν) − 1)·cos²(2πV) (Bailey 1994, "Polar generation of
/// random variates with the t-distribution"), and ½ + T / (2√(ν + T²)) has this distribution
/// (Devroye 1996, "Random variate generation in one line of code"). It is exact and rejects
/// nothing. It is written here in U^(1/alpha), which may become 0 but never infinite.
fn symmetric_beta(alpha: f32, random: &mut impl Rng) -> f64 {
    let power = random.random::<f64>().powf(1.0 / f64::from(alpha));
    let cosine = (TAU * random.random::<f64>()).cos();
    let spread = (1.0 - power) / (cosine * cosine * (1.0 - power) + power);
    (0.5 + 0.5 * cosine * spread.sqrt()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::{Batch, Pixels};
    use super::*;
    use crate::picture::PIXELS;

    impl Mixing {
        /// A whole batch.
        pub(in super::super) fn mix(&self, batch: &mut Batch) {
            let mut values = batch.pixels.scaled().into_owned();
            let others = rows(&values, &self.partners);
            self.mix_pixels(&mut values, &others);
            batch.pixels = Pixels::Changed(values);
            self.mix_targets(&mut batch.targets);
        }
    }

    const COUNT: usize = 16;

    /// Pictures of one value each, spread over 0 to 1, each of a class of its own.
    fn plain(count: usize) -> Batch {
        let value = |picture: usize| picture as f32 / count as f32;
        Batch {
            indices: (0..count).collect(),
            labels: (0..count).collect(),
            pixels: Pixels::Changed((0..count * PIXELS).map(|at| value(at / PIXELS)).collect()),
            targets: (0..count * count)
                .map(|at| f32::from(at / count == at % count))
                .collect(),
        }
    }

    fn mixed(mixup: f32, number: usize) -> Batch {
        let settings = Augmentation {
            mixup,
            ..Augmentation::default()
        };
        let mut batch = plain(COUNT);
        if let Some(mixing) = Mixing::draw(COUNT, &settings, 4, 1, number) {
            mixing.mix(&mut batch);
        }
        batch
    }

    /// The value that a target of [`plain`] stands for.
    fn expected(target: &[f32]) -> f32 {
        let values = target.iter().enumerate();
        values
            .map(|(class, share)| share * class as f32 / COUNT as f32)
            .sum()
    }

    #[test]
    fn mixup_blends_pictures_as_it_blends_targets_and_the_label_has_the_greater_share() {
        for number in 0..50 {
            let batch = mixed(0.4, number);
            assert_eq!(batch.labels, plain(COUNT).labels);
            let mut partners = 0;
            for (picture, label) in batch.labels.iter().enumerate() {
                let target = &batch.targets[picture * COUNT..][..COUNT];
                assert!((target.iter().sum::<f32>() - 1.0).abs() < 1e-6);
                assert!(target[*label] >= 0.5, "{target:?}");
                partners += target.iter().filter(|&&share| share > 0.0).count() - 1;
                for value in &batch.pixels.scaled()[picture * PIXELS..][..PIXELS] {
                    assert!((value - expected(target)).abs() < 1e-6);
                }
            }
            assert!(partners <= COUNT);
        }
        let first = mixed(0.4, 0);
        assert_ne!(first, plain(COUNT));
        assert_eq!(first, mixed(0.4, 0));
        assert_ne!(first, mixed(0.4, 1), "another batch of the epoch");
    }

    #[test]
    fn a_batch_of_one_stays_as_it_is() {
        let settings = Augmentation {
            mixup: 1.0,
            ..Augmentation::default()
        };
        assert!(Mixing::draw(1, &settings, 4, 1, 0).is_none());
        assert!(Mixing::draw(2, &settings, 4, 1, 0).is_some());
    }

    #[test]
    fn beta_has_the_mean_the_variance_and_the_shape_of_its_definition() {
        const DRAWS: usize = 100_000;
        for alpha in [0.01f32, 0.2, 1.0, 4.0] {
            let mut random = stream(3, "test", 0);
            let values: Vec<f64> = (0..DRAWS)
                .map(|_| symmetric_beta(alpha, &mut random))
                .collect();
            assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
            let mean = values.iter().sum::<f64>() / DRAWS as f64;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / DRAWS as f64;
            let expected = 0.25 / (2.0 * f64::from(alpha) + 1.0);
            assert!((mean - 0.5).abs() < 0.006, "{alpha}: mean {mean}");
            assert!(
                (variance / expected - 1.0).abs() < 0.015,
                "{alpha}: variance {variance}, expected {expected}"
            );
            let below =
                |bound| values.iter().filter(|&&value| value < bound).count() as f64 / DRAWS as f64;
            // The distribution function: x for alpha 1, x⁴(35 − 84x + 70x² − 20x³) for alpha 4.
            if alpha == 1.0 {
                assert!((below(0.1) - 0.1).abs() < 0.005, "{}", below(0.1));
            } else if alpha == 4.0 {
                assert!((below(0.3) - 0.126_036).abs() < 0.005, "{}", below(0.3));
            }
        }
    }
}
