//! What the processes of one run agree on before they train.

use anyhow::{Result, bail, ensure};
use candle_core::Device;
use fer_model::ops::Engine;

use crate::checkpoint::Identity;
use crate::command::Usage;
use crate::config::Config;
use crate::initial::Initial;
use crate::parallel::Group;

/// The leader's configuration for all the processes, with the model that it begins with.
pub(crate) fn share_config(
    group: &dyn Group,
    leaders: impl FnOnce() -> Result<(Config, Option<Initial>)>,
) -> Result<(Config, Option<Initial>)> {
    if group.leads() {
        let (config, initial) = leaders()?;
        if group.size() > 1 {
            group.broadcast(config.to_toml()?.into_bytes())?;
        }
        return Ok((config, initial));
    }
    let text = String::from_utf8(group.broadcast(Vec::new())?)?;
    let config: Config = toml::from_str(&text)?;
    let initial = config.init.as_ref().map(Initial::open).transpose()?;
    Ok((config, initial))
}

/// Puts the number of processes into the configuration; a run goes on with as many as it had.
pub(crate) fn count(group: &dyn Group, config: &mut Config, resumes: bool) -> Result<()> {
    let (was, is) = (config.parallel.processes, group.size());
    if resumes && was != is {
        bail!(Usage(format!(
            "parallel.processes is {was} in the run, and {is} would go on with it: start it with mpirun \
             -n {was}"
        )));
    }
    config.parallel.processes = is;
    Ok(())
}

/// Refuses statistics over several processes where nothing can make them.
pub(crate) fn check_statistics(config: &Config, device: &Device, engine: Engine) -> Result<()> {
    let parallel = &config.parallel;
    let kernels = engine.has_kernels_on(device);
    if parallel.processes > 1 && parallel.synchronised_statistics && !kernels {
        bail!(Usage(
            "parallel.synchronised_statistics is for networks on the CPU that the kernels train: leave \
             --device and --engine out, or the setting"
                .into()
        ));
    }
    Ok(())
}

/// Refuses to train together on data that are not the same everywhere.
pub(crate) fn check_same_data(group: &dyn Group, identity: &Identity) -> Result<()> {
    if group.size() == 1 {
        return Ok(());
    }
    let all = group.gather_each(&serde_json::to_vec(identity)?)?;
    if !group.leads() {
        // The leader tells, and ends the others.
        return Ok(());
    }
    for (rank, other) in all.iter().enumerate() {
        let other: Identity = serde_json::from_slice(other)?;
        let differences = differences(identity, &other);
        ensure!(
            differences.is_empty(),
            "process {} of {} cannot train with the first: {}",
            rank + 1,
            group.size(),
            differences.join("; ")
        );
    }
    Ok(())
}

fn differences(first: &Identity, other: &Identity) -> Vec<String> {
    let pairs = [
        ("version", &first.library, &other.library),
        ("device", &first.device, &other.device),
        ("data", &first.data, &other.data),
        ("pictures' digest", &first.data_hash, &other.data_hash),
        (
            "division's digest",
            &first.division_hash,
            &other.division_hash,
        ),
    ];
    let differ = pairs.into_iter().filter(|(_, first, other)| first != other);
    let mut differences: Vec<String> = differ
        .map(|(name, first, other)| format!("its {name} is {other}, the first has {first}"))
        .collect();
    let teachers = |identity: &Identity| {
        let digests = identity.settings.get("distillation.sha256");
        digests.cloned().unwrap_or_default()
    };
    if teachers(first) != teachers(other) {
        let (first, other) = (teachers(first), teachers(other));
        differences.push(format!("its teachers are {other}, the first has {first}"));
    }
    if first.classes != other.classes {
        let (first, other) = (&first.classes, &other.classes);
        differences.push(format!("its classes are {other}, the first has {first}"));
    }
    differences
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use fer_data::ClassNames;

    use super::*;
    use crate::parallel::threads;

    fn identity(rank: usize) -> Identity {
        Identity {
            library: "fer-train 0".into(),
            device: "cpu".into(),
            engine: "plain".into(),
            settings: Identity::settings(&Config::default()).unwrap(),
            classes: ClassNames::new(["happy", "sad"]).unwrap(),
            data: "faces".into(),
            data_hash: format!("digest-{rank}"),
            division_hash: "b".into(),
        }
    }

    #[test]
    fn other_data_are_refused_with_both_digests() {
        let said = threads(2, |group| {
            let same = check_same_data(&*group, &identity(0));
            same.unwrap();
            let other = check_same_data(&*group, &identity(group.rank()));
            other.map_err(|error| error.to_string())
        });
        let refused = "process 2 of 2 cannot train with the first: its pictures' digest is digest-1, \
                       the first has digest-0";
        assert_eq!(said.unwrap(), [Err(refused.into()), Ok(())]);
    }

    #[test]
    fn the_leaders_configuration_is_that_of_all_and_counts_the_processes() {
        let configs = threads(3, |group| {
            let leaders = || {
                let mut config = Config::default();
                config.set("training.learning_rate=0.12345")?;
                Ok((config, None))
            };
            let (mut config, _) = share_config(&*group, leaders).unwrap();
            count(&*group, &mut config, false).unwrap();
            let refused = count(&*group, &mut Config::default(), true);
            (config, refused.unwrap_err().to_string())
        });
        for (config, refused) in configs.unwrap() {
            assert_eq!(config.training.learning_rate, 0.12345);
            assert_eq!(config.parallel.processes, 3);
            let said = "parallel.processes is 1 in the run, and 3 would go on with it: start it with \
                        mpirun -n 1";
            assert_eq!(refused, said);
        }
    }
}
