//! One process's part of a run: from where it starts or goes on to its end, or to a stop.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use fer_data::audit::Audit;
use fer_model::{Parameters, thousands};

use crate::checkpoint::{Checkpoints, Identity, PictureList};
use crate::command::output::People;
use crate::command::resumption::Start;
use crate::command::signals::Signals;
use crate::command::task::Task;
use crate::command::{progress, results};
use crate::fit::{Divergence, Ended, Position, Response};
use crate::run::RunDirectory;

/// All that a run works with.
pub(crate) struct Session<'a> {
    pub(crate) task: &'a Task<'a>,
    pub(crate) run: &'a RunDirectory,
    pub(crate) people: People,
}

impl Session<'_> {
    /// Writes what is known before training. The configuration comes first: with it, whatever
    /// happens, the run can be gone on with.
    pub(crate) fn prepare(&self, audit: &Audit) -> Result<()> {
        self.run
            .write("config.toml", self.task.config.to_toml()?.as_bytes())?;
        self.run.write_skipped(self.task.dataset.skipped())?;
        self.run.write_audit(audit)?;
        self.run.remove("diverged.csv")?;
        self.run.write_by("checkpoints/pictures.csv", |file| {
            PictureList::write(self.task.dataset, file)
        })
    }

    /// Trains from `start`, or from the beginning, and writes the results.
    pub(crate) fn train(&self, identity: Identity, start: Option<Start>) -> Result<ExitCode> {
        let signals = Signals::listen()?;
        let built = self.task.build()?;
        say_network(self, &built.parameters)?;
        let goes_back = self.task.settings.divergence.response == Response::HalveRate;
        let mut checkpoints =
            Checkpoints::new(self.run, identity, &self.task.config.checkpoint, goes_back);
        let state = match start {
            Some(start) => {
                checkpoints.go_on(start.path, &start.state)?;
                Some(start.state)
            }
            None => None,
        };
        let (parallel, trainer) = (self.task.parallel, self.task.trainer(&built));
        let mut progress = progress::for_terminal(self.task.settings.epochs, self.people);
        let (keeper, stop) = (&mut checkpoints, &signals.stop);
        let ended = trainer.run_with(parallel, state, keeper, progress.as_mut(), stop);
        drop(progress);
        match ended.map_err(|error| self.explained(error))? {
            Ended::Finished(fit) => {
                say_cost(&checkpoints, self.people)?;
                results::write(self, &fit, &built.network)
                    .map_err(|error| self.explained(error))?;
                Ok(ExitCode::SUCCESS)
            }
            Ended::Interrupted(position) => {
                self.say_interrupted(&signals, position)?;
                Ok(signals.exit_code())
            }
        }
    }

    /// What people type to start it with as many processes.
    fn program(&self) -> String {
        match self.task.parallel.group().size() {
            1 => "fer-train".into(),
            size => format!("mpirun -n {size} fer-train"),
        }
    }

    fn say_interrupted(&self, signals: &Signals, position: Position) -> Result<()> {
        let run = self.run.path().display();
        self.people.say(&format!(
            "interrupted by {} at {position}; a checkpoint holds all that was done",
            signals.name()
        ))?;
        self.people
            .say(&format!("to go on    {} --resume {run}", self.program()))?;
        let done = position.epoch - 1;
        if done > 0 && !self.task.settings.has_an_end() {
            self.people.say(&format!(
                "to end here {} --resume {run} --epochs {done}",
                self.program()
            ))?;
        }
        Ok(())
    }

    /// A divergence gets its list of pictures and what can be done; other errors stay.
    fn explained(&self, error: anyhow::Error) -> anyhow::Error {
        let run = self.run.path().display();
        let Some(divergence) = error.downcast_ref::<Divergence>() else {
            return error.context(format!(
                "the run stopped; go on from its last checkpoint with {} --resume {run}",
                self.program()
            ));
        };
        let list = match self.run.write_divergence(divergence) {
            Ok(()) => format!(
                "{} lists the batch",
                self.run.file("diverged.csv").display()
            ),
            Err(error) => format!("{error:#}"),
        };
        anyhow!(
            "{divergence}. {list}. Start again with a lower --lr; or set training.divergence.response \
             = \"halve_rate\" in {} and go on with --resume {run}",
            self.run.file("config.toml").display()
        )
    }
}

fn say_network(session: &Session<'_>, parameters: &Parameters) -> Result<()> {
    let (architecture, run, people) = (&session.task.config.model, session.run, session.people);
    let trained: usize = parameters
        .trainable()
        .iter()
        .map(|(_, var)| var.elem_count())
        .sum();
    let frozen = match session.task.transfer {
        Some(transfer) => transfer.summary().frozen_parameters,
        None => 0,
    };
    let of_them = match frozen {
        0 => String::new(),
        frozen => format!(", {} of them frozen", thousands(frozen)),
    };
    people.say(&format!(
        "network     {}, {} parameters{of_them}",
        architecture.name(),
        thousands(trained + frozen)
    ))?;
    people.say(&format!("run         {}", run.path().display()))?;
    Ok(())
}

fn say_cost(checkpoints: &Checkpoints<'_>, people: People) -> Result<()> {
    people.say(&format!(
        "checkpoints {} in {:.2} s",
        checkpoints.count,
        checkpoints.duration.as_secs_f64()
    ))?;
    Ok(())
}
