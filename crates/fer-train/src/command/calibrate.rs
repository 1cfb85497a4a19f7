use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use fer_data::{Dataset, Split};
use fer_model::file::{self, Abstention, Calibration, Model};

use crate::calibration::CalibrationSettings;
use crate::command::Usage;
use crate::command::arguments::{DataArguments, DeviceArguments, describe_data};
use crate::command::calibration::{LEAST_PICTURES, abstention, calibrate, carried_over};
use crate::command::evaluate::{check_division, open_as_trained};
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
    let model = file::load(&arguments.model, &selected.device, engine)?;
    let (calibration, abstention) = match &arguments.from {
        Some(path) => (
            model.description.calibration.clone(),
            carried_over(path, &model.description.classes)?,
        ),
        None => {
            let dataset = open(arguments, &model, people)?;
            measure(&model, &dataset, &selected.device)?
        }
    };
    if let Some(calibration) = &calibration {
        people.say(&format!("temperature {:.3}", calibration.temperature))?;
    }
    say_abstention(&abstention, people)?;
    let mut description = model.description;
    description.calibration = calibration;
    description.abstention = Some(abstention);
    file::rewrite(&arguments.model, &arguments.out, &description)?;
    people.say(&format!("model       {}", arguments.out.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the data that the model was trained on, which must have a validation split.
fn open(arguments: &CalibrateArguments, model: &Model, people: People) -> Result<Dataset> {
    let (dataset, same) = open_as_trained(&arguments.data, &model.description)?;
    describe_data(&dataset, people)?;
    let training = &model.description.training;
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
    let validation = evaluate(&model.network, dataset, indices, device)?;
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
