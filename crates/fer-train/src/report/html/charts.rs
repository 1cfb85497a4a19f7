//! The charts of the page, drawn anew from numbers.

use anyhow::Result;
use serde::Serialize;

use super::Contents;
use crate::insight::Curves;
use crate::metrics::{CalibrationReport, CoverageReport, Reliability};
use crate::report::chart::{Chart, Series};
use crate::report::curves::{self, EpochPoint};
use crate::statistics::wilson;

/// Each an SVG element, where there are numbers for it.
#[derive(Serialize)]
pub(super) struct Charts {
    curves: Option<String>,
    reliability: Option<String>,
    coverage: Option<String>,
    deletion: Option<String>,
    insertion: Option<String>,
}

impl Charts {
    pub(super) fn new(contents: &Contents) -> Result<Self> {
        let report = contents.metrics.as_ref();
        let calibration = report.and_then(|report| report.calibration.as_ref());
        let coverage = report.and_then(|report| report.coverage.as_ref());
        let order = contents.explanation.as_ref().map(|(found, _)| &found.curves);
        let order = order.filter(|curves| !curves.share.is_empty());
        Ok(Charts {
            curves: training(contents)?,
            reliability: calibration.map(reliability).transpose()?,
            coverage: coverage.map(risk).transpose()?,
            deletion: order.map(deletion).transpose()?,
            insertion: order.map(insertion).transpose()?,
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

fn reliability(calibration: &CalibrationReport) -> Result<String> {
    let mut series = vec![bins("as the model answers", &calibration.given)];
    if let Some(without) = &calibration.without_temperature {
        series.push(Series {
            intervals: Vec::new(),
            ..bins("without temperature", without)
        });
    }
    let chart = Chart {
        title: "Reliability",
        x: "Probability claimed",
        y: "Share right",
        diagonal: true,
        series,
    };
    Ok(chart.svg()?)
}

fn bins<'a>(name: &'a str, reliability: &Reliability) -> Series<'a> {
    let mut series = Series {
        name,
        ..Series::default()
    };
    for bin in &reliability.bins {
        let Some((confidence, accuracy)) = bin.confidence.zip(bin.accuracy) else {
            continue;
        };
        let right = (accuracy * bin.n as f64).round() as u64;
        series.points.push((confidence, accuracy));
        let interval = wilson(right.min(bin.n), bin.n);
        series
            .intervals
            .extend(interval.map(|interval| [interval.low, interval.high]));
    }
    series
}

fn risk(coverage: &CoverageReport) -> Result<String> {
    let points = coverage.points.iter();
    let chart = Chart {
        title: "Coverage against risk",
        x: "Pictures answered, the surest first",
        y: "Wrong answers",
        diagonal: false,
        series: vec![Series {
            name: "share of the answers that is wrong",
            points: points.map(|point| (point.coverage, point.risk)).collect(),
            intervals: Vec::new(),
        }],
    };
    Ok(chart.svg()?)
}

fn deletion(curves: &Curves) -> Result<String> {
    let probabilities = [&curves.occlusion, &curves.grad_cam, &curves.random]
        .map(|order| &order.deletion.probability);
    order("Deletion", "Cells blurred, in order", curves, probabilities)
}

fn insertion(curves: &Curves) -> Result<String> {
    let probabilities = [&curves.occlusion, &curves.grad_cam, &curves.random]
        .map(|order| &order.insertion.probability);
    order("Insertion", "Cells brought back, in order", curves, probabilities)
}

fn order(title: &str, x: &str, curves: &Curves, probabilities: [&Vec<f64>; 3]) -> Result<String> {
    let names = ["occlusion", "Grad-CAM", "random order"];
    let lines = names.into_iter().zip(probabilities);
    let chart = Chart {
        title,
        x,
        y: "Probability",
        diagonal: false,
        series: lines
            .map(|(name, values)| Series {
                name,
                points: curves.share.iter().copied().zip(values.iter().copied()).collect(),
                intervals: Vec::new(),
            })
            .collect(),
    };
    Ok(chart.svg()?)
}
