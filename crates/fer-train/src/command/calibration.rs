//! Where a finished run's temperature comes from.

use fer_data::Split;
use fer_model::file::{Calibration, TemperatureOrigin};

use crate::calibration::CalibrationSettings;
pub(crate) use crate::calibration::LEAST_PICTURES;
use crate::evaluation::Evaluation;

/// The temperature that the settings bring, or else the one that fits the answers on `validation`,
/// whose pictures may have chosen the epoch too; none where these are few or have no such temperature.
pub(crate) fn calibrate(
    settings: &CalibrationSettings,
    validation: Option<&Evaluation>,
    chose_epoch: bool,
) -> Option<Calibration> {
    if let Some(temperature) = settings.temperature {
        let from = settings.from.clone();
        return Some(Calibration {
            temperature,
            origin: TemperatureOrigin::CarriedOver { from },
        });
    }
    let validation = validation.filter(|found| found.indices.len() >= LEAST_PICTURES)?;
    Some(Calibration {
        temperature: validation.fit_temperature()?,
        origin: TemperatureOrigin::Fitted {
            split: Split::Validation.name().into(),
            pictures: validation.indices.len(),
            chose_epoch,
        },
    })
}

/// In words, what was chosen by a model's figures on the pictures that now judge it; `None` where
/// nothing was.
pub(crate) fn what_was_chosen(epoch: bool, temperature: bool) -> Option<&'static str> {
    match (epoch, temperature) {
        (true, true) => Some("chose the epoch and the temperature, which flatters the figures"),
        (true, false) => Some("chose the epoch, which flatters the figures"),
        (false, true) => Some("chose the temperature, which flatters loss and calibration error"),
        (false, false) => None,
    }
}
