use fer_data::{ClassNames, Resize};

/// Why a model cannot teach: one variant per cause, each naming the model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DistillationError {
    /// Another file lies where a teacher lay.
    #[error(
        "{model} is not the teacher that the run began with: its SHA-256 is {found}, distillation.sha256 has {expected}"
    )]
    OtherFile {
        /// The model.
        model: String,
        /// The digest asked for.
        expected: String,
        /// The digest found.
        found: String,
    },
    /// It answers with other classes.
    #[error(
        "{model} cannot teach: it knows {found}, the data have {expected}; a teacher has the same classes in the same order"
    )]
    Classes {
        /// The model.
        model: String,
        /// The data's classes.
        expected: ClassNames,
        /// The model's classes.
        found: ClassNames,
    },
    /// It learned from pictures that were made otherwise.
    #[error(
        "{model} learned from pictures resized by {found}, and data.resize is {expected}: ask for --resize {found}, or for another teacher"
    )]
    Resize {
        /// The model.
        model: String,
        /// How the data are resized.
        expected: Resize,
        /// How the model's were.
        found: Resize,
    },
}

impl DistillationError {
    /// Whether what was asked for is wrong, and not what was found.
    pub fn is_usage(&self) -> bool {
        !matches!(self, DistillationError::OtherFile { .. })
    }
}
