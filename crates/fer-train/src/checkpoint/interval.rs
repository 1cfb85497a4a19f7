use std::time::{Duration, Instant};

use fer_data::DataError;
use serde::{Deserialize, Serialize};

use crate::fit::{Moment, Position};

/// The share of a run that checkpoints may take, while the clock decides.
const SHARE: f64 = 0.0025;
/// What the first checkpoint is expected to take: it comes after 40 seconds.
const FIRST: Duration = Duration::from_millis(100);

/// When checkpoints are written. It decides how much work a dead process takes along, never what
/// comes out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointSettings {
    /// Batches between two, at least 1, and one after every epoch; where `training.accumulate` makes
    /// groups of them, those multiples that end a group. Default: by the clock, so that they take
    /// 0.25 % of the time, beside the one at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// Minutes, above 0, from one to the next in the middle of an epoch, while the clock decides.
    /// Default 1.
    pub minutes: f64,
}

impl Default for CheckpointSettings {
    fn default() -> Self {
        CheckpointSettings {
            every: None,
            minutes: 1.0,
        }
    }
}

impl CheckpointSettings {
    /// Checks every range.
    ///
    /// # Errors
    /// [`DataError::Setting`], naming the first setting out of range.
    pub fn check(&self) -> Result<(), DataError> {
        let refuse = |name, value: String, expected| {
            Err(DataError::Setting {
                name,
                value,
                expected,
            })
        };
        if self.every == Some(0) {
            return refuse("checkpoint.every", "0".into(), "at least 1");
        }
        let minutes = self.minutes;
        if !(minutes > 0.0 && minutes.is_finite()) {
            return refuse("checkpoint.minutes", minutes.to_string(), "above 0");
        }
        Ok(())
    }
}

/// Says when a checkpoint is due.
pub(super) struct Interval {
    settings: CheckpointSettings,
    /// Whether each epoch's end is wanted, whatever it takes.
    every_epoch: bool,
    last: Instant,
    cost: Duration,
}

impl Interval {
    pub(super) fn new(settings: &CheckpointSettings, every_epoch: bool) -> Self {
        Interval {
            settings: settings.clone(),
            every_epoch: every_epoch || settings.every.is_some(),
            last: Instant::now(),
            cost: FIRST,
        }
    }

    pub(super) fn is_due(&self, moment: Moment, position: Position) -> bool {
        match (moment, self.settings.every) {
            (Moment::EpochEnd, _) if self.every_epoch => true,
            (_, Some(every)) => position.step.is_multiple_of(every),
            (_, None) => self.is_time(moment, self.last.elapsed()),
        }
    }

    fn is_time(&self, moment: Moment, since: Duration) -> bool {
        let affordable = since.as_secs_f64() * SHARE >= self.cost.as_secs_f64();
        let wanted =
            moment == Moment::EpochEnd || since.as_secs_f64() >= self.settings.minutes * 60.0;
        affordable && wanted
    }

    /// One was written, or tried to, and took `cost`.
    pub(super) fn written(&mut self, cost: Duration) {
        self.cost = cost;
        self.last = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: u64) -> Position {
        Position {
            epoch: 1,
            batch: 1,
            step,
        }
    }

    #[test]
    fn steps_are_counted_over_the_whole_run_and_epoch_ends_come_besides() {
        let every = CheckpointSettings {
            every: Some(3),
            ..CheckpointSettings::default()
        };
        let interval = Interval::new(&every, false);
        let due: Vec<u64> = (1..10)
            .filter(|&step| interval.is_due(Moment::Step, at(step)))
            .collect();
        assert_eq!(due, [3, 6, 9]);
        assert!(interval.is_due(Moment::EpochEnd, at(5)));
    }

    #[test]
    fn the_clock_allows_what_takes_a_four_hundredth_and_inside_an_epoch_what_a_minute_asks_for() {
        let mut interval = Interval::new(&CheckpointSettings::default(), false);
        interval.written(Duration::from_millis(100));
        let seconds = Duration::from_secs;
        assert!(!interval.is_time(Moment::EpochEnd, seconds(39)));
        assert!(interval.is_time(Moment::EpochEnd, seconds(41)));
        assert!(!interval.is_time(Moment::Step, seconds(59)));
        assert!(interval.is_time(Moment::Step, seconds(60)));
        interval.written(seconds(2));
        assert!(!interval.is_time(Moment::Step, seconds(799)));
        assert!(!interval.is_due(Moment::EpochEnd, at(5)));
        assert!(
            Interval::new(&CheckpointSettings::default(), true).is_due(Moment::EpochEnd, at(5))
        );
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let mut settings = CheckpointSettings {
            every: Some(0),
            ..CheckpointSettings::default()
        };
        let said =
            |settings: &CheckpointSettings| settings.check().map_err(|error| error.to_string());
        assert_eq!(
            said(&settings),
            Err("checkpoint.every = 0 is out of range: at least 1".into())
        );
        settings.every = None;
        assert_eq!(said(&settings), Ok(()));
        settings.minutes = f64::NAN;
        assert!(said(&settings).is_err_and(|said| said.starts_with("checkpoint.minutes = NaN")));
    }
}
