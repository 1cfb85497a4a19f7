//! Where a network looks: in pictures, and over a data set.

mod data;
mod pictures;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::command::Usage;
use crate::command::arguments::{DataArguments, DeviceArguments};

/// What `explain` takes.
#[derive(Args)]
pub(crate) struct ExplainArguments {
    /// Pictures of one face each, cropped to it: PNG, JPEG, BMP, GIF, WebP, TIFF or PNM
    #[arg(value_name = "IMAGE", conflicts_with = "data")]
    images: Vec<PathBuf>,
    /// The saved model [default: the built-in one]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// The class to explain in each picture [default: the predicted one]
    #[arg(long, value_name = "NAME", conflicts_with = "data")]
    class: Option<String>,
    #[command(flatten)]
    data: DataArguments,
    /// The pictures to explain: train, validation, test or all [default: test or else validation of
    /// the data the model was trained on, all of other data]
    #[arg(long, value_name = "SPLIT", value_parser = ["train", "validation", "test", "all"], conflicts_with = "images")]
    split: Option<String>,
    /// Explain at most this many of the pictures that are taken for what they are, drawn evenly over
    /// the classes [default: all]
    #[arg(long, value_name = "N", conflicts_with = "images")]
    pictures: Option<usize>,
    /// Networks of random weights to explain beside the model [default: 5]
    #[arg(long, value_name = "N", conflicts_with = "images")]
    random_networks: Option<usize>,
    /// Where the results go: a picture for each IMAGE [default: the folder `explanation`]; with --data
    /// explanation.json and maps, into a run directory or a new one [default: nothing is written]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the figures as JSON on stdout, and everything else on stderr
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &ExplainArguments) -> Result<ExitCode> {
    if arguments.data.data.is_some() {
        return data::run(arguments);
    }
    if arguments.images.is_empty() {
        let needs = "explain needs a picture, or --data PATH (or --data drawn)";
        return Err(Usage(needs.into()).into());
    }
    pictures::run(arguments)
}
