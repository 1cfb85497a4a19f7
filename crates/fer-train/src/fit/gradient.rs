//! What becomes of gradients between the way back and the step.

use anyhow::{Context, Result};
use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, DType, Storage, Tensor, Var};
use fer_model::Parameters;
use rayon::prelude::*;

use crate::fit::Position;
use crate::fit::reduction::Reduction;
use crate::parallel::Parallel;

/// Values that are summed at a time, so that the sum does not depend on the number of threads.
const CHUNK: usize = 32 * 1024;

/// Added to the norm before it divides, as in PyTorch.
const BESIDE_NORM: f64 = 1e-6;

/// The Euclidean norm of the gradients of all `vars` together.
///
/// On the CPU it is summed in f64, to the same bits for any number of threads.
///
/// # Errors
/// A variable without a gradient, by name.
pub fn global_norm(vars: &[(String, Var)], gradients: &GradStore) -> Result<f64> {
    let mut sum = 0.0;
    for (name, var) in vars {
        sum += squares(gradient_of(name, var, gradients)?)?;
    }
    Ok(sum.sqrt())
}

/// Scales the gradients of all `vars` by one factor, so that their norm together is `most` where it
/// was more (Pascanu, Mikolov & Bengio 2013); gives back the norm as it was.
///
/// The factor is min(1, `most` / (norm + 10⁻⁶)), as in PyTorch's `clip_grad_norm_`. A norm that is not
/// finite is not hidden: the gradients become NaN, which ends the run as diverged.
///
/// # Errors
/// A variable without a gradient, by name.
pub fn clip_norm(vars: &[(String, Var)], gradients: &mut GradStore, most: f64) -> Result<f64> {
    let norm = global_norm(vars, gradients)?;
    let factor = most / (norm + BESIDE_NORM);
    if factor >= 1.0 {
        return Ok(norm);
    }
    for (name, var) in vars {
        let clipped = (gradient_of(name, var, gradients)? * factor)?;
        gradients.insert(var, clipped);
    }
    Ok(norm)
}

/// As [`clip_norm`], without waiting for a device to tell the norm.
fn bound_norm(vars: &[(String, Var)], gradients: &mut GradStore, most: f64) -> Result<()> {
    match vars.iter().all(|(_, var)| var.device().is_cpu()) {
        true => clip_norm(vars, gradients, most).map(|_| ()),
        false => clip_unread(vars, gradients, most),
    }
}

fn clip_unread(vars: &[(String, Var)], gradients: &mut GradStore, most: f64) -> Result<()> {
    let squares = vars.iter().map(|(name, var)| {
        let gradient = gradient_of(name, var, gradients)?.detach();
        Ok(gradient.to_dtype(DType::F32)?.sqr()?.sum_all()?)
    });
    let squares: Vec<Tensor> = squares.collect::<Result<_>>()?;
    let norm = Tensor::stack(&squares, 0)?.sum_all()?.sqrt()?;
    let factor = ((norm + BESIDE_NORM)?.recip()? * most)?.minimum(1.0)?;
    for (name, var) in vars {
        let clipped = gradient_of(name, var, gradients)?.broadcast_mul(&factor)?;
        gradients.insert(var, clipped);
    }
    Ok(())
}

/// How many steps the optimiser has made at a place between two groups of batches: `batches` an
/// epoch, `accumulate` a group, the last group of an epoch with what is left.
///
/// # Panics
/// When `accumulate` is 0, or the epochs are counted from 0.
pub fn steps_until(position: Position, batches: usize, accumulate: usize) -> u64 {
    let epochs = position.epoch - 1;
    (epochs * batches.div_ceil(accumulate) + position.batch.div_ceil(accumulate)) as u64
}

fn gradient_of<'a>(name: &str, var: &Var, gradients: &'a GradStore) -> Result<&'a Tensor> {
    gradients
        .get(var)
        .with_context(|| format!("{name} has no gradient"))
}

/// The sum of squares.
fn squares(gradient: &Tensor) -> Result<f64> {
    let (storage, layout) = gradient.storage_and_layout();
    if let (Storage::Cpu(CpuStorage::F32(values)), Some((start, end))) =
        (&*storage, layout.contiguous_offsets())
    {
        let parts: Vec<f64> = values[start..end]
            .par_chunks(CHUNK)
            .map(|part| part.iter().map(|&value| f64::from(value).powi(2)).sum())
            .collect();
        return Ok(parts.iter().sum());
    }
    drop(storage);
    let sum = gradient.to_dtype(DType::F32)?.sqr()?.sum_all()?;
    Ok(f64::from(sum.to_scalar::<f32>()?))
}

/// Gathers the gradients of groups of batches into one step each, and bounds their norm.
///
/// A group's gradient is the mean over its pictures: batches of B pictures in groups of N step as
/// batches of N·B do, where a picture's loss does not depend on its neighbours (as BatchNorm makes it)
/// or on its place (as dropout's mask does). What is gathered is no part of a run's state: a run is
/// kept and stopped between groups.
pub struct Gathering {
    vars: Vec<(String, Var)>,
    accumulate: usize,
    most: Option<f64>,
    /// Of each variable the sum over pictures; empty between groups.
    sums: Vec<Tensor>,
    batches: usize,
    pictures: usize,
    /// Those of them that this member of the group went forward and back on.
    own: usize,
    reduction: Reduction,
}

impl Gathering {
    /// For the trainable variables of `parameters`: `accumulate` batches a step, at least 1, and no
    /// larger norm than `most`.
    pub fn new(parameters: &Parameters, accumulate: usize, most: Option<f64>) -> Self {
        Gathering::over(&Parallel::alone(), parameters, accumulate, most)
    }

    /// As [`new`](Self::new) over the parts of all the members of a group.
    pub(super) fn over(
        parallel: &Parallel,
        parameters: &Parameters,
        accumulate: usize,
        most: Option<f64>,
    ) -> Self {
        Gathering {
            vars: parameters.trainable(),
            accumulate,
            most,
            sums: Vec::new(),
            batches: 0,
            pictures: 0,
            own: 0,
            reduction: Reduction::new(parameters, parallel),
        }
    }

    /// Whether no group is at work.
    pub fn is_between_groups(&self) -> bool {
        self.batches == 0
    }

    /// Forgets the group at work.
    pub fn clear(&mut self) {
        self.sums.clear();
        (self.batches, self.pictures, self.own) = (0, 0, 0);
    }

    /// Takes in the gradients of the mean loss of a batch of so many `pictures`. Gives back what to
    /// step by once the group is full, or this batch is the `last` of its epoch.
    ///
    /// # Errors
    /// A variable without a gradient, by name.
    pub fn add(
        &mut self,
        gradients: GradStore,
        pictures: usize,
        last: bool,
    ) -> Result<Option<GradStore>> {
        self.add_part(gradients, [pictures; 2], last)
    }

    /// The gradients of a part without pictures.
    pub(super) fn zeros(&self) -> Result<GradStore> {
        self.reduction.zeros()
    }

    /// As [`add`](Self::add) for this member's part of a batch: the parts' gradients add up to those of
    /// the mean loss of the batch. `pictures` are those of the part and those of the batch.
    pub(super) fn add_part(
        &mut self,
        mut gradients: GradStore,
        [own, pictures]: [usize; 2],
        last: bool,
    ) -> Result<Option<GradStore>> {
        self.batches += 1;
        self.pictures += pictures;
        self.own += own;
        if self.accumulate > 1 {
            self.collect(&gradients, pictures)?;
            if self.batches < self.accumulate && !last {
                return Ok(None);
            }
            for ((_, var), sum) in self.vars.iter().zip(&self.sums) {
                gradients.insert(var, (sum / self.pictures as f64)?);
            }
        }
        let share = self.own as f64 / self.pictures as f64;
        self.clear();
        self.reduction.sum(&mut gradients, share)?;
        if let Some(most) = self.most {
            bound_norm(&self.vars, &mut gradients, most)?;
        }
        Ok(Some(gradients))
    }

    fn collect(&mut self, gradients: &GradStore, pictures: usize) -> Result<()> {
        for (place, (name, var)) in self.vars.iter().enumerate() {
            let part = (gradient_of(name, var, gradients)? * pictures as f64)?;
            match self.sums.get_mut(place) {
                Some(sum) => *sum = (&*sum + part)?,
                None => self.sums.push(part),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use candle_core::Device;

    use super::*;

    const CPU: Device = Device::Cpu;

    fn parameters() -> Parameters {
        let parameters = Parameters::new(3, &CPU);
        let builder = parameters.builder();
        builder.get((2, 2), "a.weight").unwrap();
        builder.get(1, "b.bias").unwrap();
        parameters
    }

    /// Gradients that are these numbers: four of `a.weight`, one of `b.bias`.
    fn gradients(parameters: &Parameters, values: [f32; 5]) -> GradStore {
        let vars = parameters.trainable();
        let of_weight = Tensor::from_slice(&values[..4], (2, 2), &CPU).unwrap();
        let of_bias = Tensor::from_slice(&values[4..], 1, &CPU).unwrap();
        let weight = (vars[0].1.as_tensor() * of_weight).unwrap();
        let bias = (vars[1].1.as_tensor() * of_bias).unwrap();
        let sum = weight.sum_all().unwrap() + bias.sum_all().unwrap();
        sum.unwrap().backward().unwrap()
    }

    fn numbers(parameters: &Parameters, gradients: &GradStore) -> Vec<f32> {
        let vars = parameters.trainable().into_iter();
        let flat = |var: Var| gradients.get(&var).unwrap().flatten_all().unwrap();
        vars.flat_map(|(_, var)| flat(var).to_vec1::<f32>().unwrap())
            .collect()
    }

    #[test]
    fn one_factor_bounds_the_norm_of_all_gradients_together() {
        let parameters = parameters();
        let vars = parameters.trainable();
        let values = [3.0, 0.0, 0.0, 0.0, -4.0];
        let mut larger = gradients(&parameters, values);
        assert_eq!(clip_norm(&vars, &mut larger, 1.0).unwrap(), 5.0);
        let clipped = numbers(&parameters, &larger);
        for (found, expected) in clipped.iter().zip([0.6, 0.0, 0.0, 0.0, -0.8]) {
            assert!((found - expected).abs() < 1e-6, "{clipped:?}");
        }
        assert!((global_norm(&vars, &larger).unwrap() - 1.0).abs() < 1e-6);
        let mut smaller = gradients(&parameters, values);
        assert_eq!(clip_norm(&vars, &mut smaller, 5.1).unwrap(), 5.0);
        assert_eq!(numbers(&parameters, &smaller), values);
    }

    #[test]
    fn a_norm_that_is_not_read_bounds_as_one_that_is() {
        let parameters = parameters();
        let vars = parameters.trainable();
        let cases = [
            ([3.0, 0.0, 0.0, 0.0, -4.0], 1.0),
            ([3.0, 0.0, 0.0, 0.0, -4.0], 5.1),
            ([0.0; 5], 1.0),
        ];
        for (values, most) in cases {
            let clipped = |clip: &dyn Fn(&mut GradStore)| {
                let mut gradients = gradients(&parameters, values);
                clip(&mut gradients);
                numbers(&parameters, &gradients)
            };
            let read = clipped(&|gradients| {
                clip_norm(&vars, gradients, most).unwrap();
            });
            let unread = clipped(&|gradients| clip_unread(&vars, gradients, most).unwrap());
            for (unread, read) in unread.iter().zip(&read) {
                assert!((unread - read).abs() < 1e-6, "{most}: {unread} {read}");
            }
        }
        let mut gradients = gradients(&parameters, [1.0, f32::INFINITY, 0.0, 0.0, 0.0]);
        clip_unread(&vars, &mut gradients, 1.0).unwrap();
        assert!(numbers(&parameters, &gradients)[1].is_nan());
    }

    #[test]
    fn what_is_not_finite_stays_to_be_seen() {
        let parameters = parameters();
        let vars = parameters.trainable();
        for broken in [f32::NAN, f32::INFINITY] {
            let mut gradients = gradients(&parameters, [1.0, broken, 0.0, 0.0, 0.0]);
            let norm = clip_norm(&vars, &mut gradients, 1.0).unwrap();
            assert!(!norm.is_finite());
            assert!(numbers(&parameters, &gradients)[1].is_nan());
        }
    }

    #[test]
    fn the_norm_of_many_values_is_the_same_for_any_number_of_threads_and_layout() {
        let parameters = Parameters::new(3, &CPU);
        let shape = (300, 301);
        parameters.builder().get(shape, "weight").unwrap();
        let vars = parameters.trainable();
        let of = |tensor: &Tensor| {
            let sum = (vars[0].1.as_tensor() * tensor).unwrap().sum_all().unwrap();
            let mut gradients = sum.backward().unwrap();
            gradients.insert(&vars[0].1, tensor.clone());
            global_norm(&vars, &gradients).unwrap()
        };
        let values = (0..shape.0 * shape.1).map(|place| (place * 7919 % 1000) as f32 / 500.0 - 1.0);
        let tensor = Tensor::from_iter(values, &CPU).unwrap();
        let tensor = tensor.reshape(shape).unwrap();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| of(&tensor)).to_bits()
        };
        assert_eq!(with(1), with(4));
        let with_gaps = tensor.t().unwrap().contiguous().unwrap().t().unwrap();
        assert!((of(&with_gaps) / of(&tensor) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn a_group_steps_by_the_mean_over_its_pictures_and_a_short_one_by_what_it_has() {
        let parameters = parameters();
        let mut gathering = Gathering::new(&parameters, 2, None);
        let one = [1.0, 2.0, 3.0, 4.0, 5.0];
        let other = [4.0, -1.0, 0.0, 1.0, 2.0];
        let mut add = |values, pictures, last| {
            let gradients = gradients(&parameters, values);
            let gathered = gathering.add(gradients, pictures, last).unwrap();
            assert_eq!(gathering.is_between_groups(), gathered.is_some());
            gathered.map(|gathered| numbers(&parameters, &gathered))
        };
        assert_eq!(add(one, 6, false), None);
        let mean = add(other, 2, false).unwrap();
        assert_eq!(mean, [1.75, 1.25, 2.25, 3.25, 4.25]);
        assert_eq!(add(other, 3, true), Some(other.to_vec()));
        assert_eq!(add(one, 6, false), None);
        assert_eq!(add(one, 6, true), Some(one.to_vec()));
    }

    #[test]
    fn the_mean_is_clipped_and_not_its_parts_and_a_cleared_group_leaves_no_trace() {
        let parameters = parameters();
        let mut gathering = Gathering::new(&parameters, 2, Some(1.0));
        let mut add = |values| {
            let gathered = gathering.add(gradients(&parameters, values), 4, false);
            gathered
                .unwrap()
                .map(|gathered| numbers(&parameters, &gathered))
        };
        add([10.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(
            add([-9.0, 0.0, 0.0, 0.0, 0.0]),
            Some(vec![0.5, 0.0, 0.0, 0.0, 0.0])
        );
        add([10.0, 0.0, 0.0, 0.0, 0.0]);
        gathering.clear();
        assert!(gathering.is_between_groups());
        let zero = || gradients(&parameters, [0.0; 5]);
        assert!(gathering.add(zero(), 4, false).unwrap().is_none());
        let gathered = gathering.add(zero(), 4, false).unwrap().unwrap();
        assert_eq!(numbers(&parameters, &gathered), [0.0; 5]);
    }

    #[test]
    fn steps_are_counted_over_short_groups() {
        let at = |epoch, batch| Position {
            epoch,
            batch,
            step: 7 * (epoch as u64 - 1) + batch as u64,
        };
        assert_eq!(steps_until(at(3, 4), 7, 1), at(3, 4).step);
        let counted = [at(1, 0), at(1, 3), at(1, 6), at(1, 7), at(2, 0), at(3, 3)];
        let steps = counted.map(|position| steps_until(position, 7, 3));
        assert_eq!(steps, [0, 1, 2, 3, 3, 7]);
    }
}
