use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use fer_data::{DataError, SIDE};
use fer_model::ops::Engine;
use fer_model::{Architecture, Network, Parameters};
use serde::{Deserialize, Serialize};

/// A part of a run in which the network sees smaller pictures, which costs less: training that ends
/// on whole pictures loses little by having begun on smaller ones (Howard 2018, "progressive
/// resizing"; Tan & Le 2021, "EfficientNetV2").
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolutionStage {
    /// The share of the epochs after which it ends, above 0 and to 1.
    pub until: f64,
    /// Rows and columns of the pictures, 16 to 48.
    pub side: usize,
}

/// The side of the pictures in epoch `epoch`, from 1, of `epochs`: that of the first stage that has
/// not ended by then, or 48. The last epoch has whole pictures, as those that the network is for.
pub fn side_of_epoch(stages: &[ResolutionStage], epoch: usize, epochs: usize) -> usize {
    if epoch >= epochs {
        return SIDE;
    }
    let done = (epoch - 1) as f64 / epochs as f64;
    let stage = stages.iter().find(|stage| done < stage.until - 1e-9);
    stage.map_or(SIDE, |stage| stage.side)
}

/// The network over the same `parameters` for each side smaller than 48 that the stages name.
///
/// # Errors
/// A network that takes pictures of one side only.
pub fn smaller_networks(
    stages: &[ResolutionStage],
    architecture: &Architecture,
    classes: usize,
    engine: Engine,
    parameters: &Parameters,
) -> Result<BTreeMap<usize, Box<dyn Network>>> {
    let sides: BTreeSet<usize> = stages.iter().map(|stage| stage.side).collect();
    let smaller = sides.into_iter().filter(|&side| side < SIDE);
    let networks = smaller.map(|side| {
        let network = architecture.build_for(side, classes, engine, parameters.builder())?;
        Ok((side, Box::new(network) as Box<dyn Network>))
    });
    networks.collect()
}

pub(crate) fn check(stages: &[ResolutionStage]) -> Result<(), DataError> {
    let mut before = 0.0;
    for stage in stages {
        if !(stage.until > before && stage.until <= 1.0) {
            return Err(DataError::Setting {
                name: "training.resolution.until",
                value: stage.until.to_string(),
                expected: "above that of the stage before, and to 1",
            });
        }
        before = stage.until;
        if !(16..=SIDE).contains(&stage.side) {
            return Err(DataError::Setting {
                name: "training.resolution.side",
                value: stage.side.to_string(),
                expected: "16 to 48",
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(stages: &[(f64, usize)]) -> Vec<ResolutionStage> {
        let stages = stages.iter();
        stages
            .map(|&(until, side)| ResolutionStage { until, side })
            .collect()
    }

    #[test]
    fn a_stage_lasts_until_its_share_of_the_epochs_and_whole_pictures_come_last() {
        let two = stages(&[(0.5, 32), (0.8, 40)]);
        let sides: Vec<usize> = (1..=10)
            .map(|epoch| side_of_epoch(&two, epoch, 10))
            .collect();
        assert_eq!(sides, [32, 32, 32, 32, 32, 40, 40, 40, 48, 48]);
        assert_eq!(side_of_epoch(&[], 1, 10), 48);
        assert_eq!(side_of_epoch(&two, 1, 1), 48);
        assert_eq!(side_of_epoch(&stages(&[(1.0, 16)]), 3, 3), 48);
    }

    #[test]
    fn stages_out_of_order_or_range_are_refused_by_name() {
        assert!(check(&stages(&[(0.5, 32), (1.0, 48)])).is_ok());
        for (name, wrong) in [
            ("until", stages(&[(0.5, 32), (0.5, 40)])),
            ("until", stages(&[(1.5, 32)])),
            ("until", stages(&[(f64::NAN, 32)])),
            ("side", stages(&[(0.5, 15)])),
            ("side", stages(&[(0.5, 49)])),
        ] {
            let refusal = check(&wrong).map_err(|error| error.to_string());
            assert!(refusal.is_err_and(|text| text.contains(name)), "{wrong:?}");
        }
    }
}
