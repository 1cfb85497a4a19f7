use candle_core::{DType, Device, Result, Tensor};
use fer_data::{Batch, PIXELS, Picture, SIDE, scale};

use crate::error::ModelError;

/// How far beyond black and white a value may lie, for it was resized or divided.
const ROUNDING: f32 = 1e-3;

/// Pictures as a network takes them: f32 of shape (pictures, 1, 48, 48), values 0 to 1.
///
/// # Errors
/// A device without memory.
pub fn pictures_to_tensor(pictures: &[Picture], device: &Device) -> Result<Tensor> {
    let mut values = vec![0.0; pictures.len() * PIXELS];
    for (values, picture) in values.chunks_exact_mut(PIXELS).zip(pictures) {
        scale(picture.pixels(), values);
    }
    Tensor::from_vec(values, (pictures.len(), 1, SIDE, SIDE), device)
}

/// A batch as a network and a loss take it: pictures, f32 of shape (pictures, 1, side, side) with
/// the batch's side, and targets, f32 of shape (pictures, classes).
///
/// # Errors
/// A device without memory.
pub fn batch_to_tensors(batch: Batch, classes: usize, device: &Device) -> Result<(Tensor, Tensor)> {
    let count = batch.labels.len();
    let shape = (count, 1, batch.side, batch.side);
    let pictures = Tensor::from_vec(batch.pixels, shape, device)?;
    let targets = Tensor::from_vec(batch.targets, (count, classes), device)?;
    Ok((pictures, targets))
}

/// Refuses what is no f32 tensor of shape (pictures, 1, 48, 48) with values 0 to 1.
pub(crate) fn check_pictures(pictures: &Tensor) -> std::result::Result<(), ModelError> {
    let refuse = |found| Err(ModelError::Pictures { found });
    let dims = pictures.dims();
    if pictures.dtype() != DType::F32 || !matches!(dims, [_, 1, SIDE, SIDE]) {
        return refuse(format!("{:?} of shape {dims:?}", pictures.dtype()));
    }
    let values = pictures.flatten_all()?.to_vec1::<f32>()?;
    let usable = -ROUNDING..=1.0 + ROUNDING;
    match values.iter().find(|value| !usable.contains(value)) {
        Some(value) => refuse(format!("a value of {value}")),
        None => Ok(()),
    }
}
