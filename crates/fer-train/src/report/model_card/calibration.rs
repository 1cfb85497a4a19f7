use fer_model::file::{Calibration, TemperatureOrigin};
use fer_model::thousands;

use super::{ModelCard, percent};
use crate::report::abstaining;
use crate::report::markdown::escaped;

impl ModelCard<'_> {
    /// What its probabilities are worth.
    pub(super) fn calibration(&self) -> String {
        let Some(calibration) = &self.description.calibration else {
            return "## Calibration\n\nNone: the probabilities are the network's own, likely surer \
                    than it is right.\n"
                .into();
        };
        let mut text = format!(
            "## Calibration\n\nLogits are divided by the temperature {:.4}{}.",
            calibration.temperature,
            origin(calibration)
        );
        for report in self.reports {
            if let Some(without) = report.uncalibrated {
                text += &format!(
                    " On {} it takes the expected calibration error (15 bins of the top probability) \
                     from {} to {}.",
                    report.split,
                    percent(without.ece),
                    percent(report.ece)
                );
            }
        }
        let abstention = self.description.abstention.as_ref();
        text + "\n" + &abstention.map_or(String::new(), abstaining::markdown)
    }
}

fn origin(calibration: &Calibration) -> String {
    match &calibration.origin {
        TemperatureOrigin::Fitted {
            split,
            pictures,
            chose_epoch,
        } => {
            let also = if *chose_epoch {
                ", which also chose the epoch"
            } else {
                ""
            };
            format!(
                ", the one under which the labels of the {} {split} pictures are most likely{also}",
                thousands(*pictures)
            )
        }
        TemperatureOrigin::CarriedOver { from } if from.is_empty() => {
            ", which was carried over from another network".into()
        }
        TemperatureOrigin::CarriedOver { from } => {
            format!(
                ", which was carried over from another network: {}",
                escaped(from)
            )
        }
    }
}
