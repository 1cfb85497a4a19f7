use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};
use fer_data::random::stream;
use fer_model::ops::{AdamSettings, Engine, Mode, cross_entropy};
use fer_model::{Architecture, Network, Parameters, Sequential, Tape};
use fer_train::fit::Optimiser;
use rand::RngExt;

/// Classes of every network here.
pub(crate) const CLASSES: usize = 8;

/// A network with its parameters, the same numbers on every device.
pub(crate) struct Subject {
    pub(crate) network: Sequential,
    pub(crate) parameters: Parameters,
    pub(crate) device: Device,
}

impl Subject {
    /// One whose kernels are the CPU's where the device is, unless the portable operations are asked for.
    pub(crate) fn new(name: &str, engine: Engine, device: &Device) -> Result<Self> {
        let parameters = Parameters::new(5, device);
        let network = Architecture::named(name)?.build(CLASSES, engine, parameters.builder())?;
        Ok(Subject {
            network,
            parameters,
            device: device.clone(),
        })
    }

    /// As the CPU's kernels compute it.
    pub(crate) fn on_kernels(name: &str) -> Result<Self> {
        Subject::new(name, Engine::available()[0], &Device::Cpu)
    }

    /// As the operations compute it that every device has.
    pub(crate) fn portable(name: &str, device: &Device) -> Result<Self> {
        Subject::new(name, Engine::Portable, device)
    }

    /// Pictures with the values of a stream, and a class for each.
    pub(crate) fn batch(&self, count: usize) -> Result<(Tensor, Tensor)> {
        let mut random = stream(17, "pictures", 0);
        let values: Vec<f32> = (0..count * 48 * 48).map(|_| random.random()).collect();
        let pictures = Tensor::from_vec(values, (count, 1, 48, 48), &self.device)?;
        let classes: Vec<u32> = (0..count).map(|number| (number % CLASSES) as u32).collect();
        let classes = Tensor::from_vec(classes, count, &Device::Cpu)?;
        let targets = Tensor::eye(CLASSES, DType::F32, &Device::Cpu)?.index_select(&classes, 0)?;
        Ok((pictures, targets.to_device(&self.device)?))
    }

    pub(crate) fn logits(&self, count: usize) -> Result<Vec<f32>> {
        let (pictures, _) = self.batch(count)?;
        values(&self.network.forward(&pictures, Mode::Predict)?)
    }

    /// The gradients of one batch's loss, by name.
    pub(crate) fn gradients(&self, count: usize) -> Result<Vec<(String, Vec<f32>)>> {
        let (pictures, targets) = self.batch(count)?;
        let tape = Tape::new(&self.network)?;
        let logits = tape.forward(&pictures, Mode::Train { seed: 1, step: 0 })?;
        let loss = cross_entropy(&logits, &targets, self.network.engine())?;
        let gradients = tape.backward(&loss)?;
        let vars = self.parameters.trainable().into_iter();
        let pairs = vars.map(|(name, var)| {
            let gradient = gradients.get(&var);
            let gradient = gradient.with_context(|| format!("{name} has no gradient"))?;
            Ok((name, values(gradient)?))
        });
        pairs.collect()
    }

    /// The losses of so many steps of Adam on one batch.
    pub(crate) fn train(&self, steps: u64, count: usize) -> Result<Vec<f32>> {
        let mut training = Training::new(self, count)?;
        let losses = (0..steps).map(|_| training.step());
        let losses: Vec<Tensor> = losses.collect::<Result<_>>()?;
        losses.iter().map(|loss| Ok(loss.to_scalar()?)).collect()
    }
}

/// Steps of Adam on one batch.
pub(crate) struct Training<'a> {
    engine: Engine,
    tape: Tape<'a>,
    adam: Optimiser,
    pictures: Tensor,
    targets: Tensor,
    steps: u64,
}

impl<'a> Training<'a> {
    pub(crate) fn new(subject: &'a Subject, count: usize) -> Result<Self> {
        let (pictures, targets) = subject.batch(count)?;
        let engine = subject.network.engine();
        Ok(Training {
            tape: Tape::new(&subject.network)?,
            adam: Optimiser::new(&subject.parameters, AdamSettings::default(), engine)?,
            engine,
            pictures,
            targets,
            steps: 0,
        })
    }

    /// The loss before the step, still on the device.
    pub(crate) fn step(&mut self) -> Result<Tensor> {
        let mode = Mode::Train {
            seed: 1,
            step: self.steps,
        };
        let logits = self.tape.forward(&self.pictures, mode)?;
        let loss = cross_entropy(&logits, &self.targets, self.engine)?;
        self.adam.step(&self.tape.backward(&loss)?, 1e-4)?;
        self.steps += 1;
        Ok(loss)
    }
}

pub(crate) fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

/// The largest difference, as a share of the largest value.
pub(crate) fn farthest(found: &[f32], expected: &[f32]) -> f64 {
    let largest = expected
        .iter()
        .fold(1e-6f32, |most, value| most.max(value.abs()));
    let differences = found
        .iter()
        .zip(expected)
        .map(|(one, other)| (one - other).abs());
    let most = differences.fold(0.0f32, |most, difference| match difference.is_nan() {
        true => f32::INFINITY,
        false => most.max(difference),
    });
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    f64::from(most / largest)
}
