//! The processes that `mpirun` starts.

use std::env;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;

use crate::parallel::{Alone, Group};
#[cfg(feature = "mpi")]
use crate::parallel::{Mpi, MpiSession};

/// Where Open MPI, MPICH and the like, and MVAPICH tell a process how many there are.
const SIZES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"];

/// How many processes were started together, this one included; `None` where nobody says so.
fn started_together() -> Option<usize> {
    let told = SIZES.iter().find_map(|name| env::var(name).ok())?;
    told.parse().ok()
}

/// This process among those that were started together.
pub(crate) struct Launch {
    group: Arc<dyn Group>,
    #[cfg(feature = "mpi")]
    _session: Option<MpiSession>,
}

#[cfg(feature = "mpi")]
impl Launch {
    /// Joins the others, where `mpirun` has started this process.
    pub(crate) fn join() -> Result<Self> {
        if started_together().is_none() {
            return Ok(Launch {
                group: Arc::new(Alone),
                _session: None,
            });
        }
        let (mpi, session) = Mpi::start()?;
        Ok(Launch {
            group: Arc::new(mpi),
            _session: Some(session),
        })
    }

    /// Does this process's part. Where it fails among others, it says so and ends them all, for they
    /// would wait for it.
    pub(crate) fn carry_out(
        self,
        work: impl FnOnce(&Arc<dyn Group>) -> Result<ExitCode>,
    ) -> Result<ExitCode> {
        let (rank, size) = (self.group.rank(), self.group.size());
        match work(&self.group) {
            Err(error) if size > 1 => {
                let code = if super::is_usage(&error) { 2 } else { 1 };
                super::output::complain(&match rank {
                    0 => error,
                    _ => error.context(format!("process {} of {size}", rank + 1)),
                });
                Mpi::abort(code)
            }
            done => done,
        }
    }
}

#[cfg(not(feature = "mpi"))]
impl Launch {
    /// This process alone: of several, each would train by itself.
    pub(crate) fn join() -> Result<Self> {
        if let Some(size) = started_together().filter(|&size| size > 1) {
            anyhow::bail!(super::Usage(format!(
                "this is one of {size} processes that were started together, but this fer-train was built \
                 without MPI: build it with --features mpi, or start it without mpirun"
            )));
        }
        Ok(Launch {
            group: Arc::new(Alone),
        })
    }

    /// Does this process's part.
    pub(crate) fn carry_out(
        self,
        work: impl FnOnce(&Arc<dyn Group>) -> Result<ExitCode>,
    ) -> Result<ExitCode> {
        work(&self.group)
    }
}
