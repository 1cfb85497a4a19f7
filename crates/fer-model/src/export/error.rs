/// Why a network cannot be written for other programs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Weights that cannot be read.
    #[error("the weights cannot be read: {0}")]
    Weights(#[from] candle_core::Error),
    /// A description that is not to be written.
    #[error("the description cannot be written: {0}")]
    Description(#[from] serde_json::Error),
    /// Class names and outputs differ in number.
    #[error(
        "{names} class names are given for a network of {outputs} outputs; each output needs one"
    )]
    Classes {
        /// Class names.
        names: usize,
        /// Outputs of the network.
        outputs: usize,
    },
    /// A temperature that logits cannot be divided by.
    #[error("temperature {0} is out of range: expected 0.01 to 100")]
    Temperature(f64),
    /// A network whose file protobuf cannot hold.
    #[error(
        "as an ONNX file the network has {bytes} bytes, and protobuf holds at most {largest}; a narrower network fits"
    )]
    TooLarge {
        /// What it would take.
        bytes: usize,
        /// What can be held.
        largest: usize,
    },
}
