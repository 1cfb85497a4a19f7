use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{Group, GroupError};

/// Lets `count` members of a group work in threads of this process, each with a thread pool of one
/// thread; gives back what they gave, in the order of the ranks.
///
/// The others get [`GroupError::Lost`] where one returns or panics while they wait for it.
///
/// ```
/// use fer_train::parallel::threads;
///
/// let sums = threads(3, |group| {
///     let mut values = [group.rank() as f32, 1.0];
///     group.sum(&mut values).map(|()| values)
/// })?;
/// assert_eq!(sums, vec![Ok([3.0, 3.0]); 3]);
/// # Ok::<(), anyhow::Error>(())
/// ```
///
/// # Errors
/// Threads that cannot be started.
///
/// # Panics
/// When a member does, or `count` is 0.
pub fn threads<R: Send>(count: usize, work: impl Fn(Arc<dyn Group>) -> R + Sync) -> Result<Vec<R>> {
    assert!(count > 0, "a group has at least one member");
    let pool = |_| ThreadPoolBuilder::new().num_threads(1).build();
    let pools: Result<Vec<ThreadPool>, _> = (0..count).map(pool).collect();
    let pools = pools.context("threads cannot be started")?;
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            given: vec![None; count],
            gone: vec![false; count],
            taken: 0,
        }),
        changed: Condvar::new(),
    });
    Ok(thread::scope(|scope| {
        let members = pools.iter().enumerate().map(|(rank, pool)| {
            let shared = shared.clone();
            let work = &work;
            scope.spawn(move || {
                let member: Arc<dyn Group> = Arc::new(Member {
                    shared,
                    rank,
                    size: count,
                });
                pool.install(|| work(member))
            })
        });
        let members: Vec<_> = members.collect();
        let ended = members.into_iter().map(|member| match member.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.collect()
    }))
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// One exchange at a time: all give, then all take.
struct State {
    /// What each member gave, until all have taken it.
    given: Vec<Option<Arc<[u8]>>>,
    gone: Vec<bool>,
    taken: usize,
}

struct Member {
    shared: Arc<Shared>,
    rank: usize,
    size: usize,
}

impl Member {
    /// Gives `own`, and takes what all gave.
    fn exchange(&self, own: &[u8]) -> Result<Vec<Arc<[u8]>>, GroupError> {
        // The exchange before this one may not be over for others.
        let mut state = self.wait(self.lock(), |state| state.given[self.rank].is_none())?;
        state.given[self.rank] = Some(own.into());
        self.shared.changed.notify_all();
        let mut state = self.wait(state, |state| state.given.iter().all(Option::is_some))?;
        let all: Vec<Arc<[u8]>> = state.given.iter().flatten().cloned().collect();
        state.taken += 1;
        if state.taken == self.size {
            state.taken = 0;
            state.given.fill(None);
            self.shared.changed.notify_all();
        }
        Ok(all)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        is_ready: impl Fn(&State) -> bool,
    ) -> Result<MutexGuard<'a, State>, GroupError> {
        loop {
            if is_ready(&state) {
                return Ok(state);
            }
            let lost = (0..self.size).find(|&rank| state.gone[rank] && state.given[rank].is_none());
            if let Some(rank) = lost {
                let size = self.size;
                return Err(GroupError::Lost { rank, size });
            }
            let waited = self.shared.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.lock().gone[self.rank] = true;
        self.shared.changed.notify_all();
    }
}

impl Group for Member {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn all_gather(
        &self,
        own: &[u8],
        _lengths: &[usize],
        into: &mut [u8],
    ) -> Result<(), GroupError> {
        into.copy_from_slice(&self.exchange(own)?.concat());
        Ok(())
    }

    fn all_to_all(&self, own: &[u8], lengths: &[usize], into: &mut [u8]) -> Result<(), GroupError> {
        let start: usize = lengths[..self.rank].iter().sum();
        let piece = start..start + lengths[self.rank];
        let length = piece.len().max(1);
        let all = self.exchange(own)?;
        for (into, all) in into.chunks_exact_mut(length).zip(all) {
            into.copy_from_slice(&all[piece.clone()]);
        }
        Ok(())
    }
}
