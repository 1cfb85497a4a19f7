//! `report.html`: one page that says how good a network is, and why, from what lies in a run directory.
//!
//! The page needs nothing but itself: no network, no fonts, no other file. Its policy lets it load
//! nothing and run its own script alone. Names of classes and files come from strangers and are escaped
//! wherever they stand. The same files give the same bytes: no clock, path or host enters.

mod audit;
mod charts;
mod commands;
mod contents;
mod doubts;
mod environment;
mod markdown;
mod matrix;
mod names;
mod origins;
mod regions;
mod situations;
mod verdict;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fer_model::file::Description;
use minijinja::value::Serde;
use serde::Serialize;
use sha2::{Digest, Sha256};

use self::audit::AuditView;
use self::charts::Charts;
use self::commands::Commands;
use self::doubts::Doubts;
use self::matrix::{Matrix, Pictures};
use self::regions::Regions;
use self::situations::Situations;
use self::verdict::Verdict;
use crate::baseline::Baselines;
use crate::metrics::Report;
use crate::report::canvas::FONT;

pub use self::contents::{Contents, Explained};
pub use self::origins::{DataOrigin, Origins};

/// The name of the page in a run directory.
pub const FILE: &str = "report.html";

/// The name of the file that says which model was judged, by `evaluate --out`: its
/// [`Description`] as JSON.
pub const DESCRIPTION: &str = "model.json";

const SCRIPT: &str = include_str!("templates/script.js");
const STYLE: &str = include_str!("templates/style.css");

/// All that the templates show, each part absent where the files that it is made of are.
#[derive(Serialize)]
struct Page<'a> {
    style: &'static str,
    script: &'static str,
    /// The script's SHA-256 in base 64, by which the page's policy knows it.
    script_hash: String,
    /// The font of the figures, in base 64.
    font: String,
    commands: Commands,
    verdict: Verdict<'a>,
    report: Option<&'a Report>,
    /// `validation.json`, where the report is of another split.
    validation: Option<&'a Report>,
    matrix: Option<Matrix<'a>>,
    doubts: Option<Doubts<'a>>,
    pictures: Option<Pictures<'a>>,
    sprite: Option<String>,
    samples: Option<String>,
    charts: Charts,
    description: Option<&'a Description>,
    regions: Option<Regions<'a>>,
    situations: Option<Situations<'a>>,
    baselines: Option<&'a Baselines>,
    audit: Option<AuditView>,
    card: Option<String>,
}

/// The page.
///
/// # Errors
/// A figure that cannot be drawn.
pub fn page(contents: &Contents) -> Result<String> {
    let environment = environment::environment()?;
    let template = environment.get_template("page.html")?;
    let page = template.render(Serde(Page::new(contents)?));
    page.context("the page cannot be made")
}

impl<'a> Page<'a> {
    fn new(contents: &'a Contents) -> Result<Self> {
        let report = contents.metrics.as_ref();
        let gallery = contents.gallery.as_ref().zip(contents.predictions.as_ref());
        let pictures = gallery.map(|((gallery, _), table)| Pictures::new(gallery, table));
        let other = |it: &&Report| report.is_some_and(|report| report.split != it.split);
        Ok(Page {
            style: STYLE,
            script: SCRIPT,
            script_hash: STANDARD.encode(Sha256::digest(SCRIPT)),
            font: STANDARD.encode(FONT),
            commands: Commands::new(contents.config.as_ref()),
            verdict: Verdict::new(contents),
            report,
            validation: contents.validation.as_ref().filter(other),
            matrix: report.map(|report| Matrix::new(report, pictures.is_some())),
            doubts: Doubts::new(contents),
            pictures,
            sprite: contents.gallery.as_ref().map(|(_, png)| data_url(png)),
            samples: contents.samples.as_ref().map(data_url),
            charts: Charts::new(contents)?,
            description: contents.description.as_ref(),
            regions: contents.explained.as_ref().map(Regions::new),
            situations: contents.robustness.as_ref().map(Situations::new),
            baselines: contents.baselines.as_ref(),
            audit: audit(contents),
            card: contents.card.as_deref().map(markdown::to_html),
        })
    }
}

fn audit(contents: &Contents) -> Option<AuditView> {
    let audit = contents.audit.clone()?;
    let path = contents.config.as_ref().map(|config| &config.data.path);
    let folder = path.map(|path| path.to_string_lossy().into_owned());
    Some(audit.without_folder(&folder.unwrap_or_default()))
}

/// A PNG as an address that holds it.
fn data_url(png: impl AsRef<[u8]>) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(png))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
