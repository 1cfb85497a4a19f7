//! The trainable tensors of a network, by name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{DType, Device, Result, Shape, Tensor, Var, bail};
use candle_nn::VarBuilder;
use candle_nn::init::{Init, NormalOrUniform};
use candle_nn::var_builder::SimpleBackend;
use fer_data::random::stream;
use rand::RngExt;

/// Named variables, made when a network asks for them, each from its own seeded stream.
///
/// The initial value of a tensor depends on the seed and on its name alone, so the order in which
/// layers are built does not matter. Names are kept sorted: every listing has the same order.
///
/// ```
/// use candle_core::Device;
/// use fer_model::ops::Engine;
/// use fer_model::{Architecture, Parameters};
///
/// let parameters = Parameters::new(7, &Device::Cpu);
/// let network = Architecture::named("cnn")?.build(8, Engine::detect(), parameters.builder())?;
/// let count: usize = parameters.vars().iter().map(|(_, var)| var.elem_count()).sum();
/// assert_eq!(count, 839_176);
/// # Ok::<(), fer_model::ModelError>(())
/// ```
#[derive(Clone)]
pub struct Parameters {
    store: Store,
    device: Device,
}

#[derive(Clone)]
struct Store {
    seed: u64,
    vars: Arc<Mutex<BTreeMap<String, Var>>>,
    frozen: Arc<BTreeSet<String>>,
}

impl Parameters {
    /// An empty set on `device`; what is asked of it is drawn under `seed`.
    pub fn new(seed: u64, device: &Device) -> Self {
        Parameters {
            store: Store {
                seed,
                vars: Arc::default(),
                frozen: Arc::default(),
            },
            device: device.clone(),
        }
    }

    /// The same variables with the tensors of these names frozen, which is said before a network is
    /// built: it takes them as fixed values, so no gradient reaches them, none is computed for them, and
    /// layers before the first that trains cost no way back. They are not among those that are
    /// [`trainable`](Self::trainable).
    ///
    /// The running statistics of a normalisation stay as they are where one of the two is frozen, or
    /// its weight and its bias both; a normalisation whose statistics are frozen normalises by them when
    /// training as when predicting. Names that no network asks for do nothing.
    ///
    /// ```
    /// use candle_core::Device;
    /// use fer_model::ops::Engine;
    /// use fer_model::{Architecture, Parameters};
    ///
    /// let frozen = ["conv1.weight", "conv1.bias"].map(String::from);
    /// let parameters = Parameters::new(7, &Device::Cpu).frozen(frozen);
    /// let network = Architecture::named("cnn")?.build(8, Engine::detect(), parameters.builder())?;
    /// assert!(parameters.is_frozen("conv1.weight"));
    /// assert_eq!(parameters.trainable().len(), parameters.vars().len() - 2);
    /// # Ok::<(), fer_model::ModelError>(())
    /// ```
    #[must_use]
    pub fn frozen(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.store.frozen = Arc::new(names.into_iter().collect());
        self
    }

    /// Whether training leaves the tensor of this name as it is.
    pub fn is_frozen(&self, name: &str) -> bool {
        self.store.is_frozen(name)
    }

    /// What a network is built with: f32 variables of this set.
    pub fn builder(&self) -> VarBuilder<'static> {
        VarBuilder::from_backend(
            Box::new(self.store.clone()),
            DType::F32,
            self.device.clone(),
        )
    }

    /// The variables, sorted by name.
    pub fn vars(&self) -> Vec<(String, Var)> {
        let vars = self.store.lock();
        vars.iter()
            .map(|(name, var)| (name.clone(), var.clone()))
            .collect()
    }

    /// The variables that training moves by their gradients, sorted by name: all but the
    /// [frozen](Self::frozen) ones and the running statistics of normalisations, which end in
    /// `running_mean` and `running_var` as in PyTorch.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        let mut vars = self.vars();
        vars.retain(|(name, _)| !is_statistic(name) && !self.is_frozen(name));
        vars
    }

    /// Copies of the values as they are now, on the CPU.
    ///
    /// # Errors
    /// A device that cannot be read.
    pub fn snapshot(&self) -> Result<BTreeMap<String, Tensor>> {
        let copied = self.vars().into_iter().map(|(name, var)| {
            let value = var.as_tensor().to_device(&Device::Cpu)?;
            Ok((name, value.detach().copy()?))
        });
        copied.collect()
    }

    /// Sets every variable to the value of its name in `values`.
    ///
    /// # Errors
    /// A name of this set that `values` lacks, or a value of another shape.
    pub fn restore(&self, values: &BTreeMap<String, Tensor>) -> Result<()> {
        for (name, var) in self.vars() {
            let Some(value) = values.get(&name) else {
                bail!("there is no value for {name}");
            };
            var.set(&value.to_device(&self.device)?.copy()?)?;
        }
        Ok(())
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Var>> {
        self.vars.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_frozen(&self, name: &str) -> bool {
        let (layer, last) = name.rsplit_once('.').unwrap_or(("", name));
        let has = |last: &str| match layer {
            "" => self.frozen.contains(last),
            layer => self.frozen.contains(&format!("{layer}.{last}")),
        };
        let follows = is_statistic(name)
            && (has("running_mean") || has("running_var") || (has("weight") && has("bias")));
        follows || has(last)
    }

    /// A variable as a network sees it; a frozen one shares its values and records nothing.
    fn seen(&self, name: &str, var: &Var) -> Tensor {
        match self.is_frozen(name) {
            true => var.as_tensor().detach(),
            false => var.as_tensor().clone(),
        }
    }

    fn draw(&self, shape: &Shape, name: &str, init: Init) -> Result<Vec<f32>> {
        let mut random = stream(self.seed, &format!("initial {name}"), 0);
        let count = shape.elem_count();
        let mut uniform = |low: f64, high: f64| -> Vec<f32> {
            (0..count)
                .map(|_| (low + (high - low) * random.random::<f64>()) as f32)
                .collect()
        };
        Ok(match init {
            Init::Const(value) => vec![value as f32; count],
            Init::Uniform { lo, up } => uniform(lo, up),
            Init::Kaiming {
                dist: NormalOrUniform::Uniform,
                fan,
                non_linearity,
            } => {
                let deviation = non_linearity.gain() / (fan.for_shape(shape) as f64).sqrt();
                let bound = 3f64.sqrt() * deviation;
                uniform(-bound, bound)
            }
            Init::Randn { .. } | Init::Kaiming { .. } => {
                bail!(
                    "{name}: initial values from a normal distribution are not offered, uniform ones are"
                )
            }
        })
    }
}

impl SimpleBackend for Store {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        init: Init,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        let mut vars = self.lock();
        if let Some(var) = vars.get(name) {
            if var.shape() != &shape {
                bail!("{name} has shape {:?}, {shape:?} is asked for", var.shape());
            }
            return Ok(self.seen(name, var));
        }
        let values = self.draw(&shape, name, init)?;
        let var = Var::from_tensor(&Tensor::from_vec(values, shape, device)?.to_dtype(dtype)?)?;
        let tensor = self.seen(name, &var);
        vars.insert(name.to_string(), var);
        Ok(tensor)
    }

    fn get_unchecked(&self, name: &str, _dtype: DType, _device: &Device) -> Result<Tensor> {
        match self.lock().get(name) {
            Some(var) => Ok(self.seen(name, var)),
            None => bail!("{name} is asked for without a shape and has not been made"),
        }
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }
}

/// Whether a tensor of this name is a running statistic, which no gradient moves.
pub(crate) fn is_statistic(name: &str) -> bool {
    matches!(
        name.rsplit('.').next(),
        Some("running_mean" | "running_var")
    )
}

/// A builder over fixed values, for networks that only predict: no gradient is recorded.
pub(crate) fn fixed(
    values: &BTreeMap<String, Tensor>,
    device: &Device,
) -> Result<VarBuilder<'static>> {
    let moved: Result<HashMap<String, Tensor>> = values
        .iter()
        .map(|(name, value)| Ok((name.clone(), value.to_device(device)?)))
        .collect();
    Ok(VarBuilder::from_tensors(moved?, DType::F32, device))
}

/// The names and shapes of the tensors that are asked of it, and nothing drawn.
#[derive(Clone, Default)]
pub(crate) struct Shapes(Arc<Mutex<BTreeMap<String, Vec<usize>>>>);

impl Shapes {
    /// What a network is built with: zeros on the CPU.
    pub(crate) fn builder(&self) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self.clone()), DType::F32, Device::Cpu)
    }

    /// What has been asked for, by name.
    pub(crate) fn named(&self) -> BTreeMap<String, Vec<usize>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl SimpleBackend for Shapes {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _init: Init,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        let mut shapes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shapes.insert(name.to_string(), shape.dims().to_vec());
        // One zero, seen everywhere.
        Tensor::zeros((), dtype, device)?.broadcast_as(shape)
    }

    fn get_unchecked(&self, name: &str, _dtype: DType, _device: &Device) -> Result<Tensor> {
        bail!("{name} is asked for without a shape")
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.named().contains_key(name)
    }
}

/// Uniform values within ±√(6 / (fan in + fan out)) (Glorot & Bengio 2010), Keras's default.
///
/// For a convolution both fans count the pixels of its window.
pub fn glorot_uniform(fan_in: usize, fan_out: usize) -> Init {
    let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
    Init::Uniform {
        lo: -limit,
        up: limit,
    }
}

/// Uniform values of deviation √(2 / fan in), within ±√(6 / fan in) (He et al. 2015), for what a ReLU
/// follows.
///
/// For a convolution the fan counts the pixels of its window.
pub fn he_uniform(fan_in: usize) -> Init {
    let limit = (6.0 / fan_in as f64).sqrt();
    Init::Uniform {
        lo: -limit,
        up: limit,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn values(seed: u64, name: &str) -> Vec<f32> {
        let parameters = Parameters::new(seed, &Device::Cpu);
        let tensor = parameters
            .builder()
            .get_with_hints(1000, name, glorot_uniform(20, 30))
            .unwrap();
        tensor.to_vec1().unwrap()
    }

    #[test]
    fn values_depend_on_seed_and_name_and_fill_the_glorot_range() {
        let drawn = values(1, "a");
        assert_eq!(drawn, values(1, "a"));
        assert_ne!(drawn, values(2, "a"));
        assert_ne!(drawn, values(1, "b"));
        let limit = (6.0f32 / 50.0).sqrt();
        let most = drawn
            .iter()
            .copied()
            .fold(0.0f32, |most, value| most.max(value.abs()));
        assert!(most <= limit && most > 0.98 * limit, "{most} of {limit}");
    }

    #[test]
    fn a_frozen_tensor_is_seen_as_a_value_that_still_follows_its_variable() {
        let parameters = Parameters::new(1, &Device::Cpu).frozen(["a.w".to_string()]);
        let get = |name| parameters.builder().get(2, name).unwrap();
        let (frozen, free) = (get("a.w"), get("b.w"));
        assert!(!frozen.is_variable() && free.is_variable());
        let names: Vec<String> = parameters
            .trainable()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["b.w"]);
        let (_, var) = parameters.vars().remove(0);
        var.set(&Tensor::new(&[3f32, 4.0], &Device::Cpu).unwrap())
            .unwrap();
        assert_eq!(frozen.to_vec1::<f32>().unwrap(), [3.0, 4.0]);
        assert_eq!(get("a.w").to_vec1::<f32>().unwrap(), [3.0, 4.0]);
    }

    #[test]
    fn the_statistics_of_a_normalisation_are_frozen_together_and_with_its_weight_and_bias() {
        let frozen = |names: &[&str]| {
            let names = names.iter().map(|name| name.to_string());
            let parameters = Parameters::new(1, &Device::Cpu).frozen(names);
            ["weight", "bias", "running_mean", "running_var"]
                .map(|last| parameters.is_frozen(&format!("a.norm.{last}")))
        };
        assert_eq!(frozen(&["a.norm.weight"]), [true, false, false, false]);
        assert_eq!(frozen(&["a.norm.weight", "a.norm.bias"]), [true; 4]);
        assert_eq!(frozen(&["a.norm.running_var"]), [false, false, true, true]);
        assert_eq!(frozen(&["b.norm.running_var", "a.weight"]), [false; 4]);
    }

    #[test]
    fn a_snapshot_is_a_copy_and_comes_back() {
        let parameters = Parameters::new(1, &Device::Cpu);
        parameters
            .builder()
            .get_with_hints(3, "w", Init::Const(2.0))
            .unwrap();
        let saved = parameters.snapshot().unwrap();
        let (_, var) = parameters.vars().remove(0);
        var.set(&Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap())
            .unwrap();
        assert_eq!(saved["w"].to_vec1::<f32>().unwrap(), [2.0; 3]);
        parameters.restore(&saved).unwrap();
        assert_eq!(var.to_vec1::<f32>().unwrap(), [2.0; 3]);
        assert!(parameters.restore(&BTreeMap::new()).is_err());
    }
}
