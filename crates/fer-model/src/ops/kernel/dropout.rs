//! Dropout whose mask is a function of seed and place, so that no thread can change it.

use rayon::prelude::*;

use super::convolution::check_len;

/// Numbers that a thread handles at a time.
const CHUNK: usize = 32 * 1024;

/// Inverted dropout: each number is multiplied by zero with probability `rate`, else by
/// `1 / (1 - rate)`. The same instance drops the same places forward and backward.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The share that is dropped, 0 to 1.
    pub rate: f32,
    /// What the mask depends on: another for every layer and step.
    pub seed: u64,
}

impl Dropout {
    /// Whether the number at `place` is dropped.
    pub fn drops(&self, place: usize) -> bool {
        // The upper 24 bits are a uniform number that `f32` holds exactly.
        let uniform = (hash(self.seed, place as u64) >> 40) as f32 / (1u32 << 24) as f32;
        uniform < self.rate
    }

    /// Writes `x`, or a gradient, with the dropped places zero and the others scaled, to `y`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn apply(&self, x: &[f32], y: &mut [f32]) {
        check_len("output", y.len(), x.len());
        let chunks = y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK));
        chunks.enumerate().for_each(|(chunk, (y, x))| {
            let places = chunk * CHUNK..;
            for ((y, x), place) in y.iter_mut().zip(x).zip(places) {
                *y = self.scaled(*x, place);
            }
        });
    }

    /// As [`apply`](Self::apply), in place.
    pub fn apply_in_place(&self, x: &mut [f32]) {
        x.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, x)| {
            for (x, place) in x.iter_mut().zip(chunk * CHUNK..) {
                *x = self.scaled(*x, place);
            }
        });
    }

    #[inline(always)]
    fn scaled(&self, x: f32, place: usize) -> f32 {
        // A product, so that NaN and infinity stay visible where they are dropped.
        x * if self.drops(place) {
            0.0
        } else {
            1.0 / (1.0 - self.rate)
        }
    }
}

/// SplitMix64 (Steele, Lea & Flood 2014) as a function of seed and counter.
#[inline(always)]
fn hash(seed: u64, place: u64) -> u64 {
    let mut state = seed.wrapping_add(place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::kernel::reference::with_threads;

    #[test]
    fn the_rate_is_the_share_and_the_mean_stays() {
        for rate in [0.1, 0.5] {
            let dropout = Dropout { rate, seed: 7 };
            let mut y = vec![0.0; 100_000];
            dropout.apply(&vec![1.0; 100_000], &mut y);
            let dropped = y.iter().filter(|y| **y == 0.0).count() as f32 / 1e5;
            assert!((dropped - rate).abs() < 0.01);
            assert!((y.iter().sum::<f32>() / 1e5 - 1.0).abs() < 0.01);
        }
    }

    #[test]
    fn the_mask_depends_on_the_seed_and_not_on_the_threads() {
        let run = |threads, seed| {
            with_threads(threads, || {
                let mut x = vec![1.0; 3 * CHUNK];
                Dropout { rate: 0.5, seed }.apply_in_place(&mut x);
                x
            })
        };
        assert_eq!(run(1, 1), run(4, 1));
        assert_ne!(run(1, 1), run(1, 2));
    }

    #[test]
    fn rates_of_zero_and_one_keep_and_drop_everything() {
        let mut y = [0.0; 3];
        Dropout { rate: 0.0, seed: 1 }.apply(&[1.0, f32::NAN, 3.0], &mut y);
        assert_eq!((y[0], y[2]), (1.0, 3.0));
        assert!(y[1].is_nan());
        Dropout { rate: 1.0, seed: 1 }.apply(&[1.0, 2.0, 3.0], &mut y);
        assert_eq!(y, [0.0; 3]);
    }
}
