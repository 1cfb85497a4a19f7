use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fer_data::Expression;
use fer_data::drawn::DrawnFaces;
use fer_train::checkpoint::{Found, find};
use tempfile::TempDir;

/// Epochs of a run here, and steps of an epoch: 64 pictures train, 8 a batch.
pub(crate) const EPOCHS: usize = 3;
pub(crate) const STEPS: u64 = 8;

/// Runs a command with no signal ignored.
pub(crate) const LISTENING: &str = "env --default-signal=INT,TERM,HUP";

/// Files that a run and the same run disturbed must have in common, byte for byte.
const SAME: [&str; 17] = [
    "model.safetensors",
    "history.csv",
    "metrics.json",
    "validation.json",
    "confusion_matrix.csv",
    "confusion_matrix.svg",
    "confusion_matrix.png",
    "curves.svg",
    "samples.png",
    "MODEL_CARD.md",
    "events.out.tfevents.0.fer",
    "hard.json",
    "reliability.svg",
    "coverage.svg",
    "gallery.json",
    "gallery.png",
    "report.html",
];

/// A directory of its own with a few drawn faces in `faces`.
pub(crate) struct Place {
    folder: TempDir,
}

/// What a finished run left: its files, and its last checkpoint with its name.
#[derive(Clone, PartialEq)]
pub(crate) struct Left(BTreeMap<String, Vec<u8>>);

impl Place {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        draw_faces(&folder.path().join("faces"))?;
        Ok(Place { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The command with these arguments, to be run here.
    pub(crate) fn fer(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fer-train"));
        command.args(arguments).current_dir(self.path());
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.fer(arguments).output()?)
    }

    /// Starts the command; what it says goes to the file `said` beside what others said.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Result<Child> {
        self.start(self.fer(arguments))
    }

    /// The same, with signals as a terminal's child has them: the tests themselves may have been
    /// started to ignore some.
    pub(crate) fn spawn_listening(&self, arguments: &[&str]) -> Result<Child> {
        let mut words = LISTENING.split(' ');
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .arg(env!("CARGO_BIN_EXE_fer-train"))
            .args(arguments);
        command.current_dir(self.path());
        self.start(command)
    }

    fn start(&self, mut command: Command) -> Result<Child> {
        let said = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.file("said"))?;
        command
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said);
        Ok(command.spawn()?)
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.file("said")).unwrap_or_default()
    }

    /// Runs the command to its end, which must be a good one, and gives what it said.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> Result<String> {
        let output = self.output(arguments)?;
        let said = text(&output);
        ensure!(output.status.success(), "{arguments:?} failed: {said}");
        Ok(said)
    }

    /// Runs the command to its end, which must be failure, with every hint in what it says.
    pub(crate) fn fail(&self, arguments: &[&str], hints: &[&str]) -> Result<String> {
        let output = self.output(arguments)?;
        let said = text(&output);
        let code = output.status.code();
        ensure!(
            matches!(code, Some(1 | 2)),
            "{arguments:?} ended with {:?}: {said}",
            output.status
        );
        for hint in hints {
            ensure!(
                said.contains(hint),
                "{arguments:?} did not say `{hint}`: {said}"
            );
        }
        Ok(said)
    }

    pub(crate) fn newest(&self, run: &str) -> Result<Option<Found>> {
        find(&self.file(run).join("checkpoints"))
    }

    /// Steps that are safe in a run.
    pub(crate) fn safe_steps(&self, run: &str) -> Result<u64> {
        let found = self.newest(run)?;
        Ok(found.map_or(0, |found| found.checkpoint.state.record.position.step))
    }

    /// What a finished run left.
    pub(crate) fn left(&self, run: &str) -> Result<Left> {
        let folder = self.file(run);
        let mut files = BTreeMap::new();
        for name in SAME {
            let bytes = fs::read(folder.join(name)).with_context(|| format!("{run}/{name}"))?;
            files.insert(name.to_string(), bytes);
        }
        let newest = self
            .newest(run)?
            .context("a finished run has a checkpoint")?;
        let name = newest
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        files.insert(name, fs::read(&newest.path)?);
        for entry in fs::read_dir(&folder)?.chain(fs::read_dir(folder.join("checkpoints"))?) {
            let name = entry?.file_name().to_string_lossy().into_owned();
            ensure!(!name.ends_with(".partial"), "{run} has {name}");
        }
        Ok(Left(files))
    }

    /// Waits until a run has a checkpoint at `steps` steps or more.
    pub(crate) fn wait_for_steps(&self, run: &str, steps: u64) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(120) {
            // The newest may be removed while it is read.
            if self.safe_steps(run).unwrap_or(0) >= steps {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        anyhow::bail!("{run} did not come to step {steps}: {}", self.said())
    }
}

impl Left {
    /// Compares byte by byte.
    pub(crate) fn same(&self, other: &Left) -> Result<()> {
        let names = |left: &Left| left.0.keys().cloned().collect::<Vec<_>>();
        ensure!(
            names(self) == names(other),
            "{:?} and {:?}",
            names(self),
            names(other)
        );
        for (name, bytes) in &self.0 {
            ensure!(other.0[name] == *bytes, "{name} differs");
        }
        Ok(())
    }
}

/// The arguments of a run of three epochs in the directory `out`.
pub(crate) fn fresh(out: &str) -> Vec<&str> {
    let start = "--data faces --arch cnn --epochs 3 --batch-size 8 --out";
    start.split(' ').chain([out]).collect()
}

/// The same with a checkpoint every three steps.
pub(crate) fn fresh_with_checkpoints(out: &str) -> Vec<&str> {
    let mut arguments = fresh(out);
    arguments.extend(["--checkpoint-every", "3"]);
    arguments
}

/// Gives the flag among these arguments another value.
pub(crate) fn change<'a>(arguments: &mut [&'a str], flag: &str, value: &'a str) {
    let place = arguments.iter().position(|argument| *argument == flag);
    arguments[place.unwrap() + 1] = value;
}

/// What a run of [`fresh`] leaves when nobody disturbs it, and how long it takes. No checkpoint is
/// written before its end.
pub(crate) fn undisturbed() -> Result<(Left, Duration)> {
    static LEFT: OnceLock<(Left, Duration)> = OnceLock::new();
    if let Some(known) = LEFT.get() {
        return Ok(known.clone());
    }
    let place = Place::new()?;
    let start = Instant::now();
    place.succeed(&fresh("run"))?;
    let duration = start.elapsed();
    Ok(LEFT
        .get_or_init(|| (place.left("run").unwrap(), duration))
        .clone())
}

pub(crate) fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Sends a signal by name.
pub(crate) fn signal(child: &Child, name: &str) -> Result<()> {
    let line = format!("kill -{name} {}", child.id());
    ensure!(
        Command::new("sh").args(["-c", &line]).status()?.success(),
        "{line}"
    );
    Ok(())
}

/// Ten people with eight expressions each, in a folder for each expression.
fn draw_faces(folder: &Path) -> Result<()> {
    let faces = DrawnFaces::new(8).subjects(10).takes(1);
    let names = Expression::class_names();
    for index in 0..faces.len() {
        let face = faces.draw(index);
        let class = folder.join(names.name(face.expression.index()));
        fs::create_dir_all(&class)?;
        let image = image::GrayImage::from_raw(48, 48, face.pixels).context("48×48 pixels")?;
        image.save(class.join(format!("{:02}.png", face.subject)))?;
    }
    Ok(())
}
