/// Why a run cannot begin with a model: one variant per cause, each naming the model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitialError {
    /// There is no model that comes along.
    #[error(
        "this build has no built-in model (feature `weights`): name a model file in place of `builtin`"
    )]
    NoBuiltin,
    /// Another file lies where the run's model lay.
    #[error(
        "{model} is not the model that the run began with: its SHA-256 is {found}, init.sha256 is {expected}"
    )]
    OtherFile {
        /// The model.
        model: String,
        /// The digest asked for.
        expected: String,
        /// The digest found.
        found: String,
    },
    /// Another network is asked for than the model is.
    #[error(
        "the network {asked} is asked for, {model} is a {found}: its weights fit no other; leave --arch and model.arch out"
    )]
    Network {
        /// The model.
        model: String,
        /// Its network.
        found: &'static str,
        /// The one asked for.
        asked: String,
    },
    /// The network has other tensors than the model.
    #[error(
        "the settings of the network do not fit {model}: {tensor} {found}, {expected} is asked for; leave out what changes shapes in [model], such as model.width"
    )]
    Tensor {
        /// The model.
        model: String,
        /// A tensor that differs.
        tensor: String,
        /// What the model has.
        found: String,
        /// What the settings ask for.
        expected: String,
    },
    /// A pattern is none.
    #[error("`{pattern}` is no pattern of tensor names: {reason}")]
    Pattern {
        /// As it was given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A pattern names nothing.
    #[error(
        "`{pattern}` names no tensor of {model}, whose layers are {layers}; `fer-train summary --tensors {model}` lists them all"
    )]
    NothingFrozen {
        /// As it was given.
        pattern: String,
        /// The model.
        model: String,
        /// The beginnings of its tensors' names.
        layers: String,
    },
    /// A pattern freezes the new last layer.
    #[error(
        "`{pattern}` would freeze {tensor}, which is drawn anew because the classes are others than those of {model}: leave the last layer free"
    )]
    NewHead {
        /// As it was given.
        pattern: String,
        /// The tensor.
        tensor: String,
        /// The model.
        model: String,
    },
    /// No tensor is left to train.
    #[error("every tensor of {model} would be frozen, and nothing is left to train: freeze less")]
    Everything {
        /// The model.
        model: String,
    },
}

impl InitialError {
    /// Whether what was asked for is wrong, and not what was found.
    pub fn is_usage(&self) -> bool {
        !matches!(self, InitialError::OtherFile { .. })
    }
}
