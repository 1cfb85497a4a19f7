//! Intervals of figures that are no plain shares.

use fer_data::random::stream;
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::interval::{Interval, LEVEL};

/// The percentile bootstrap: the pictures are drawn anew with replacement, as many as there are, the
/// figure is computed of each such resample, and the interval runs from its quantile 0.025 to 0.975.
///
/// Bradley Efron: Bootstrap Methods: Another Look at the Jackknife, Annals of Statistics 7 (1979);
/// `scipy.stats.bootstrap(method="percentile")`. It takes pictures for independent of each other, so
/// where one person gave many it is too narrow; and a figure of very few pictures, or one that is 1 in
/// all resamples, has an interval that looks surer than it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// How many resamples are drawn. Default 2,000.
    pub resamples: u64,
    /// Of the streams `bootstrap` of [`fer_data::random`], one a resample. Default 0.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Bootstrap {
            resamples: 2_000,
            seed: 0,
        }
    }
}

impl Bootstrap {
    /// The interval of each figure that `figures` makes of a resample, which it is given as n indices
    /// below n; none for n = 0. The bits do not depend on the number of threads.
    ///
    /// # Panics
    /// Where `figures` does not always make the same number of them.
    pub fn intervals(
        &self,
        n: usize,
        figures: impl Fn(&[usize]) -> Vec<f64> + Sync,
    ) -> Vec<Interval> {
        if n == 0 {
            return Vec::new();
        }
        let resample = |index: u64| figures(&self.resample(n, index));
        let resamples: Vec<Vec<f64>> = (0..self.resamples).into_par_iter().map(resample).collect();
        percentile_intervals(&resamples)
    }

    /// The indices of one resample: n drawn with replacement from those below n.
    pub fn resample(&self, n: usize, index: u64) -> Vec<usize> {
        let mut stream = stream(self.seed, "bootstrap", index);
        (0..n).map(|_| stream.random_range(0..n)).collect()
    }
}

/// The interval of each figure, of its values in all resamples: `resamples[i][k]` is figure k of
/// resample i. Quantiles lie between the two nearest values, as `numpy.percentile` has them.
///
/// # Panics
/// Where the resamples do not all have the same number of figures.
pub fn percentile_intervals(resamples: &[Vec<f64>]) -> Vec<Interval> {
    let figures = resamples.first().map_or(0, Vec::len);
    let tail = (1.0 - LEVEL) / 2.0;
    let interval = |figure: usize| {
        let mut values: Vec<f64> = resamples.iter().map(|resample| resample[figure]).collect();
        values.sort_by(f64::total_cmp);
        Interval {
            low: quantile(&values, tail),
            high: quantile(&values, 1.0 - tail),
        }
    };
    assert!(
        resamples.iter().all(|resample| resample.len() == figures),
        "number of figures"
    );
    (0..figures).map(interval).collect()
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = share * (sorted.len() - 1) as f64;
    let below = sorted[rank.floor() as usize];
    let above = sorted[rank.ceil() as usize];
    below + (above - below) * rank.fract()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rayon::ThreadPoolBuilder;

    use super::*;

    fn mean(values: &[f64]) -> impl Fn(&[usize]) -> Vec<f64> + Sync + '_ {
        |indices| {
            let sum: f64 = indices.iter().map(|&index| values[index]).sum();
            vec![sum / indices.len() as f64]
        }
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_normal_distribution() {
        let values: Vec<f64> = (0..400).map(|index| f64::from(index % 2)).collect();
        let found = Bootstrap::default().intervals(400, mean(&values))[0];
        // 1.96 · √(0.25 / 400)
        assert!((found.low - 0.451).abs() < 0.006, "{found:?}");
        assert!((found.high - 0.549).abs() < 0.006, "{found:?}");
    }

    #[test]
    fn the_bits_depend_on_the_seed_and_not_on_the_number_of_threads() {
        let values: Vec<f64> = (0..50).map(|index| 1.0 / f64::from(index + 1)).collect();
        let on = |threads: usize, seed: u64| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            let bootstrap = Bootstrap {
                resamples: 300,
                seed,
            };
            pool.unwrap()
                .install(|| bootstrap.intervals(values.len(), mean(&values)))
        };
        assert_eq!(on(1, 0), on(3, 0));
        assert_ne!(on(1, 0), on(1, 1));
    }

    #[test]
    fn a_resample_draws_with_replacement_from_first_to_last() {
        let drawn = Bootstrap::default().resample(20, 4);
        assert_eq!(drawn.len(), 20);
        let distinct: std::collections::BTreeSet<_> = drawn.iter().collect();
        assert!(distinct.len() < 20);
        let all: std::collections::BTreeSet<usize> = (0..20)
            .flat_map(|index| Bootstrap::default().resample(20, index))
            .collect();
        assert_eq!(all, (0..20).collect());
    }

    #[test]
    fn quantiles_lie_between_values() {
        let resamples: Vec<Vec<f64>> = (0..=100)
            .rev()
            .map(|value| vec![f64::from(value)])
            .collect();
        let interval = percentile_intervals(&resamples)[0];
        assert!((interval.low - 2.5).abs() < 1e-12 && (interval.high - 97.5).abs() < 1e-12);
        assert!(Bootstrap::default().intervals(0, |_| vec![1.0]).is_empty());
    }
}
