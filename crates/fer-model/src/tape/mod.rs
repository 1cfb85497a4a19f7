//! Training on the CPU with buffers that are used again at every step.

mod buffers;
mod compile;
mod convolution;
mod dense;
mod ending;
mod exchange;
mod gated_sum;
mod node;
mod record;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use crate::arch::Network;
use crate::ops::Mode;
use crate::ops::values::{slice, values};
use ending::Ending;
use record::Record;

pub use exchange::Exchange;

/// Records a network's forward pass and goes back through it.
///
/// candle's graph makes, clears and adds a tensor for every gradient; a tape runs the same kernels
/// over buffers of its own, which it keeps from step to step, and hands candle one operation from
/// pictures to logits. Loss and gradients stay candle's, so any loss over the logits can follow. For
/// a network whose engine has no kernels, it is candle's graph.
///
/// Tensors that are no variables, as [`Parameters::frozen`](crate::Parameters::frozen) makes them, get no
/// gradient, and layers before the first that trains have no way back at all. They are as they were when
/// the tape was made: a normalisation of which nothing trains is folded into its convolution.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use fer_model::ops::{AdamSettings, AdamState, Engine, Mode, cross_entropy};
/// use fer_model::{Architecture, Parameters, Tape};
///
/// let parameters = Parameters::new(7, &Device::Cpu);
/// let network = Architecture::named("cnn")?.build(2, Engine::detect(), parameters.builder())?;
/// let tape = Tape::new(&network)?;
/// let pictures = Tensor::full(0.5f32, (2, 1, 48, 48), &Device::Cpu)?;
/// let targets = Tensor::new(&[[1f32, 0.0], [0.0, 1.0]], &Device::Cpu)?;
///
/// let logits = tape.forward(&pictures, Mode::Train { seed: 7, step: 0 })?;
/// let loss = cross_entropy(&logits, &targets, Engine::detect())?;
/// let gradients = tape.backward(&loss)?;
/// for (name, var) in parameters.trainable() {
///     assert!(gradients.get(&var).is_some(), "{name}");
/// }
/// # Ok::<(), fer_model::ModelError>(())
/// ```
pub struct Tape<'a> {
    network: &'a dyn Network,
    record: Option<Arc<Mutex<Record>>>,
}

impl<'a> Tape<'a> {
    /// A tape for this network.
    ///
    /// # Errors
    /// Weights that cannot be read.
    pub fn new(network: &'a dyn Network) -> Result<Self> {
        let record = match network.sequential() {
            Some(network) => Record::of(network)?,
            None => None,
        };
        Ok(Tape {
            network,
            record: record.map(|record| Arc::new(Mutex::new(record))),
        })
    }

    /// A tape for this network whose batches are one part of batches that others have the other parts of:
    /// it normalises by the statistics of all of them.
    ///
    /// # Errors
    /// Weights that cannot be read; a network that the kernels do not train: its engine has none, or it
    /// is not on the CPU.
    pub fn exchanging(network: &'a dyn Network, exchange: Arc<dyn Exchange>) -> Result<Self> {
        let tape = Tape::new(network)?;
        let Some(record) = &tape.record else {
            bail!(
                "statistics over several processes are for networks on the CPU that the kernels train, \
                 and the engine is {}",
                network.engine()
            );
        };
        let mut locked = record.lock().unwrap_or_else(PoisonError::into_inner);
        for ending in locked.endings() {
            ending.exchange = Some(exchange.clone());
        }
        drop(locked);
        Ok(tape)
    }

    /// The forward pass of a part of the batch that has no picture: what the others need of it.
    ///
    /// # Errors
    /// Another that is gone.
    pub fn forward_empty(&self) -> Result<()> {
        let Some(mut record) = self.exchanging_record() else {
            return Ok(());
        };
        record.endings().try_for_each(Ending::forward_empty)
    }

    /// The backward pass of a part of the batch that has no picture.
    ///
    /// # Errors
    /// Another that is gone.
    pub fn backward_empty(&self) -> Result<()> {
        let Some(mut record) = self.exchanging_record() else {
            return Ok(());
        };
        let mut endings = record.endings().rev();
        endings.try_for_each(|ending| ending.backward_empty())
    }

    /// The record, where it exchanges anything.
    fn exchanging_record(&self) -> Option<MutexGuard<'_, Record>> {
        let record = self.record.as_ref()?;
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        let exchanges = record.endings().any(|ending| ending.exchange.is_some());
        exchanges.then_some(record)
    }

    /// Logits (pictures, classes) of pictures (pictures, channels, rows, columns), with what
    /// [`backward`](Self::backward) needs kept until the next forward pass.
    ///
    /// # Errors
    /// As the network's forward pass.
    pub fn forward(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        let Some(record) = self.record.as_ref().filter(|_| mode.trains()) else {
            return self.network.forward(pictures, mode);
        };
        let mut locked = record.lock().unwrap_or_else(PoisonError::into_inner);
        locked.check(pictures)?;
        locked.start(mode);
        let (anchor, pass) = (locked.anchor(), locked.pass());
        drop(locked);
        let operation = Pass {
            record: record.clone(),
            pass,
        };
        pictures.contiguous()?.apply_op2(&anchor, operation)
    }

    /// The gradient of `loss` for every variable that it depends on, as candle's own `backward`.
    ///
    /// # Errors
    /// A loss of an earlier forward pass than the last, or that no gradient reaches.
    pub fn backward(&self, loss: &Tensor) -> Result<GradStore> {
        let mut gradients = loss.backward()?;
        if let Some(record) = &self.record {
            let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
            for (variable, gradient) in record.collected()? {
                gradients.insert(&variable, gradient);
            }
        }
        Ok(gradients)
    }
}

/// A forward pass as candle sees it: pictures, and one of the variables, without which candle would
/// keep no graph. The gradients of the other variables wait in the record.
struct Pass {
    record: Arc<Mutex<Record>>,
    pass: u64,
}

impl CustomOp2 for Pass {
    fn name(&self) -> &'static str {
        "network"
    }

    fn cpu_fwd(
        &self,
        pictures: &CpuStorage,
        layout: &Layout,
        _anchor: &CpuStorage,
        _anchor_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let count = layout.dims().first().copied().unwrap_or(0);
        let pictures = slice(pictures, layout)?;
        // One step into the thread pool for all the nodes, and not one for each.
        let record = &mut *record;
        let logits = rayon::scope(|_| record.forward(pictures, count))?;
        let shape = Shape::from((count, logits.len() / count.max(1)));
        Ok((CpuStorage::F32(logits), shape))
    }

    fn bwd(
        &self,
        pictures: &Tensor,
        anchor: &Tensor,
        _logits: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if record.pass() != self.pass {
            bail!("the tape has been used for another forward pass since this one");
        }
        let gradient = gradient.contiguous()?;
        let (pixels, logits) = (values(pictures)?, values(&gradient)?);
        let (pixels, logits): (&[f32], &[f32]) = (&pixels, &logits);
        let wanted = pictures.track_op();
        let open = &mut *record;
        let of_pictures = rayon::scope(|_| open.backward(pixels, logits, wanted))?;
        let of_pictures = of_pictures
            .map(|values| Tensor::from_vec(values, pictures.shape(), pictures.device()))
            .transpose()?;
        Ok((of_pictures, record.take(anchor)))
    }
}
