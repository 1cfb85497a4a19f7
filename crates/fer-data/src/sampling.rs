//! Which pictures an epoch trains on.

use rand::RngExt;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::random::stream;

/// How an epoch draws from the pictures that train. The default takes each once, as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sampling {
    /// How far the classes are evened out: a picture comes in an epoch with a frequency
    /// proportional to n^(−`balanced`), n the pictures of its class, while the epoch keeps its
    /// length. 0 takes each picture once, ½ is the square-root sampling of Mikolov et al. 2013, 1
    /// takes every class equally often (both in Kang et al. 2020, "Decoupling representation and
    /// classifier for long-tailed recognition", section 3.1). 0 to 1. Default 0.
    pub balanced: f32,
}

impl Sampling {
    /// Checks the range.
    ///
    /// # Errors
    /// [`DataError::Setting`], naming the field.
    pub fn check(&self) -> Result<(), DataError> {
        if (0.0..=1.0).contains(&self.balanced) {
            return Ok(());
        }
        Err(DataError::Setting {
            name: "sampling.balanced",
            value: self.balanced.to_string(),
            expected: "a number from 0 (each picture once) to 1 (every class equally often)",
        })
    }

    /// As many of `pictures`, whose classes `label` tells, as there are, in random order.
    ///
    /// Drawn by systematic sampling (Madow 1949): a picture that is expected r times comes ⌊r⌋ or
    /// ⌈r⌉ times, with the right chance of either, and a class, whose pictures lie side by side in
    /// random order while they are drawn, comes as often as expected, give or take one. Independent
    /// draws would have the same mean and would leave out a third of what is expected once.
    pub(crate) fn draw(
        &self,
        mut pictures: Vec<usize>,
        label: impl Fn(usize) -> usize,
        seed: u64,
        epoch: u64,
    ) -> Vec<usize> {
        if self.balanced == 0.0 || pictures.is_empty() {
            return pictures;
        }
        let mut random = stream(seed, "sampling", epoch);
        pictures.shuffle(&mut random);
        pictures.sort_by_key(|&index| label(index));
        let count = pictures.len() as f64;
        let same = pictures.chunk_by(|&one, &other| label(one) == label(other));
        let weights: Vec<f64> = same
            .flat_map(|class| {
                let weight = (class.len() as f64).powf(-f64::from(self.balanced));
                class.iter().map(move |_| weight)
            })
            .collect();
        let total: f64 = weights.iter().sum();
        let start = f64::from(random.random::<f32>());
        let (mut sum, mut drawn) = (0.0, Vec::with_capacity(pictures.len()));
        for (place, (&index, weight)) in pictures.iter().zip(weights).enumerate() {
            sum += weight;
            let last = place + 1 == pictures.len();
            let end = if last { count } else { count * sum / total };
            while drawn.len() < (end + start) as usize {
                drawn.push(index);
            }
        }
        drawn.shuffle(&mut random);
        drawn
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// 800 pictures of class 0, 150 of class 1, 50 of class 2.
    fn label(index: usize) -> usize {
        match index {
            0..800 => 0,
            800..950 => 1,
            _ => 2,
        }
    }

    fn draw(balanced: f32, epoch: u64) -> Vec<usize> {
        let sampling = Sampling { balanced };
        sampling.draw((0..1000).collect(), label, 6, epoch)
    }

    fn counts(drawn: &[usize]) -> [usize; 3] {
        let mut counts = [0; 3];
        drawn.iter().for_each(|&index| counts[label(index)] += 1);
        counts
    }

    #[test]
    fn classes_come_as_often_as_the_power_of_their_size_says_and_an_epoch_keeps_its_length() {
        assert_eq!(draw(0.0, 0), (0..1000).collect::<Vec<_>>());
        for epoch in 0..20 {
            for balanced in [0.3f32, 0.5, 1.0] {
                let drawn = draw(balanced, epoch);
                assert_eq!(drawn.len(), 1000);
                let share = |count: f32| count.powf(1.0 - balanced);
                let total: f32 = [800.0, 150.0, 50.0].map(share).iter().sum();
                let expected = [800.0, 150.0, 50.0].map(|count| 1000.0 * share(count) / total);
                for (found, expected) in counts(&drawn).into_iter().zip(expected) {
                    assert!(
                        (found as f32 - expected).abs() < 1.01,
                        "{balanced}: {found}, expected {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn pictures_of_a_class_take_turns_over_the_epochs() {
        let mut times = vec![0u32; 1000];
        for epoch in 0..600 {
            draw(1.0, epoch).iter().for_each(|&index| times[index] += 1);
        }
        for (index, &times) in times.iter().enumerate() {
            let expected = 600.0 * 1000.0 / 3.0 / [800.0, 150.0, 50.0][label(index)];
            let found = f64::from(times);
            assert!(
                (found - expected).abs() < 4.5 * 600f64.sqrt() / 2.0,
                "{index}: {found}, expected {expected}"
            );
        }
    }

    #[test]
    fn the_draw_depends_on_the_epoch_and_its_order_is_random() {
        assert_eq!(draw(0.5, 3), draw(0.5, 3));
        assert_ne!(draw(0.5, 3), draw(0.5, 4));
        let drawn = draw(1.0, 3);
        let half = counts(&drawn[..500]);
        assert!(
            half.iter().all(|count| (130..205).contains(count)),
            "{half:?}"
        );
    }

    #[test]
    fn a_setting_out_of_range_is_refused_by_name() {
        assert!(Sampling::default().check().is_ok());
        for balanced in [-0.1, 1.1, f32::NAN] {
            let sampling = Sampling { balanced };
            let refused = sampling.check().unwrap_err().to_string();
            assert!(refused.contains("sampling.balanced"), "{refused}");
        }
    }
}
