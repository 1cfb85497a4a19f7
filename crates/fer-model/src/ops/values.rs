use std::ops::Deref;

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

use crate::ops::kernel::convolution::Maps;

/// The numbers of a contiguous f32 tensor on the CPU, read where they lie.
pub(crate) struct Values<G> {
    storage: G,
    start: usize,
    end: usize,
}

/// Opens a tensor's numbers for reading.
///
/// # Errors
/// A tensor elsewhere, of another type, or with gaps.
pub(crate) fn values(tensor: &Tensor) -> Result<Values<impl Deref<Target = Storage> + '_>> {
    let (storage, layout) = tensor.storage_and_layout();
    let offsets = layout.contiguous_offsets();
    match (&*storage, offsets) {
        (Storage::Cpu(CpuStorage::F32(_)), Some((start, end))) => Ok(Values {
            storage,
            start,
            end,
        }),
        _ => bail!("a contiguous f32 tensor on the CPU is expected"),
    }
}

impl<G: Deref<Target = Storage>> Deref for Values<G> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(CpuStorage::F32(values)) => &values[self.start..self.end],
            _ => &[],
        }
    }
}

/// The numbers of a contiguous f32 tensor, as an operation is given them.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => bail!("a contiguous f32 tensor is expected"),
    }
}

/// The numbers of a contiguous f32 tensor, for an operation to change.
pub(crate) fn slice_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        _ => bail!("a contiguous f32 tensor is expected"),
    }
}

/// The maps and the channels of a tensor of these dimensions: (pictures, rows, columns, channels).
pub(crate) fn maps_of(dims: &[usize]) -> Result<(Maps, usize)> {
    let &[batch, height, width, channels] = dims else {
        bail!("maps have four dimensions, got {dims:?}");
    };
    let maps = Maps {
        batch,
        height,
        width,
    };
    Ok((maps, channels))
}
