//! Several processes that train one network together, each on its part of every batch.
//!
//! All of them hold the same weights and the same state. A step goes so: each goes forward and back on
//! its part, the gradients of all the parts are added up, and each takes the same step. What a
//! [`Trainer`](crate::fit::Trainer) needs of the others stands behind [`Group`]: [`Alone`] is the group
//! of one, [`threads`] makes groups out of threads, and with the feature `mpi` there is `Mpi`, the group that
//! `mpirun` has started, on one machine or on many.
//!
//! Sums are added in the order of the ranks, element by element, so they are the same bits in every
//! process, and from run to run with as many processes.

mod alone;
mod group;
mod joint;
#[cfg(feature = "mpi")]
mod mpi;
mod settings;
mod state;
mod threads;

use std::sync::Arc;

use anyhow::Result;
use fer_model::{Exchange, Network, Tape};

pub use alone::Alone;
pub use group::{Group, GroupError, cut};
pub(crate) use joint::Joint;
pub use joint::LeaderFailed;
#[cfg(feature = "mpi")]
pub use mpi::{Mpi, Session as MpiSession};
pub use settings::ParallelSettings;
pub(crate) use state::{share_state, share_weights};
pub use threads::threads;

/// With whom a network is trained.
#[derive(Clone)]
pub struct Parallel {
    group: Arc<dyn Group>,
    synchronised_statistics: bool,
}

impl Parallel {
    /// With the members of `group`. Normalisations go by the statistics of the whole batch where these are
    /// synchronised, and else each member's by those of its part; their running statistics are then moved
    /// by the mean over the parts.
    pub fn new(group: Arc<dyn Group>, synchronised_statistics: bool) -> Self {
        Parallel {
            group,
            synchronised_statistics,
        }
    }

    /// With nobody else.
    pub fn alone() -> Self {
        Parallel::new(Arc::new(Alone), false)
    }

    /// Who trains.
    pub fn group(&self) -> &dyn Group {
        self.group.as_ref()
    }

    /// Whether every member has the same running statistics by itself.
    pub(crate) fn has_synchronised_statistics(&self) -> bool {
        self.synchronised_statistics
    }

    /// What trains `network` on this member's part.
    pub(crate) fn tape<'a>(&self, network: &'a dyn Network) -> Result<Tape<'a>> {
        if self.synchronised_statistics && self.group.size() > 1 {
            let statistics = Arc::new(Statistics(self.group.clone()));
            return Ok(Tape::exchanging(network, statistics)?);
        }
        Ok(Tape::new(network)?)
    }
}

/// The sums of a normalisation over the group.
struct Statistics(Arc<dyn Group>);

impl Exchange for Statistics {
    fn sum(&self, values: &mut [f64]) -> candle_core::Result<()> {
        self.0.sum(values).map_err(candle_core::Error::wrap)
    }
}
