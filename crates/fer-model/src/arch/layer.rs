/// One row of a network's layer table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The layer's name, as Keras counts it.
    pub name: String,
    /// The kind of layer, as Keras names it.
    pub kind: &'static str,
    /// The shape of one output, channels last, without the batch.
    pub output: Vec<usize>,
    /// Trainable parameters.
    pub parameters: usize,
}

impl Layer {
    pub(crate) fn new(
        name: &str,
        kind: &'static str,
        output: Vec<usize>,
        parameters: usize,
    ) -> Self {
        Layer {
            name: name.to_string(),
            kind,
            output,
            parameters,
        }
    }
}
