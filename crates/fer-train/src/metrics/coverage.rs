//! Coverage against risk: how often a network is wrong where it answers only when it is sure.

use serde::{Deserialize, Serialize};

/// Points of the curve that a report keeps.
const POINTS: u64 = 100;

/// The risk of answering at each threshold of the top probability.
///
/// At a threshold every picture is answered whose top probability is not below it. Coverage is the
/// share of pictures that are answered, risk the share of these that are wrong. Yonatan Geifman, Ran
/// El-Yaniv: Selective Classification for Deep Neural Networks, NeurIPS 2017.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RiskCurve {
    levels: Vec<RiskLevel>,
}

/// What answering at a threshold comes to, in pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskLevel {
    /// The top probability of the least sure picture that is answered.
    pub threshold: f64,
    /// How many pictures are answered.
    pub answered: u64,
    /// How many of these are wrong.
    pub wrong: u64,
}

impl RiskLevel {
    /// The share of the answered pictures that is wrong, in [0, 1].
    pub fn risk(&self) -> f64 {
        self.wrong as f64 / self.answered.max(1) as f64
    }
}

/// What `coverage` holds in `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoverageReport {
    /// The area under the curve; see [`RiskCurve::area`].
    pub aurc: f64,
    /// At most a hundred points of the curve, from the surest picture alone to all of them: for each
    /// percent of coverage the first threshold that reaches it.
    pub points: Vec<CoveragePoint>,
}

/// A point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoveragePoint {
    /// The least top probability that is answered, in [0, 1].
    pub threshold: f64,
    /// The share of pictures that is answered, in [0, 1].
    pub coverage: f64,
    /// The share of the answered pictures that is wrong, in [0, 1].
    pub risk: f64,
}

impl RiskCurve {
    /// The curve of pictures, each with its top probability and whether that class is its label.
    /// Their order does not matter; equal probabilities are answered together.
    pub fn new(answers: impl IntoIterator<Item = (f64, bool)>) -> Self {
        let mut answers: Vec<(f64, bool)> = answers.into_iter().collect();
        answers.sort_by(|one, other| other.0.total_cmp(&one.0));
        let mut levels: Vec<RiskLevel> = Vec::new();
        let mut wrong = 0;
        for (place, &(threshold, is_right)) in answers.iter().enumerate() {
            wrong += u64::from(!is_right);
            let level = RiskLevel {
                threshold,
                answered: place as u64 + 1,
                wrong,
            };
            match levels.last_mut() {
                Some(last) if last.threshold == threshold => *last = level,
                _ => levels.push(level),
            }
        }
        RiskCurve { levels }
    }

    /// One level for each top probability that occurs, the highest first.
    pub fn levels(&self) -> &[RiskLevel] {
        &self.levels
    }

    /// How many pictures there are.
    pub fn pictures(&self) -> u64 {
        self.levels.last().map_or(0, |level| level.answered)
    }

    /// The area under the curve (AURC): the mean, over pictures, of the risk at the threshold that just
    /// answers the picture. In [0, 1], lower is better; 0 where there are none.
    ///
    /// Yonatan Geifman, Guy Uziel, Ran El-Yaniv: Bias-Reduced Uncertainty Estimation for Deep Neural
    /// Classifiers, ICLR 2019.
    pub fn area(&self) -> f64 {
        let mut before = 0;
        let risks = self.levels.iter().map(|level| {
            let joined = level.answered - before;
            before = level.answered;
            joined as f64 * level.risk()
        });
        risks.sum::<f64>() / self.pictures().max(1) as f64
    }

    /// The area, and the curve in at most a hundred points.
    pub fn report(&self) -> CoverageReport {
        let pictures = self.pictures();
        let mut points: Vec<CoveragePoint> = Vec::new();
        let mut reached = 0;
        for level in &self.levels {
            let percent = level.answered * POINTS / pictures;
            if percent > reached || points.is_empty() {
                reached = percent;
                points.push(CoveragePoint {
                    threshold: level.threshold,
                    coverage: level.answered as f64 / pictures as f64,
                    risk: level.risk(),
                });
            }
        }
        CoverageReport {
            aurc: self.area(),
            points,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risk_is_that_of_the_answered_and_equals_are_answered_together() {
        let curve = RiskCurve::new([(0.5, false), (0.9, true), (0.7, false), (0.7, true)]);
        let levels: Vec<_> = curve
            .levels()
            .iter()
            .map(|level| (level.answered, level.wrong))
            .collect();
        assert_eq!(levels, [(1, 0), (3, 1), (4, 2)]);
        let expected = (0.0 + 2.0 / 3.0 + 0.5) / 4.0;
        assert!((curve.area() - expected).abs() < 1e-15, "{}", curve.area());
        let other = RiskCurve::new([(0.7, true), (0.7, false), (0.5, false), (0.9, true)]);
        assert_eq!(other, curve);
    }

    #[test]
    fn a_long_curve_keeps_a_hundred_points_and_both_its_ends() {
        let answers = |n: u32| (0..n).map(move |place| (1.0 / f64::from(place + 1), place % 7 > 0));
        let report = RiskCurve::new(answers(5_000)).report();
        assert!(
            (99..=101).contains(&report.points.len()),
            "{}",
            report.points.len()
        );
        let (first, last) = (report.points[0], report.points[report.points.len() - 1]);
        assert_eq!((first.threshold, first.coverage), (1.0, 0.0002));
        assert_eq!((last.threshold, last.coverage), (0.0002, 1.0));
        assert!((last.risk - 1.0 / 7.0).abs() < 1e-3);
        assert!(
            report
                .points
                .windows(2)
                .all(|pair| pair[0].coverage < pair[1].coverage)
        );
        assert_eq!(RiskCurve::new(answers(30)).report().points.len(), 30);
    }

    #[test]
    fn without_pictures_there_is_no_point_and_no_area() {
        let report = RiskCurve::new([]).report();
        assert_eq!((report.aurc, report.points.len()), (0.0, 0));
    }
}
