use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::command::output::{People, chain, percent};
use crate::fit::{Divergence, EpochRecord, EpochTiming, Progress};

/// The share of training spent waiting for pictures that is worth a word.
const NOTABLE_WAIT: f64 = 0.05;

/// A bar with rate and time left on a terminal, plain lines when piped.
pub(crate) fn for_terminal(epochs: usize, people: People) -> Box<dyn Progress> {
    let lines = Lines { epochs, people };
    if io::stderr().is_terminal() && io::stdout().is_terminal() {
        Box::new(Bar {
            bar: ProgressBar::hidden(),
            pictures: 0,
            seen: 0.0,
            lines,
        })
    } else {
        Box::new(lines)
    }
}

/// A bar over many pictures on a terminal; nothing for a few, and nothing when stderr is piped.
pub(crate) fn over_pictures(pictures: usize) -> ProgressBar {
    /// As many are done in a moment.
    const FEW: usize = 32;
    if pictures <= FEW {
        return ProgressBar::hidden();
    }
    let template = "{bar:30} {pos}/{len} pictures, {per_sec}, {eta} left";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let target = ProgressDrawTarget::stderr();
    ProgressBar::with_draw_target(Some(pictures as u64), target).with_style(style)
}

/// One line an epoch.
struct Lines {
    epochs: usize,
    people: People,
}

impl Lines {
    fn line(&self, record: &EpochRecord, best: bool, timing: &EpochTiming) -> String {
        let validation = match (record.validation_loss, record.validation_accuracy) {
            (Some(loss), Some(accuracy)) => {
                format!("  validation loss {loss:.4} accuracy {}", percent(accuracy))
            }
            _ => String::new(),
        };
        let waiting = match timing.waiting_share {
            share if share > NOTABLE_WAIT => {
                format!(", {} of the training waiting for pictures", percent(share))
            }
            _ => String::new(),
        };
        format!(
            "epoch {:>3}/{}  train loss {:.4} accuracy {}{validation}  {:.1} s{waiting}{}",
            record.epoch,
            self.epochs,
            record.train_loss,
            percent(record.train_accuracy),
            timing.seconds,
            if best { "  best so far" } else { "" },
        )
    }
}

impl Progress for Lines {
    fn epoch_starts(&mut self, _epoch: usize, _batches: usize) {}

    fn batch_done(&mut self, _pictures: usize, _loss: f64, _accuracy: f64) {}

    fn epoch_done(&mut self, record: &EpochRecord, best: bool, timing: &EpochTiming) {
        // A closed pipe must not end a training run.
        let _ = self.people.say(&self.line(record, best, timing));
    }

    fn not_kept(&mut self, error: &anyhow::Error) {
        let _ = self.people.say(&format!(
            "warning     no checkpoint: {}; training goes on",
            chain(error)
        ));
    }

    fn rate_halved(&mut self, divergence: &Divergence, epoch: usize, learning_rate: f64) {
        let _ = self.people.say(&format!("warning     {divergence}"));
        let _ = self.people.say(&format!(
            "            → back to the start of epoch {epoch} with learning rate {learning_rate}"
        ));
    }
}

struct Bar {
    bar: ProgressBar,
    pictures: u64,
    seen: f64,
    lines: Lines,
}

impl Progress for Bar {
    fn epoch_starts(&mut self, epoch: usize, batches: usize) {
        let template = "{prefix} {bar:30} {pos}/{len} batches, {eta} left, {msg}";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let target = ProgressDrawTarget::stderr();
        self.bar = ProgressBar::with_draw_target(Some(batches as u64), target).with_style(style);
        self.bar
            .set_prefix(format!("epoch {epoch:>3}/{}", self.lines.epochs));
        (self.pictures, self.seen) = (0, 0.0);
    }

    fn batch_done(&mut self, pictures: usize, loss: f64, accuracy: f64) {
        self.pictures += pictures as u64;
        self.seen = self.bar.elapsed().as_secs_f64();
        let rate = self.pictures as f64 / self.seen.max(1e-9);
        self.bar.set_message(format!(
            "{rate:.0} pictures/s, loss {loss:.4}, accuracy {}",
            percent(accuracy)
        ));
        self.bar.inc(1);
    }

    fn epoch_done(&mut self, record: &EpochRecord, best: bool, timing: &EpochTiming) {
        self.bar.finish_and_clear();
        self.lines.epoch_done(record, best, timing);
    }

    fn not_kept(&mut self, error: &anyhow::Error) {
        self.bar.clone().suspend(|| self.lines.not_kept(error));
    }

    fn rate_halved(&mut self, divergence: &Divergence, epoch: usize, learning_rate: f64) {
        self.bar.finish_and_clear();
        self.lines.rate_halved(divergence, epoch, learning_rate);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_for_pictures_is_told_only_where_it_costs_something() {
        let lines = Lines {
            epochs: 3,
            people: People::Stdout,
        };
        let record = EpochRecord {
            epoch: 1,
            train_loss: 1.5,
            train_accuracy: 0.5,
            validation_loss: None,
            validation_accuracy: None,
            learning_rate: 0.001,
        };
        let line = |waiting_share| {
            let timing = EpochTiming {
                epoch: 1,
                seconds: 8.0,
                pictures_per_second: 100.0,
                waiting_share,
            };
            lines.line(&record, false, &timing)
        };
        assert!(line(0.049).ends_with("8.0 s"), "{}", line(0.049));
        let told = line(0.123);
        assert!(
            told.ends_with("8.0 s, 12.3 % of the training waiting for pictures"),
            "{told}"
        );
    }
}
