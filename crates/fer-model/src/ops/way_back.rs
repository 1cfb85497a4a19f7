//! Outputs that are computed already, with a way back in closed form.
//!
//! candle's graph goes back through every operation by itself, and clears and adds a tensor for each of its
//! inputs; a device is asked for hundreds of small things. What knows its gradient asks for a few.

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp3, Layout, MetalStorage, Result, Shape, Storage, Tensor, bail,
};

/// The gradients of so many inputs, given that of the output; none where an input needs none.
pub(crate) trait Back<const INPUTS: usize>:
    Fn(&Tensor) -> Result<[Option<Tensor>; INPUTS]> + Send + Sync + 'static
{
}

impl<F, const INPUTS: usize> Back<INPUTS> for F where
    F: Fn(&Tensor) -> Result<[Option<Tensor>; INPUTS]> + Send + Sync + 'static
{
}

/// `output`, as a function of one input.
pub(crate) fn of_one(input: &Tensor, output: Tensor, back: impl Back<1>) -> Result<Tensor> {
    let nothing = input.detach();
    of_three([input, &nothing, &nothing], output, move |gradient| {
        let [one] = back(gradient)?;
        Ok([one, None, None])
    })
}

/// `output`, as a function of two inputs.
pub(crate) fn of_two(inputs: [&Tensor; 2], output: Tensor, back: impl Back<2>) -> Result<Tensor> {
    let [first, second] = inputs;
    of_three([first, second, &second.detach()], output, move |gradient| {
        let [first, second] = back(gradient)?;
        Ok([first, second, None])
    })
}

/// `output`, as a function of three inputs.
pub(crate) fn of_three(inputs: [&Tensor; 3], output: Tensor, back: impl Back<3>) -> Result<Tensor> {
    let [first, second, third] = inputs;
    first.apply_op3(second, third, Computed { output, back })
}

/// Whether a gradient of this tensor is of use to anybody.
pub(crate) fn needs_gradient(tensor: &Tensor) -> bool {
    tensor.track_op()
}

struct Computed<F> {
    output: Tensor,
    back: F,
}

impl<F> Computed<F> {
    /// A copy of the output, as the storage of a kind of device.
    fn copy<S: BackendStorage>(&self, kind: impl Fn(&Storage) -> Option<&S>) -> Result<(S, Shape)> {
        let output = self.output.contiguous()?;
        let (storage, layout) = output.storage_and_layout();
        match (kind(&storage), layout.start_offset()) {
            (Some(storage), 0) => Ok((storage.try_clone(layout)?, output.shape().clone())),
            _ => {
                bail!("an output that is computed lies on another device, or within another tensor")
            }
        }
    }

    fn cpu(&self) -> Result<(CpuStorage, Shape)> {
        self.copy(|storage| match storage {
            Storage::Cpu(storage) => Some(storage),
            _ => None,
        })
    }

    fn cuda(&self) -> Result<(CudaStorage, Shape)> {
        self.copy(|storage| match storage {
            Storage::Cuda(storage) => Some(storage),
            _ => None,
        })
    }

    fn metal(&self) -> Result<(MetalStorage, Shape)> {
        self.copy(|storage| match storage {
            Storage::Metal(storage) => Some(storage),
            _ => None,
        })
    }
}

impl<F: Back<3>> CustomOp3 for Computed<F> {
    fn name(&self) -> &'static str {
        "computed"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.cpu()
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.cuda()
    }

    fn metal_fwd(
        &self,
        _: &MetalStorage,
        _: &Layout,
        _: &MetalStorage,
        _: &Layout,
        _: &MetalStorage,
        _: &Layout,
    ) -> Result<(MetalStorage, Shape)> {
        self.metal()
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [first, second, third] = (self.back)(gradient)?;
        Ok((first, second, third))
    }
}
