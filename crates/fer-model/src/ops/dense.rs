use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use candle_nn::VarBuilder;

use crate::ops::kernel::activation::relu_gradient;
use crate::ops::kernel::dense;
use crate::ops::values::{slice, values};
use crate::ops::{Engine, kernel, relu};
use crate::parameters::glorot_uniform;

/// A fully connected layer with a bias and, if asked for, a ReLU.
#[derive(Clone, Debug)]
pub struct Dense {
    name: String,
    weight: Tensor,
    bias: Tensor,
    relu: bool,
    engine: Engine,
}

impl Dense {
    /// Takes `weight` of shape (outputs, inputs), Glorot uniform, and `bias` of shape (outputs),
    /// zero, from the builder.
    ///
    /// # Errors
    /// A stored tensor that is missing or has another shape.
    pub fn new(
        [inputs, outputs]: [usize; 2],
        relu: bool,
        engine: Engine,
        builder: VarBuilder<'_>,
    ) -> Result<Self> {
        if inputs == 0 || outputs == 0 {
            candle_core::bail!(
                "a dense layer needs inputs and outputs, got {inputs} and {outputs}"
            );
        }
        let init = glorot_uniform(inputs, outputs);
        Ok(Dense {
            name: builder.prefix(),
            weight: builder.get_with_hints((outputs, inputs), "weight", init)?,
            bias: builder.get_with_hints(outputs, "bias", candle_nn::init::ZERO)?,
            relu,
            engine,
        })
    }

    /// Whether negative values become zero.
    pub fn has_relu(&self) -> bool {
        self.relu
    }

    /// What its tensors' names begin with, such as `residual1.conv1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `weight` of shape (outputs, inputs) and `bias` of shape (outputs).
    pub(crate) fn tensors(&self) -> [&Tensor; 2] {
        [&self.weight, &self.bias]
    }

    /// (rows, inputs) → (rows, outputs).
    ///
    /// # Errors
    /// Rows of another length.
    pub fn forward(&self, rows: &Tensor) -> Result<Tensor> {
        self.check(rows)?;
        match self.engine.kernels_for(rows) {
            Some(engine) => {
                let operation = DenseRelu {
                    engine,
                    relu: self.relu,
                };
                rows.contiguous()?
                    .apply_op3(&self.weight, &self.bias, operation)
            }
            None => {
                let sums = rows.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)?;
                if self.relu { relu(&sums) } else { Ok(sums) }
            }
        }
    }

    fn check(&self, rows: &Tensor) -> Result<()> {
        let (_, length) = rows.dims2()?;
        let (outputs, inputs) = self.weight.dims2()?;
        if length != inputs {
            candle_core::bail!(
                "a dense layer of {inputs} to {outputs} takes rows of {inputs}, got {length}"
            );
        }
        Ok(())
    }
}

/// The CPU's form.
struct DenseRelu {
    engine: kernel::Engine,
    relu: bool,
}

fn shape(rows: &Shape, weight: &Shape) -> Result<dense::Dense> {
    let ((batch, inputs), (outputs, _)) = (rows.dims2()?, weight.dims2()?);
    Ok(dense::Dense {
        batch,
        inputs,
        outputs,
    })
}

impl CustomOp3 for DenseRelu {
    fn name(&self) -> &'static str {
        "dense-bias-relu"
    }

    fn cpu_fwd(
        &self,
        rows: &CpuStorage,
        rows_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = shape(rows_layout.shape(), weight_layout.shape())?;
        let mut output = vec![0.0; shape.batch * shape.outputs];
        let (rows, weight) = (slice(rows, rows_layout)?, slice(weight, weight_layout)?);
        let bias = Some(slice(bias, bias_layout)?);
        dense::forward(
            self.engine,
            shape,
            rows,
            weight,
            bias,
            self.relu,
            &mut output,
        );
        Ok((
            CpuStorage::F32(output),
            Shape::from((shape.batch, shape.outputs)),
        ))
    }

    fn bwd(
        &self,
        rows: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let shape = shape(rows.shape(), weight.shape())?;
        let engine = self.engine;
        let mut passed = values(&gradient.contiguous()?)?.to_vec();
        if self.relu {
            let gradient = passed.clone();
            relu_gradient(engine, &values(result)?, &gradient, &mut passed);
        }
        let (mut weight_gradient, mut bias_gradient) =
            (vec![0.0; weight.elem_count()], vec![0.0; shape.outputs]);
        let mut rows_gradient = rows.track_op().then(|| vec![0.0; rows.elem_count()]);
        dense::backward(
            engine,
            shape,
            &values(rows)?,
            &values(weight)?,
            &passed,
            &mut weight_gradient,
            &mut bias_gradient,
            rows_gradient.as_deref_mut(),
        );
        let device = rows.device();
        Ok((
            rows_gradient
                .map(|values| Tensor::from_vec(values, rows.shape(), device))
                .transpose()?,
            Some(Tensor::from_vec(weight_gradient, weight.shape(), device)?),
            Some(Tensor::from_vec(bias_gradient, shape.outputs, device)?),
        ))
    }
}
