use candle_core::{Device, Result, Tensor};
use fer_data::{Batch, PIXELS, Picture, SIDE, scale};

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
