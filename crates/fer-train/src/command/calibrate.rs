use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use fer_data::{Dataset, Split};
use fer_model::Views;
use fer_model::file::{self, Abstention, Calibration, Description, Model, TemperatureOrigin};

use crate::calibration::CalibrationSettings;
use crate::command::Usage;
use crate::command::arguments::{DataArguments, DeviceArguments, describe_data};
use crate::command::calibration::{LEAST_PICTURES, abstention, calibrate, carried_over, described};
use crate::command::judged::{check_division, open_as_trained};
use crate::command::output::{People, percent};
use crate::evaluation::evaluate;
use crate::report::RISKS;

/// What `calibrate` takes.
#[derive(Args)]
pub(crate) struct CalibrateArguments {
    /// The saved model
    model: PathBuf,
    /// Where to write the model; may be the saved model itself
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Carry over what another model's file says, of a network trained in the same way, in place of
    /// measuring it on --data
    #[arg(long, value_name = "MODEL", conflicts_with = "data")]
    from: Option<PathBuf>,
    /// By which views of a picture the model answers from now on: the picture alone (one), it and its mirror
    /// image (flips), or ten; it is the mean of their logits, in twice or ten times the time. Its temperature
    /// is measured anew, or is that of --from, whose model has the same views; `evaluate` judges it anew
    /// [default: those it has]
    #[arg(long, value_name = "VIEWS")]
    views: Option<Views>,
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &CalibrateArguments) -> Result<ExitCode> {
    let people = People::Stdout;
    if arguments.from.is_none() && arguments.data.data.is_none() {
        let words =
            "calibrate needs --data PATH, the data that the model was trained on, or --from MODEL";
        return Err(Usage(words.into()).into());
    }
    let (selected, engine) = arguments.device.select(people)?;
    let mut model = file::load(&arguments.model, &selected.device, engine)?;
    let renewed = change_views(&mut model.description, arguments.views);
    let (calibration, abstention) = match &arguments.from {
        Some(path) => carry_over(path, &model.description, renewed)?,
        None => {
            let dataset = open(arguments, &model, people)?;
            measure(&model, &dataset, &selected.device)?
        }
    };
    people.say(&match &calibration {
        Some(calibration) => format!("temperature {:.3}", calibration.temperature),
        None => "temperature none: logits are taken as they are".into(),
    })?;
    say_abstention(&abstention, people)?;
    let mut description = model.description;
    description.calibration = calibration;
    description.abstention = Some(abstention);
    file::rewrite(&arguments.model, &arguments.out, &description)?;
    people.say(&format!("model       {}", arguments.out.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Whether it had others before: what was found out about a model that answers by other views is not so of
/// this one.
fn change_views(description: &mut Description, views: Option<Views>) -> bool {
    let before = description.preprocessing.views;
    let Some(views) = views.filter(|&views| views != before) else {
        return false;
    };
    description.preprocessing.views = views;
    description.calibration = None;
    description.judged = None;
    true
}

/// The model's temperature, that of the model at `path` where it is to be `renewed`, and how sure it must
/// be by that model.
fn carry_over(
    path: &Path,
    description: &Description,
    renewed: bool,
) -> Result<(Option<Calibration>, Abstention)> {
    let found = described(path, &description.classes, description.preprocessing.views)?;
    let calibration = match renewed {
        true => found.calibration.as_ref().map(|calibration| Calibration {
            temperature: calibration.temperature,
            origin: TemperatureOrigin::CarriedOver {
                from: format!("{}, {}", found.architecture.name(), found.training.data),
            },
        }),
        false => description.calibration.clone(),
    };
    Ok((calibration, carried_over(path, found)?))
}

/// Opens the data that the model was trained on, which must have a validation split.
fn open(arguments: &CalibrateArguments, model: &Model, people: People) -> Result<Dataset> {
    let (dataset, same) = open_as_trained(&arguments.data, &model.description)?;
    describe_data(&dataset, people)?;
    let training = &model.description.training;
    ensure!(
        !same || dataset.hash() == training.data_hash,
        "--resize or --ferplus-target make other pictures or labels of these data than {} was trained on; leave them out",
        arguments.model.display()
    );
    ensure!(
        same,
        "these are not the data that {} was trained on ({}), so nothing tells which of them did not train it",
        arguments.model.display(),
        training.data
    );
    check_division(&dataset, training, Some(Split::Validation), people)?;
    let pictures = dataset.indices(Split::Validation).len();
    ensure!(
        pictures >= LEAST_PICTURES,
        "{} kept {pictures} pictures for validation and at least {LEAST_PICTURES} are needed; train a network in the same way that keeps some, and carry over from its model with --from",
        arguments.model.display()
    );
    Ok(dataset)
}

/// The model's own temperature, or else the one that its validation pictures give, and how sure they show
/// that it must be.
fn measure(
    model: &Model,
    dataset: &Dataset,
    device: &fer_model::Device,
) -> Result<(Option<Calibration>, Abstention)> {
    let indices = dataset.indices(Split::Validation);
    let validation = evaluate(&*model.answering()?, dataset, indices, device)?;
    let settings = CalibrationSettings::default();
    let description = &model.description;
    let chose_epoch =
        description.training.epoch_chosen_on.as_deref() == Some(Split::Validation.name());
    let calibration = description
        .calibration
        .clone()
        .or_else(|| calibrate(&settings, Some(&validation), chose_epoch));
    let measured = abstention(
        &settings,
        Some(&validation),
        calibration.as_ref(),
        &description.classes,
        description.preprocessing.views,
    )?;
    let abstention = measured.context("the validation pictures are too few")?;
    Ok((calibration, abstention))
}

/// Says what keeping some risks comes to.
fn say_abstention(abstention: &Abstention, people: People) -> Result<()> {
    let all = abstention.steps.first().map_or(1.0, |step| step.risk);
    people.say(&format!(
        "risk        {} wrong where all is answered",
        percent(all)
    ))?;
    for risk in RISKS.into_iter().filter(|&risk| risk < all) {
        if let Some(step) = abstention.at_risk(risk) {
            people.say(&format!(
                "            {} wrong where {} is answered, from a probability of {} on",
                percent(step.risk),
                percent(step.coverage),
                percent(step.threshold)
            ))?;
        }
    }
    Ok(())
}
