use std::f64::consts::PI;

use fer_data::DataError;
use serde::{Deserialize, Serialize};

/// How the learning rate goes over the steps of a run: factors on the rate of the settings, which is
/// the highest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// The same at every step.
    Constant {},
    /// A line up from 0 over the warm-up, then half a cosine down (Loshchilov & Hutter 2017, "SGDR",
    /// one cycle; the warm-up is Goyal et al. 2017's).
    Cosine {
        /// The share of all steps that the warm-up takes, 0 to below 1. Default 0.1.
        #[serde(default = "tenth")]
        warmup: f64,
        /// The factor at the last step, 0 to 1. Default 0.
        #[serde(default)]
        last: f64,
    },
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule::Constant {}
    }
}

fn tenth() -> f64 {
    0.1
}

impl Schedule {
    /// The factor at step `step`, from 0, of `steps` steps.
    pub fn factor(&self, step: u64, steps: u64) -> f64 {
        match *self {
            Schedule::Constant {} => 1.0,
            Schedule::Cosine { warmup, last } => {
                let rising = (warmup * steps as f64).round();
                let step = step as f64;
                if step < rising {
                    return (step + 1.0) / rising;
                }
                let falling = steps as f64 - rising - 1.0;
                half_cosine(1.0, last, share(step - rising, falling))
            }
        }
    }

    /// Whether it depends on how many steps there will be.
    pub fn has_an_end(&self) -> bool {
        *self != Schedule::Constant {}
    }

    pub(crate) fn check(&self) -> Result<(), DataError> {
        let Schedule::Cosine { warmup, last } = *self else {
            return Ok(());
        };
        let refuse = |name, value: f64, expected| {
            Err(DataError::Setting {
                name,
                value: value.to_string(),
                expected,
            })
        };
        if !(0.0..1.0).contains(&warmup) {
            return refuse("training.schedule.warmup", warmup, "at least 0 and below 1");
        }
        if !(0.0..=1.0).contains(&last) {
            return refuse("training.schedule.last", last, "0 to 1");
        }
        Ok(())
    }
}

/// How far `part` is of `whole`, 0 to 1; all the way where there is no way.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole).clamp(0.0, 1.0)
    } else {
        1.0
    }
}

fn half_cosine(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * share).cos()) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-9,
            "{found} and not {expected}"
        );
    }

    #[test]
    fn cosine_rises_along_a_line_and_falls_to_its_last_factor() {
        let schedule = Schedule::Cosine {
            warmup: 0.1,
            last: 0.02,
        };
        near(schedule.factor(0, 100), 0.1);
        near(schedule.factor(4, 100), 0.5);
        near(schedule.factor(9, 100), 1.0);
        near(schedule.factor(10, 100), 1.0);
        near(schedule.factor(99, 100), 0.02);
        let half = (schedule.factor(54, 100) + schedule.factor(55, 100)) / 2.0;
        assert!((half - 0.51).abs() < 1e-3, "{half}");
        for step in 10..99 {
            assert!(schedule.factor(step, 100) > schedule.factor(step + 1, 100));
        }
    }

    #[test]
    fn a_run_of_one_step_and_no_warm_up_have_factors_too() {
        for warmup in [0.0, 0.1] {
            let schedule = Schedule::Cosine { warmup, last: 0.5 };
            near(schedule.factor(0, 1), 0.5);
        }
        near(Schedule::default().factor(7, 9), 1.0);
    }

    #[test]
    fn a_constant_rate_takes_no_settings_of_another_schedule() {
        let read = |text: &str| toml::from_str::<Schedule>(text).is_ok();
        assert!(read("kind = \"constant\"") && read("kind = \"cosine\"\nwarmup = 0.2"));
        assert!(!read("kind = \"constant\"\nwarmup = 0.2"));
    }

    #[test]
    fn factors_out_of_range_are_refused_by_name() {
        let schedules = [
            (
                "warmup",
                Schedule::Cosine {
                    warmup: 1.0,
                    last: 0.0,
                },
            ),
            (
                "last",
                Schedule::Cosine {
                    warmup: 0.1,
                    last: f64::NAN,
                },
            ),
        ];
        for (name, schedule) in schedules {
            let error = schedule.check().map_err(|error| error.to_string());
            assert!(error.is_err_and(|text| text.contains(name)), "{name}");
        }
    }
}
