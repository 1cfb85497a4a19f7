//! Where a finished run's temperature comes from, and how sure it must be.

use std::path::Path;

use anyhow::{Result, anyhow, ensure};
use fer_data::{ClassNames, Split};
use fer_model::file::{self, Abstention, Calibration, Description, TemperatureOrigin};
use fer_model::ops::Engine;
use fer_model::{Device, Views};

use crate::abstention::measure;
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

/// How sure the network must be: what the model that the settings name says, or else what its answers
/// on `validation` show at the temperature of `calibration`; none where these are few.
pub(crate) fn abstention(
    settings: &CalibrationSettings,
    validation: Option<&Evaluation>,
    calibration: Option<&Calibration>,
    classes: &ClassNames,
    views: Views,
) -> Result<Option<Abstention>> {
    if let Some(path) = &settings.abstention {
        return carried_over(path, described(path, classes, views)?).map(Some);
    }
    let temperature = calibration.map(|calibration| calibration.temperature);
    let curve = validation.map(|validation| validation.risk_curve(temperature));
    Ok(curve.and_then(|curve| measure(&curve, Split::Validation.name())))
}

/// What the file of the model at `path` says, from which a network over these classes that answers by
/// these views is to take how sure it must be.
///
/// # Errors
/// A file that is refused, over other classes, or of a model that answers otherwise.
pub(crate) fn described(path: &Path, classes: &ClassNames, views: Views) -> Result<Description> {
    let description = file::load(path, &Device::Cpu, Engine::detect())?.description;
    ensure!(
        description.classes == *classes,
        "{} is over the classes `{}`, not `{classes}`, so how sure it must be cannot be carried over",
        path.display(),
        description.classes
    );
    let found = description.preprocessing.views;
    ensure!(
        found == views,
        "{} answers by the views `{found}` and this model by `{views}`, so neither temperature nor how sure it must be can be carried over; output.views says by which a run's model answers, and `fer-train calibrate --views` one that is trained",
        path.display(),
    );
    Ok(description)
}

/// How sure a network must be by what the model at `path` says.
///
/// # Errors
/// A model that does not tell.
pub(crate) fn carried_over(path: &Path, found: Description) -> Result<Abstention> {
    let abstention = found.abstention.ok_or_else(|| {
        anyhow!(
            "{} does not say how sure it must be; `fer-train calibrate` measures that",
            path.display()
        )
    })?;
    Ok(abstention.carried_over())
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
