//! Batches made by threads of their own while the network works on the one before.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::pixels::Row;
use super::{Batch, Batches};
use crate::error::DataError;
use crate::worker::guarded;

/// Batches that lie ready at most, where one thread makes them.
const READY: usize = 3;

/// Writes the pixels of the picture whose turn it is.
type Fill<'a> = dyn Fn(Row<'_>, usize) -> Result<(), DataError> + Sync + 'a;

/// The batches of an epoch in order, each taken over from the thread that made it.
///
/// They are the same, bit for bit, as those of [`Batches::iter`], for any number of threads.
pub struct Ahead {
    /// One a thread, which take turns.
    threads: Vec<Receiver<Result<Batch, DataError>>>,
    next: usize,
    count: usize,
    waited: Duration,
}

impl Ahead {
    /// How long [`next`](Iterator::next) has waited for batches in all.
    pub fn waited(&self) -> Duration {
        self.waited
    }
}

impl Iterator for Ahead {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.count {
            return None;
        }
        let thread = self.next % self.threads.len();
        let start = Instant::now();
        let batch = self.threads[thread].recv().ok()?;
        self.waited += start.elapsed();
        self.next += 1;
        Some(batch)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.count - self.next;
        (left, Some(left))
    }
}

impl Batches<'_> {
    /// Calls `consume` with the batches in order, which `threads` threads of their own make ahead:
    /// three batches, or one a thread where there are more threads.
    ///
    /// These threads use no pool, so that they neither wait for the network's threads nor keep them
    /// from their work. One makes several thousand pictures a second with every augmentation, more
    /// than a CPU trains on; a GPU may want more of them. When `consume` returns they end, also when
    /// it has not taken all batches.
    ///
    /// A panic while a picture is made becomes the [`DataError::Panic`] of its batch.
    ///
    /// ```no_run
    /// # use fer_data::{Batches, DataError, OpenSettings, Split, open};
    /// # let faces = open("drawn".as_ref(), &OpenSettings::default())?;
    /// let batches = Batches::new(&faces, faces.indices(Split::Train), 32).shuffled(7, 0);
    /// batches.ahead(1, |ahead| -> Result<(), DataError> {
    ///     for batch in ahead.by_ref() {
    ///         println!("{} pictures", batch?.labels.len());
    ///     }
    ///     println!("waited {:?}", ahead.waited());
    ///     Ok(())
    /// })?;
    /// # Ok::<(), DataError>(())
    /// ```
    ///
    /// # Panics
    /// When `threads` is 0.
    pub fn ahead<R>(&self, threads: usize, consume: impl FnOnce(&mut Ahead) -> R) -> R {
        self.ahead_by(threads, &|row, turn| self.fill(row, turn), consume)
    }

    fn ahead_by<R>(
        &self,
        threads: usize,
        fill: &Fill<'_>,
        consume: impl FnOnce(&mut Ahead) -> R,
    ) -> R {
        assert!(threads > 0, "somebody has to make the batches");
        // Beside what waits in its channel, a thread holds one that is made.
        let waiting = READY.div_ceil(threads) - 1;
        thread::scope(|scope| {
            let start = |turn| {
                let (sender, receiver) = sync_channel(waiting);
                scope.spawn(move || {
                    let mut batches = (self.first + turn..self.len()).step_by(threads);
                    // Nobody takes them any more once sending fails.
                    batches.all(|number| sender.send(self.batch_by(number, fill)).is_ok())
                });
                receiver
            };
            // Dropped before the scope waits for the threads, which ends them.
            let mut ahead = Ahead {
                threads: (0..threads).map(start).collect(),
                next: 0,
                count: self.len().saturating_sub(self.first),
                waited: Duration::ZERO,
            };
            consume(&mut ahead)
        })
    }

    /// Batch `number`, made on this thread alone.
    fn batch_by(&self, number: usize, fill: &Fill<'_>) -> Result<Batch, DataError> {
        self.make(number, &|pixels, turns| {
            for (row, &turn) in pixels.rows_mut().zip(turns) {
                let origin = || self.dataset.origin(self.index(turn));
                let name = || format!("batch {}, {}", number + 1, origin());
                guarded(name, || fill(row, turn))??;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::greys::greys;
    use super::*;
    use crate::{Augmentation, Sampling};

    fn everything() -> Augmentation {
        Augmentation {
            flip: 0.5,
            rotation: 12.0,
            scale: 0.1,
            shift: 0.1,
            brightness: 0.1,
            contrast: 0.2,
            erasing: 0.5,
        }
    }

    fn all(batches: &Batches<'_>, threads: usize) -> Vec<Batch> {
        batches
            .ahead(threads, |ahead| ahead.collect::<Result<_, _>>())
            .unwrap()
    }

    #[test]
    fn batches_made_ahead_are_those_made_when_asked_for_any_number_of_threads() {
        let (dataset, augmentation) = (greys(77), everything());
        let sampling = Sampling { balanced: 0.5 };
        let order: Vec<usize> = (0..dataset.len()).rev().collect();
        let batches = |epoch| {
            Batches::new(&dataset, order.clone(), 8)
                .sampled(&sampling, 3, epoch)
                .shuffled(3, epoch)
                .augmented(&augmentation, 3, epoch)
        };
        let expected: Vec<Batch> = batches(1).iter().map(Result::unwrap).collect();
        assert_eq!(expected.len(), 10);
        assert_eq!(expected[9].labels.len(), 5, "the last one is short");
        for threads in [1, 2, 3, 4, 20] {
            assert_eq!(all(&batches(1), threads), expected, "{threads} threads");
            for first in [1, 7, 10, 11] {
                let left = all(&batches(1).starting_at(first), threads);
                assert_eq!(
                    left,
                    expected[first.min(10)..],
                    "{threads} threads, from {first}"
                );
            }
        }
        assert_ne!(all(&batches(2), 1), expected, "another epoch");
    }

    #[test]
    fn a_pool_of_one_thread_that_is_busy_with_the_batches_is_not_waited_for() {
        let dataset = greys(40);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        let count = pool.install(|| {
            Batches::new(&dataset, (0..40).collect(), 4).ahead(1, |ahead| {
                ahead
                    .map(|batch| batch.unwrap().labels.len())
                    .sum::<usize>()
            })
        });
        assert_eq!(count, 40);
    }

    #[test]
    fn leaving_early_ends_the_threads_and_no_batches_means_none() {
        let dataset = greys(400);
        for threads in [1, 4] {
            let batches = Batches::new(&dataset, (0..400).collect(), 1);
            let first = batches.ahead(threads, |ahead| ahead.next().unwrap().unwrap());
            assert_eq!(first.indices, [0]);
            batches.ahead(threads, |_| ());
            let empty = Batches::new(&dataset, Vec::new(), 1);
            assert!(all(&empty, threads).is_empty());
        }
    }

    #[test]
    fn a_bounded_number_of_batches_is_made_before_they_are_asked_for() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let dataset = greys(100);
        let batches = Batches::new(&dataset, (0..100).collect(), 1);
        let count = |_: Row<'_>, _| {
            MADE.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        batches.ahead_by(1, &count, |ahead| {
            ahead.next().unwrap().unwrap();
            thread::sleep(Duration::from_millis(200));
            assert_eq!(MADE.load(Ordering::SeqCst), 1 + READY);
            assert_eq!(ahead.count(), 99);
        });
    }

    #[test]
    fn a_panic_is_the_error_of_its_batch_and_names_the_picture() {
        let dataset = greys(10);
        let batches = Batches::new(&dataset, (0..10).collect(), 3);
        let fill = |_: Row<'_>, index| {
            assert_ne!(index, 4, "the fifth");
            Ok(())
        };
        let made: Vec<Result<Batch, DataError>> =
            batches.ahead_by(2, &fill, |ahead| ahead.collect());
        assert_eq!(made.len(), 4);
        let refused = made[1].as_ref().unwrap_err().to_string();
        for words in ["batch 2", "grey 4", "the fifth"] {
            assert!(refused.contains(words), "{words}: {refused}");
        }
        assert!(made[0].is_ok() && made[2].is_ok() && made[3].is_ok());
    }

    #[test]
    fn the_time_spent_waiting_is_that_of_the_slow_side() {
        let dataset = greys(10);
        let batches = Batches::new(&dataset, (0..10).collect(), 1);
        let slow = |_: Row<'_>, _| {
            thread::sleep(Duration::from_millis(20));
            Ok(())
        };
        let waited = batches.ahead_by(1, &slow, |ahead| {
            ahead.by_ref().for_each(|batch| drop(batch.unwrap()));
            ahead.waited()
        });
        assert!(waited >= Duration::from_millis(150), "{waited:?}");
        let waited = batches.ahead(1, |ahead| {
            for batch in ahead.by_ref() {
                drop(batch.unwrap());
                thread::sleep(Duration::from_millis(20));
            }
            ahead.waited()
        });
        assert!(waited < Duration::from_millis(150), "{waited:?}");
    }
}
