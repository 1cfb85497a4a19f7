//! How a network's probabilities compare with the votes of people: what `votes` holds in
//! `metrics.json`.

use fer_model::most_probable;
use serde::{Deserialize, Serialize};

/// The agreement between probabilities and the shares of votes, as means over the pictures that people
/// voted on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VoteAgreement {
    /// How many pictures have votes.
    pub n: u64,
    /// The Jensen–Shannon divergence of votes and probabilities, in nats, in [0, ln 2]: 0 where they are
    /// equal. Jianhua Lin: Divergence measures based on the Shannon entropy, IEEE Transactions on
    /// Information Theory 37, 1991; the square of scipy's `jensenshannon`.
    pub jensen_shannon: f64,
    /// The Kullback–Leibler divergence of the probabilities from the votes, in nats, at least 0.
    pub kullback_leibler: f64,
    /// The cosine of the angle between the two, in [0, 1]: 1 where they are equal.
    pub cosine: f64,
    /// The share of votes that the predicted class has, in [0, 1]: how often a random voter agrees.
    pub vote_share: f64,
    /// The share of pictures whose predicted class has a vote at all, in [0, 1].
    pub voted_for: f64,
    /// The share of pictures whose predicted class has as many votes as any other, in [0, 1].
    pub most_voted: f64,
    /// The entropy of the votes, in nats: how far people disagree among themselves.
    pub entropy: f64,
}

impl VoteAgreement {
    /// Over pictures, each with the shares of its votes, summing to 1, and its natural
    /// log-probabilities; `None` without a picture.
    ///
    /// # Panics
    /// Where a picture has not as many log-probabilities as shares.
    pub fn new<'a>(pictures: impl IntoIterator<Item = (&'a [f32], &'a [f32])>) -> Option<Self> {
        let mut n = 0_u64;
        let mut sums = [0.0; 7];
        for (votes, log_probabilities) in pictures {
            assert_eq!(votes.len(), log_probabilities.len(), "number of classes");
            n += 1;
            for (sum, value) in sums.iter_mut().zip(agreement(votes, log_probabilities)) {
                *sum += value;
            }
        }
        let [
            jensen_shannon,
            kullback_leibler,
            cosine,
            vote_share,
            voted_for,
            most_voted,
            entropy,
        ] = sums.map(|sum| sum / n.max(1) as f64);
        (n > 0).then_some(VoteAgreement {
            n,
            jensen_shannon,
            kullback_leibler,
            cosine,
            vote_share,
            voted_for,
            most_voted,
            entropy,
        })
    }
}

/// The entropy of shares that sum to 1, in nats.
pub(crate) fn entropy(shares: &[f32]) -> f64 {
    let terms = shares.iter().map(|&share| f64::from(share));
    // From 0, because one share of 1 alone would give a zero with a minus.
    terms
        .filter(|&share| share > 0.0)
        .fold(0.0, |sum, share| sum - share * share.ln())
}

/// Of one picture, in the order of the fields.
fn agreement(votes: &[f32], log_probabilities: &[f32]) -> [f64; 7] {
    let (mut shannon, mut leibler) = (0.0, 0.0);
    let (mut product, mut squares) = (0.0, [0.0; 2]);
    for (&vote, &log) in votes.iter().zip(log_probabilities) {
        let (vote, log) = (f64::from(vote), f64::from(log));
        let probability = log.exp();
        let middle = (0.5 * (vote + probability)).ln();
        if vote > 0.0 {
            leibler += vote * (vote.ln() - log);
            shannon += 0.5 * vote * (vote.ln() - middle);
        }
        if probability > 0.0 {
            shannon += 0.5 * probability * (log - middle);
        }
        product += vote * probability;
        squares = [
            squares[0] + vote * vote,
            squares[1] + probability * probability,
        ];
    }
    let share = votes[most_probable(log_probabilities)];
    let largest = votes.iter().copied().fold(0.0, f32::max);
    [
        shannon,
        leibler,
        product / (squares[0] * squares[1]).sqrt(),
        f64::from(share),
        f64::from(u8::from(share > 0.0)),
        f64::from(u8::from(share == largest)),
        entropy(votes),
    ]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn of(votes: [f32; 3], probabilities: [f32; 3]) -> VoteAgreement {
        let logs = probabilities.map(f32::ln);
        VoteAgreement::new([(&votes[..], &logs[..])]).unwrap()
    }

    fn near(ours: f64, expected: f64) {
        assert!(
            (ours - expected).abs() < 1e-6,
            "{ours}, expected {expected}"
        );
    }

    #[test]
    fn equal_shares_agree_wholly() {
        let same = of([0.5, 0.3, 0.2], [0.5, 0.3, 0.2]);
        for (ours, expected) in [
            (same.jensen_shannon, 0.0),
            (same.kullback_leibler, 0.0),
            (same.cosine, 1.0),
            (same.vote_share, 0.5),
        ] {
            near(ours, expected);
        }
        assert_eq!((same.voted_for, same.most_voted), (1.0, 1.0));
    }

    #[test]
    fn shares_apart_disagree_by_the_logarithm_of_two() {
        let apart = of([1.0, 0.0, 0.0], [1e-30, 1.0, 1e-30]);
        near(apart.jensen_shannon, std::f64::consts::LN_2);
        near(apart.kullback_leibler, 30.0 * 10_f64.ln());
        near(apart.cosine, 0.0);
        assert_eq!(
            (apart.voted_for, apart.most_voted, apart.entropy),
            (0.0, 0.0, 0.0)
        );
    }

    #[test]
    fn a_tie_in_votes_is_most_voted_and_figures_are_means_over_pictures() {
        let tie = of([0.4, 0.4, 0.2], [0.2, 0.5, 0.3]);
        assert_eq!((tie.voted_for, tie.most_voted), (1.0, 1.0));
        let second = of([0.4, 0.4, 0.2], [0.2, 0.3, 0.5]);
        assert_eq!((second.voted_for, second.most_voted), (1.0, 0.0));
        let logs = [
            [0.2_f32, 0.5, 0.3].map(f32::ln),
            [0.2_f32, 0.3, 0.5].map(f32::ln),
        ];
        let votes = [0.4, 0.4, 0.2];
        let both = logs.iter().map(|row| (&votes[..], &row[..]));
        let both = VoteAgreement::new(both).unwrap();
        assert_eq!((both.n, both.most_voted), (2, 0.5));
        near(both.vote_share, 0.3);
        near(
            both.jensen_shannon,
            0.5 * (tie.jensen_shannon + second.jensen_shannon),
        );
        assert_eq!(VoteAgreement::new([]), None);
    }
}
