//! What is written to `metrics.json` and `validation.json`.

use fer_data::ClassNames;
use serde::{Deserialize, Serialize};

use super::{
    CalibrationReport, ClassReport, ConfusionMatrix, CoverageReport, GroupReport, ScoreIntervals,
    VoteAgreement, balanced_accuracy, class_scores, macro_f1, weighted_f1,
};
use crate::statistics::{Bootstrap, Interval, wilson};

/// A model's figures on one split. Every number is finite: over no pictures all are 0.
///
/// Serialises to the JSON object of `metrics.json` and `evaluate --json`, keys in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the split: `train`, `validation`, `test` or `all`.
    pub split: String,
    /// The number of pictures.
    pub n: u64,
    /// The share of pictures taken for what they are, in [0, 1].
    pub accuracy: f64,
    /// The Wilson interval of the accuracy; absent over no pictures, as all intervals are, and in files
    /// of versions that did not compute it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_interval: Option<Interval>,
    /// The mean cross-entropy of the probabilities against the targets, in nats.
    pub loss: f64,
    /// The expected calibration error of the probabilities, in [0, 1]; see
    /// [`CalibrationError`](super::CalibrationError).
    pub ece: f64,
    /// What the logits were divided by to give the probabilities; 1 for a model without a
    /// temperature.
    pub temperature: f64,
    /// Loss and calibration error of the logits as they are; absent for a model without a
    /// temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncalibrated: Option<ProbabilityScore>,
    /// See [`macro_f1`].
    pub macro_f1: f64,
    /// Its bootstrap interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macro_f1_interval: Option<Interval>,
    /// See [`weighted_f1`].
    pub weighted_f1: f64,
    /// Its bootstrap interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weighted_f1_interval: Option<Interval>,
    /// See [`balanced_accuracy`].
    pub balanced_accuracy: f64,
    /// Its bootstrap interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balanced_accuracy_interval: Option<Interval>,
    /// How the pictures were resampled for these intervals and for those of each class's F1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<Bootstrap>,
    /// The classes in the model's order.
    pub classes: Vec<ClassReport>,
    /// Rows true, columns predicted, in the order of `classes`.
    pub confusion_matrix: ConfusionMatrix,
    /// The same figure without the pictures that train holds too; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies_of_train: Option<Copies>,
    /// The figures by group of people, one element a column of the data that makes groups; absent
    /// where none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupReport>,
    /// Whether anything about the model (its epoch or its temperature) was chosen by its figures on
    /// these very pictures, which flatters them.
    pub chosen_on_this_split: bool,
    /// How far its probabilities can be taken at their word; absent where only counts were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationReport>,
    /// How often it is wrong where it answers only when it is sure; absent where only counts were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<CoverageReport>,
    /// How its probabilities compare with people's votes; absent where nobody voted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes: Option<VoteAgreement>,
}

/// How good probabilities are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbabilityScore {
    /// The mean cross-entropy against the targets, in nats.
    pub loss: f64,
    /// The expected calibration error, in [0, 1].
    pub ece: f64,
}

/// Pictures that are equal, pixel by pixel, to a training picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Copies {
    /// How many of the pictures judged are such copies.
    pub n: u64,
    /// The accuracy over the others, in [0, 1].
    pub accuracy_without: f64,
    /// The Wilson interval of that accuracy; absent where there are no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_without_interval: Option<Interval>,
}

impl Report {
    /// All that the counts say, over classes of these names, with the score of the probabilities as
    /// the network gives them, without a temperature.
    ///
    /// # Panics
    /// Where there are not as many names as classes.
    pub fn new(
        split: &str,
        names: &ClassNames,
        confusion: &ConfusionMatrix,
        probabilities: ProbabilityScore,
        chosen_on_this_split: bool,
    ) -> Self {
        assert_eq!(names.len(), confusion.classes(), "number of classes");
        let bootstrap = Bootstrap::default();
        let intervals = ScoreIntervals::new(confusion, &bootstrap);
        let intervals = intervals.as_ref();
        let class = |(class, (name, score))| {
            let f1 = intervals.map(|found| found.f1[class]);
            ClassReport::new(name, score, confusion, class, f1)
        };
        let classes = names.iter().zip(class_scores(confusion)).enumerate();
        Self {
            split: split.to_string(),
            n: confusion.total(),
            accuracy: confusion.accuracy(),
            accuracy_interval: wilson(confusion.correct(), confusion.total()),
            loss: probabilities.loss,
            ece: probabilities.ece,
            temperature: 1.0,
            uncalibrated: None,
            macro_f1: macro_f1(confusion),
            macro_f1_interval: intervals.map(|found| found.macro_f1),
            weighted_f1: weighted_f1(confusion),
            weighted_f1_interval: intervals.map(|found| found.weighted_f1),
            balanced_accuracy: balanced_accuracy(confusion),
            balanced_accuracy_interval: intervals.map(|found| found.balanced_accuracy),
            bootstrap: intervals.is_some().then_some(bootstrap),
            classes: classes.map(class).collect(),
            confusion_matrix: confusion.clone(),
            copies_of_train: None,
            groups: Vec::new(),
            chosen_on_this_split,
            calibration: None,
            coverage: None,
            votes: None,
        }
    }

    /// The same figures with the score of the probabilities at this temperature; those without it
    /// stand beside.
    pub fn at_temperature(mut self, temperature: f64, probabilities: ProbabilityScore) -> Self {
        let ProbabilityScore { loss, ece } = probabilities;
        self.uncalibrated = Some(ProbabilityScore {
            loss: self.loss,
            ece: self.ece,
        });
        Report {
            loss,
            ece,
            temperature,
            ..self
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::metrics::ClassScore;

    fn names() -> ClassNames {
        ClassNames::new(["happy", "sad"]).unwrap()
    }

    fn report(loss: f64) -> Report {
        let mut confusion = ConfusionMatrix::new(2);
        for (truth, predicted) in [(0, 0), (0, 1), (0, 1), (0, 1), (1, 1)] {
            confusion.add(truth, predicted);
        }
        Report::new(
            "test",
            &names(),
            &confusion,
            ProbabilityScore { loss, ece: 0.25 },
            true,
        )
    }

    #[test]
    fn the_json_has_the_documented_keys_in_their_order() {
        let report = report(1.5);
        let json = |interval: Option<Interval>| serde_json::to_string(&interval.unwrap()).unwrap();
        let class = |class: &ClassReport| {
            let ClassScore {
                precision,
                recall,
                f1,
                support,
            } = class.score;
            format!(
                concat!(
                    r#"{{"name":"{}","precision":{:?},"recall":{:?},"f1":{:?},"support":{},"#,
                    r#""precision_interval":{},"recall_interval":{},"f1_interval":{},"too_few":true}}"#
                ),
                class.name,
                precision,
                recall,
                f1,
                support,
                json(class.precision_interval),
                json(class.recall_interval),
                json(class.f1_interval)
            )
        };
        let expected = format!(
            concat!(
                r#"{{"split":"test","n":5,"accuracy":0.4,"accuracy_interval":{},"loss":1.5,"ece":0.25,"#,
                r#""temperature":1.0,"macro_f1":0.4,"macro_f1_interval":{},"weighted_f1":0.4,"#,
                r#""weighted_f1_interval":{},"balanced_accuracy":0.625,"balanced_accuracy_interval":{},"#,
                r#""bootstrap":{{"resamples":2000,"seed":0}},"classes":[{},{}],"#,
                r#""confusion_matrix":[[1,3],[0,1]],"chosen_on_this_split":true}}"#
            ),
            json(report.accuracy_interval),
            json(report.macro_f1_interval),
            json(report.weighted_f1_interval),
            json(report.balanced_accuracy_interval),
            class(&report.classes[0]),
            class(&report.classes[1])
        );
        assert_eq!(serde_json::to_string(&report).unwrap(), expected);
        assert!(json(report.accuracy_interval).starts_with(r#"{"low":0.1176"#));
    }

    #[test]
    fn files_from_before_the_intervals_are_read() {
        let old = concat!(
            r#"{"split":"test","n":5,"accuracy":0.4,"loss":1.5,"ece":0.25,"temperature":1.0,"macro_f1":0.4,"#,
            r#""weighted_f1":0.4,"balanced_accuracy":0.625,"classes":["#,
            r#"{"name":"happy","precision":1.0,"recall":0.25,"f1":0.4,"support":4},"#,
            r#"{"name":"sad","precision":0.25,"recall":1.0,"f1":0.4,"support":1}],"#,
            r#""confusion_matrix":[[1,3],[0,1]],"copies_of_train":{"n":1,"accuracy_without":0.5},"#,
            r#""chosen_on_this_split":true}"#
        );
        let read: Report = serde_json::from_str(old).unwrap();
        assert_eq!((read.accuracy, read.accuracy_interval), (0.4, None));
        assert_eq!((read.bootstrap, read.groups.len()), (None, 0));
        assert_eq!(read.classes[0].score, report(1.5).classes[0].score);
        assert!(!read.classes[0].too_few && read.classes[0].f1_interval.is_none());
        assert_eq!(
            read.copies_of_train.unwrap().accuracy_without_interval,
            None
        );
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
    }

    #[test]
    fn a_class_of_ten_pictures_is_not_too_small_and_undefined_figures_have_no_interval() {
        let matrix = ConfusionMatrix::try_from(vec![vec![9, 1], vec![0, 0]]).unwrap();
        let nothing = ProbabilityScore {
            loss: 0.0,
            ece: 0.0,
        };
        let report = Report::new("test", &names(), &matrix, nothing, false);
        let [happy, sad] = report.classes.as_slice() else {
            panic!("two classes");
        };
        assert!(!happy.too_few && sad.too_few);
        assert_eq!(happy.recall_interval, wilson(9, 10));
        assert_eq!(happy.precision_interval, wilson(9, 9));
        assert_eq!(sad.recall_interval, None);
        assert_eq!(sad.precision_interval, wilson(0, 1));
        assert!(sad.f1_interval.is_some());
    }

    #[test]
    fn a_temperature_changes_loss_and_calibration_error_and_keeps_the_old_beside() {
        let (loss, ece) = (1.2, 0.125);
        let report = report(1.5).at_temperature(2.0, ProbabilityScore { loss, ece });
        let written = serde_json::to_string(&report).unwrap();
        let part = concat!(
            r#""loss":1.2,"ece":0.125,"temperature":2.0,"#,
            r#""uncalibrated":{"loss":1.5,"ece":0.25},"#
        );
        assert!(written.contains(part), "{written}");
        assert_eq!(serde_json::from_str::<Report>(&written).unwrap(), report);
    }

    #[test]
    fn every_digit_survives_json() {
        let mut state = 1_u64;
        let mut report = report(0.0);
        for _ in 0..10_000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
            report.loss = (state >> 11) as f64 / (1_u64 << 53) as f64;
            let written = serde_json::to_string(&report).unwrap();
            assert_eq!(serde_json::from_str::<Report>(&written).unwrap(), report);
        }
    }

    #[test]
    fn over_no_pictures_every_figure_is_zero_and_the_json_is_read_back() {
        let nothing = ProbabilityScore {
            loss: 0.0,
            ece: 0.0,
        };
        let empty = Report::new("all", &names(), &ConfusionMatrix::new(2), nothing, false);
        let figures = [
            empty.accuracy,
            empty.macro_f1,
            empty.weighted_f1,
            empty.balanced_accuracy,
        ];
        assert_eq!((empty.n, figures), (0, [0.0; 4]));
        assert_eq!((empty.accuracy_interval, empty.bootstrap), (None, None));
        let written = serde_json::to_string(&empty).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&written).unwrap(), empty);
    }
}
