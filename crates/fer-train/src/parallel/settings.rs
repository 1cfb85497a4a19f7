use serde::{Deserialize, Serialize};

/// How a run is shared among processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ParallelSettings {
    /// How many processes train: what `mpirun -n` said when the run began, which only `mpirun` can say.
    /// The pictures of a batch are cut among them. Default 1.
    pub processes: usize,
    /// Whether normalisations go by the statistics of the whole batch, as one process does. Each then
    /// waits for the others twice at each normalisation. Default `false`: each goes by the statistics of
    /// its own part. With one process it is all the same.
    pub synchronised_statistics: bool,
}

impl Default for ParallelSettings {
    fn default() -> Self {
        ParallelSettings {
            processes: 1,
            synchronised_statistics: false,
        }
    }
}
