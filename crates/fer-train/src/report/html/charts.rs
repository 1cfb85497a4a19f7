//! The charts of the page, drawn anew from numbers.

use anyhow::Result;
use serde::Serialize;

use super::Contents;
use crate::report::curves::{self, EpochPoint};
use crate::report::{coverage, order_curves, reliability, robustness};

/// Each an SVG element, where there are numbers for it.
#[derive(Serialize)]
pub(super) struct Charts {
    curves: Option<String>,
    reliability: Option<String>,
    coverage: Option<String>,
    deletion: Option<String>,
    insertion: Option<String>,
    situations: Option<String>,
}

impl Charts {
    pub(super) fn new(contents: &Contents) -> Result<Self> {
        let report = contents.metrics.as_ref();
        let calibration = report.and_then(|report| report.calibration.as_ref());
        let risk = report.and_then(|report| report.coverage.as_ref());
        let order = contents
            .explained
            .as_ref()
            .map(|found| &found.explanation.curves);
        let order = order.filter(|curves| !curves.share.is_empty());
        Ok(Charts {
            curves: training(contents)?,
            reliability: calibration.map(reliability::svg).transpose()?,
            coverage: risk.map(coverage::svg).transpose()?,
            deletion: order.map(order_curves::deletion).transpose()?,
            insertion: order.map(order_curves::insertion).transpose()?,
            situations: contents
                .robustness
                .as_ref()
                .map(robustness::svg)
                .transpose()?,
        })
    }
}

fn training(contents: &Contents) -> Result<Option<String>> {
    if contents.history.is_empty() {
        return Ok(None);
    }
    let points: Vec<EpochPoint> = contents.history.iter().map(EpochPoint::from).collect();
    let kept = contents.description.as_ref().map(|it| it.training.epoch);
    Ok(Some(curves::svg(&points, kept)?))
}
