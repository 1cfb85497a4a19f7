use anyhow::Result;
use candle_core::{Device, Tensor, Var};
use fer_model::ops::Engine;

/// Variables that are moved together: a GPU is asked for all of them at once, end to end in one tensor, and not
/// for each; the CPU's kernels move each where it is.
pub(super) struct Together {
    members: Vec<(String, Var)>,
    /// The only member itself, or another variable of shape (values) or, for members of two and more dimensions,
    /// (values, 1).
    whole: Var,
}

/// Does all of a step's work in one step into the thread pool, and not one for each variable; what another device
/// does stays on the thread that asks it for everything else, for candle may give each thread a stream of its own.
pub(super) fn in_pool<T: Send>(device: &Device, work: impl FnOnce() -> T + Send) -> T {
    if device.is_cpu() {
        rayon::scope(|_| work())
    } else {
        work()
    }
}

impl Together {
    /// Divides variables into those that are moved together: each alone where the engine has kernels, else those
    /// of one dimension and those of more.
    pub(super) fn divide(vars: Vec<(String, Var)>, engine: Engine) -> Result<Vec<Self>> {
        let has_kernels = |(_, var): &(String, Var)| engine.has_kernels_on(var.device());
        if vars.iter().all(has_kernels) {
            let alone = vars.into_iter().map(|(name, var)| Together {
                whole: var.clone(),
                members: vec![(name, var)],
            });
            return Ok(alone.collect());
        }
        let (matrices, others): (Vec<_>, Vec<_>) =
            vars.into_iter().partition(|(_, var)| var.rank() >= 2);
        let groups = [matrices, others];
        let groups = groups.into_iter().filter(|members| !members.is_empty());
        groups.map(Together::of).collect()
    }

    fn of(members: Vec<(String, Var)>) -> Result<Self> {
        let whole = match members.as_slice() {
            [(_, one)] => one.clone(),
            _ => {
                let values: Vec<Tensor> = members
                    .iter()
                    .map(|(_, var)| flat(var))
                    .collect::<Result<_>>()?;
                let values = Tensor::cat(&values, 0)?;
                let values = match members[0].1.rank() {
                    0 | 1 => values,
                    _ => values.unsqueeze(1)?,
                };
                Var::from_tensor(&values)?
            }
        };
        Ok(Together { members, whole })
    }

    fn is_alone(&self) -> bool {
        self.members.len() == 1
    }

    /// What is moved in place of the members.
    pub(super) fn whole(&self) -> &Var {
        &self.whole
    }

    /// The whole takes over the members' values.
    pub(super) fn gather(&self) -> Result<()> {
        if self.is_alone() {
            return Ok(());
        }
        Ok(self.whole.set(&self.joined(|_, var| flat(var))?)?)
    }

    /// The members take over the whole's values.
    pub(super) fn scatter(&self) -> Result<()> {
        if self.is_alone() {
            return Ok(());
        }
        let parts = self.parts(&self.whole.as_tensor().detach())?;
        for ((_, var), (_, part)) in self.members.iter().zip(parts) {
            var.set(&part)?;
        }
        Ok(())
    }

    /// One tensor of each member, end to end in the whole's shape.
    pub(super) fn joined(
        &self,
        mut of: impl FnMut(&str, &Var) -> Result<Tensor>,
    ) -> Result<Tensor> {
        if let [(name, var)] = self.members.as_slice() {
            return of(name, var);
        }
        let tensors = self.members.iter().map(|(name, var)| flat(&of(name, var)?));
        let tensors: Vec<Tensor> = tensors.collect::<Result<_>>()?;
        Ok(Tensor::cat(&tensors, 0)?.reshape(self.whole.shape())?)
    }

    /// Each member's part of a tensor in the whole's shape, in its own shape.
    pub(super) fn parts(&self, whole: &Tensor) -> Result<Vec<(String, Tensor)>> {
        if let [(name, _)] = self.members.as_slice() {
            return Ok(vec![(name.clone(), whole.clone())]);
        }
        let (values, mut start) = (whole.flatten_all()?, 0);
        let parts = self.members.iter().map(|(name, var)| {
            let part = values.narrow(0, start, var.elem_count())?;
            start += var.elem_count();
            Ok((name.clone(), part.reshape(var.shape())?))
        });
        parts.collect()
    }
}

fn flat(tensor: &Tensor) -> Result<Tensor> {
    Ok(tensor.detach().flatten_all()?)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use candle_core::{Device, Shape};

    use super::*;

    fn var(name: &str, shape: impl Into<Shape>, first: f32) -> (String, Var) {
        let shape = shape.into();
        let values = Tensor::arange(first, first + shape.elem_count() as f32, &Device::Cpu);
        let values = values.unwrap().reshape(shape).unwrap();
        (name.into(), Var::from_tensor(&values).unwrap())
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn vars() -> Vec<(String, Var)> {
        vec![
            var("a.weight", (2, 3), 0.0),
            var("a.bias", 2, 10.0),
            var("b.weight", (1, 2, 1), 20.0),
            var("b.bias", 1, 30.0),
        ]
    }

    #[test]
    fn kernels_move_each_alone_and_a_device_all_of_a_rank_together() {
        let alone = Together::divide(vars(), Engine::available()[0]).unwrap();
        assert_eq!(alone.len(), 4);
        let groups = Together::divide(vars(), Engine::Portable).unwrap();
        let shapes: Vec<_> = groups
            .iter()
            .map(|group| group.whole().dims().to_vec())
            .collect();
        assert_eq!(shapes, [vec![8, 1], vec![3]]);
        assert_eq!(
            values(groups[0].whole()),
            [0., 1., 2., 3., 4., 5., 20., 21.]
        );
    }

    #[test]
    fn values_go_back_and_forth_in_their_shapes() {
        let vars = vars();
        for engine in [Engine::available()[0], Engine::Portable] {
            for group in Together::divide(vars.clone(), engine).unwrap() {
                let names: Vec<_> = group.members.iter().map(|(name, _)| name.clone()).collect();
                for (_, var) in &group.members {
                    var.set(&(var.as_tensor().detach() * 2.0).unwrap()).unwrap();
                }
                group.gather().unwrap();
                let doubled = group.joined(|_, var| flat(var)).unwrap();
                assert_eq!(values(group.whole()), values(&doubled));
                let halved = (group.whole().as_tensor().detach() * 0.5).unwrap();
                group.whole().set(&halved).unwrap();
                group.scatter().unwrap();
                for ((name, part), (_, var)) in
                    group.parts(&halved).unwrap().iter().zip(&group.members)
                {
                    assert!(names.contains(name));
                    assert_eq!(part.dims(), var.dims(), "{name}");
                    assert_eq!(values(part), values(var), "{name}");
                }
            }
        }
        assert_eq!(values(&vars[3].1), [30.0]);
    }
}
