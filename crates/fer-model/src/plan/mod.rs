//! Prediction on the CPU without a graph.

mod compile;
mod step;

use std::sync::{Mutex, PoisonError};

use candle_core::{Result, Tensor, bail};

use crate::arch::Network;
use crate::ops::Mode;
use crate::plan::step::{Inputs, Source, Step};

/// Pictures that go through all the steps together: enough for every thread, few enough for what
/// lies between two steps to stay in the cache.
const AT_ONCE: usize = 32;

/// A network made ready to predict on the CPU: its weights packed once for the kernels,
/// normalisations folded into them, and what flows between two steps kept in few buffers that are
/// used again. It gives the logits of the network's own forward pass, to rounding.
///
/// It may be used by many threads at once.
pub struct Plan {
    input: [usize; 3],
    outputs: usize,
    steps: Vec<Step>,
    /// Values that each buffer holds for one picture.
    sizes: Vec<usize>,
    rest: Mutex<Vec<Workspace>>,
}

/// One buffer for each number in [`Plan::sizes`].
type Workspace = Vec<Vec<f32>>;

impl Plan {
    /// The plan of a network with its weights as they are now; `None` where they are not f32 on the
    /// CPU, the network's engine has no kernels, or it is not made of blocks.
    ///
    /// # Errors
    /// Weights that cannot be read.
    pub fn new(network: &dyn Network) -> Result<Option<Self>> {
        match network.sequential() {
            Some(network) => compile::plan(network),
            None => Ok(None),
        }
    }

    /// Logits (pictures, classes) of pictures, f32 of shape (pictures, channels, rows, columns).
    ///
    /// # Errors
    /// Pictures of another shape, or elsewhere than on the CPU.
    pub fn forward(&self, pictures: &Tensor) -> Result<Tensor> {
        let (count, channels, height, width) = pictures.dims4()?;
        if [channels, height, width] != self.input {
            bail!(
                "the network takes pictures of {:?} (channels, rows, columns), got {:?}",
                self.input,
                [channels, height, width]
            );
        }
        let pictures = pictures.contiguous()?;
        let logits = self.run(&crate::ops::values::values(&pictures)?)?;
        Tensor::from_vec(logits, (count, self.outputs), pictures.device())
    }

    /// Logits (pictures, classes) of pictures, f32 of shape (pictures, channels, rows, columns), by the plan of
    /// `network` or, where it has none, by itself.
    ///
    /// # Errors
    /// Pictures of another shape, or on another device than the network.
    pub fn logits(plan: Option<&Self>, network: &dyn Network, pictures: &Tensor) -> Result<Tensor> {
        match plan {
            Some(plan) => plan.forward(pictures),
            None => network.forward(pictures, Mode::Predict),
        }
    }

    /// Logits, picture by picture, of pictures laid out (pictures, channels, rows, columns).
    ///
    /// # Errors
    /// Values that are not a whole number of pictures.
    pub fn run(&self, pictures: &[f32]) -> Result<Vec<f32>> {
        let size: usize = self.input.iter().product();
        if !pictures.len().is_multiple_of(size) {
            bail!(
                "pictures of {size} values ({:?}: channels, rows, columns) are expected, {} values are no whole number of them",
                self.input,
                pictures.len()
            );
        }
        let mut logits = vec![0.0; pictures.len() / size * self.outputs];
        let mut workspace = self.take();
        let batches = pictures.chunks(AT_ONCE * size);
        // One step into the thread pool for all the steps, and not one for each.
        rayon::scope(|_| {
            for (pictures, logits) in batches.zip(logits.chunks_mut(AT_ONCE * self.outputs)) {
                self.run_batch(pictures, logits, &mut workspace);
            }
        });
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest.push(workspace);
        Ok(logits)
    }

    fn run_batch(&self, pictures: &[f32], logits: &mut [f32], workspace: &mut Workspace) {
        let count = logits.len() / self.outputs;
        for (buffer, size) in workspace.iter_mut().zip(&self.sizes) {
            if buffer.len() < count * size {
                buffer.resize(count * size, 0.0);
            }
        }
        for step in &self.steps {
            let mut output = std::mem::take(&mut workspace[step.to]);
            let read = |source: Source, size: usize| match source {
                Source::Pictures => pictures,
                Source::Buffer(number) => &workspace[number][..count * size],
            };
            let work = &step.work;
            let inputs = Inputs {
                input: read(step.from, work.input()),
                residual: step.around.map(|source| read(source, work.before_pool())),
                gate: step.gate.map_or(&[], |source| read(source, work.gates())),
            };
            work.run(count, inputs, &mut output[..count * work.output()]);
            workspace[step.to] = output;
        }
        if let Some(last) = self.steps.last() {
            logits.copy_from_slice(&workspace[last.to][..logits.len()]);
        }
    }

    fn take(&self) -> Workspace {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest.pop()
            .unwrap_or_else(|| vec![Vec::new(); self.sizes.len()])
    }
}
