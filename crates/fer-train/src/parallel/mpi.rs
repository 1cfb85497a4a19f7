use std::ffi::c_int;

use anyhow::{Context, Result, ensure};
use mpi::Threading;
use mpi::collective::CommunicatorCollectives;
use mpi::datatype::{Partition, PartitionMut};
use mpi::environment::{Universe, initialize_with_threading};
use mpi::topology::{Communicator, SimpleCommunicator};

use super::{Group, GroupError};

/// All the processes that `mpirun` has started.
///
/// A process that dies takes the others along: MPI ends them, for none could go on without it.
#[derive(Clone, Copy, Debug)]
pub struct Mpi {
    rank: usize,
    size: usize,
}

/// MPI while it is at work. Where it goes out of scope, this process waits until the others are as far.
pub struct Session {
    _universe: Universe,
}

impl Mpi {
    /// Joins the other processes.
    ///
    /// # Errors
    /// MPI that was started before in this process, or that cannot be called by more than one thread.
    pub fn start() -> Result<(Mpi, Session)> {
        let started = initialize_with_threading(Threading::Serialized);
        let (universe, provided) = started.context("MPI has been started before")?;
        ensure!(
            provided >= Threading::Serialized,
            "this MPI cannot be called by more than one thread, which training does"
        );
        let world = universe.world();
        let mpi = Mpi {
            rank: world.rank() as usize,
            size: world.size() as usize,
        };
        Ok((
            mpi,
            Session {
                _universe: universe,
            },
        ))
    }

    /// Ends all the processes at once; `code` is what this one exits with.
    pub fn abort(code: u8) -> ! {
        SimpleCommunicator::world().abort(c_int::from(code))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The others would wait for this process without end.
        if std::thread::panicking() {
            Mpi::abort(101);
        }
    }
}

impl Group for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn all_gather(&self, own: &[u8], lengths: &[usize], into: &mut [u8]) -> Result<(), GroupError> {
        // Open MPI takes the places of two empty buffers for one and the same, which it refuses.
        if into.is_empty() {
            return Ok(());
        }
        let (lengths, places) = counted(lengths)?;
        let mut into = PartitionMut::new(into, lengths, places);
        SimpleCommunicator::world().all_gather_varcount_into(own, &mut into);
        Ok(())
    }

    fn all_to_all(&self, own: &[u8], lengths: &[usize], into: &mut [u8]) -> Result<(), GroupError> {
        let equal = vec![lengths[self.rank]; self.size];
        let ((lengths, places), (equal, equal_places)) = (counted(lengths)?, counted(&equal)?);
        let own = Partition::new(own, lengths, places);
        let mut into = PartitionMut::new(into, equal, equal_places);
        SimpleCommunicator::world().all_to_all_varcount_into(&own, &mut into);
        Ok(())
    }
}

/// Lengths as MPI counts them, with where each part begins.
fn counted(lengths: &[usize]) -> Result<(Vec<c_int>, Vec<c_int>), GroupError> {
    let bytes = lengths.iter().sum();
    c_int::try_from(bytes).map_err(|_| GroupError::TooLarge { bytes })?;
    let places = lengths.iter().scan(0, |place, &length| {
        let start = *place;
        *place += length as c_int;
        Some(start)
    });
    let places = places.collect();
    Ok((
        lengths.iter().map(|&length| length as c_int).collect(),
        places,
    ))
}
