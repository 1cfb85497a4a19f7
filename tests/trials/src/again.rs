use std::env;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Set for a trial that a trial began.
const AGAIN: &str = "FER_TRIAL_AGAIN";

/// Whether this process was begun by [`again`].
pub fn is_again() -> bool {
    env::var_os(AGAIN).is_some()
}

/// Runs one trial of this program in another process, with an environment of its own and begun by the words
/// `before` the program's name, such as those of `setpriv`. Gives back what it printed.
///
/// # Errors
/// A process that cannot be begun; what was printed where the trial failed.
pub fn again(trial: &str, before: &[&str], environment: &[(&str, &str)]) -> Result<String> {
    let program = env::current_exe()?;
    let mut command = match before {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    };
    let output = command
        .arg(trial)
        .env(AGAIN, "1")
        .envs(environment.iter().copied())
        .output()
        .with_context(|| format!("{before:?} {trial}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{trial} again: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(said)
}
