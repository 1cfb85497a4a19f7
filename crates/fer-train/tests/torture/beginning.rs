use std::fs;

use anyhow::Result;

use crate::place::{Place, signal};
use fer_trials::{Effort, Trial};

pub(crate) const TRAINED_MODEL: Trial = Trial {
    name: "beginning::trained_model",
    promise: "a run that began with a trained model, parts of it frozen, goes on to the same bits, also where that model lies elsewhere by now; without it, with another model or with other frozen tensors a resume is refused by name",
    run: trained_model,
};

/// A run from the weights of another, its first two convolutions frozen.
fn from_start(out: &str) -> Vec<&str> {
    let line = "--data faces --init start/model.safetensors --freeze conv1,conv2.* --epochs 3 \
                --batch-size 8 --checkpoint-every 3 --out";
    line.split_whitespace().chain([out]).collect()
}

fn trained_model(effort: &Effort) -> Result<String> {
    let place = Place::new()?;
    let start = "--data faces --arch vgg --set model.width=8 --epochs 1 --out start";
    place.succeed(&start.split(' ').collect::<Vec<_>>())?;
    place.succeed(&from_start("whole"))?;
    let model = place.file("start/model.safetensors");
    let elsewhere = place.file("elsewhere.safetensors");
    fs::rename(&model, &elsewhere)?;
    let mut refused = 0;
    for round in 0..effort.rounds {
        let name = format!("run{round}");
        fs::copy(&elsewhere, &model)?;
        let mut child = place.spawn_listening(&from_start(&name))?;
        place.wait_for_steps(&name, 3)?;
        signal(&child, "TERM")?;
        child.wait()?;

        let resume = ["--resume", name.as_str()];
        fs::remove_file(&model)?;
        place.fail(&resume, &["start/model.safetensors"])?;
        fs::copy(place.file("whole/model.safetensors"), &model)?;
        place.fail(&resume, &["start/model.safetensors is not the model"])?;
        let moved = [&resume[..], &["--init", "elsewhere.safetensors"]].concat();
        let less = [&moved[..], &["--freeze", "conv1"]].concat();
        let frozen = r#"init.freeze is ["conv1","conv2.*"] in the run, ["conv1"] is asked for"#;
        place.fail(&less, &[frozen])?;
        let other = [&resume[..], &["--init", "start/model.safetensors"]].concat();
        place.fail(&other, &["init.sha256 is"])?;
        refused += 4;
        place.succeed(&moved)?;
        place.left("whole")?.same(&place.left(&name)?)?;
    }
    Ok(format!(
        "{0} of {0} refusals by name, {1} of {1} went on from the model moved elsewhere to the same bytes",
        refused, effort.rounds
    ))
}
