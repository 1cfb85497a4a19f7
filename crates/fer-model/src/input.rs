use candle_core::{DType, Device, Result, Tensor};
use fer_data::{Batch, PIXELS, Picture, Pixels, SIDE};

use crate::error::ModelError;

/// How far beyond black and white a value may lie, for it was resized or divided.
const ROUNDING: f32 = 1e-3;

/// Pictures as a network takes them: f32 of shape (pictures, 1, 48, 48), values 0 to 1.
///
/// # Errors
/// A device without memory.
pub fn pictures_to_tensor(pictures: &[Picture], device: &Device) -> Result<Tensor> {
    let mut pixels = Vec::with_capacity(pictures.len() * PIXELS);
    for picture in pictures {
        pixels.extend_from_slice(picture.pixels());
    }
    pixels_to_tensor(Pixels::Stored(pixels), device)
}

/// A batch as a network and a loss take it: pictures, f32 of shape (pictures, 1, 48, 48), and
/// targets, f32 of shape (pictures, classes).
///
/// # Errors
/// A device without memory.
pub fn batch_to_tensors(batch: Batch, classes: usize, device: &Device) -> Result<(Tensor, Tensor)> {
    let count = batch.labels.len();
    let pictures = pixels_to_tensor(batch.pixels, device)?;
    let targets = Tensor::from_vec(batch.targets, (count, classes), device)?;
    Ok((pictures, targets))
}

/// Stored pixels go to a device as they are, in a quarter of the bytes, and are scaled there.
fn pixels_to_tensor(pixels: Pixels, device: &Device) -> Result<Tensor> {
    let shape = (pixels.len() / PIXELS, 1, SIDE, SIDE);
    match pixels {
        Pixels::Stored(stored) if !device.is_cpu() => {
            scale_on_device(&Tensor::from_vec(stored, shape, device)?)
        }
        pixels => Tensor::from_vec(pixels.into_scaled(), shape, device),
    }
}

/// Grey values, u8, divided by 255 as [`scale`](fer_data::scale) does, bit for bit where the device divides as
/// IEEE 754 says.
fn scale_on_device(stored: &Tensor) -> Result<Tensor> {
    // Multiplying by a rounded 1/255 would give other bits.
    let white = Tensor::full(255f32, stored.shape(), stored.device())?;
    stored.to_dtype(DType::F32)?.div(&white)
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_device_scales_stored_pictures_to_the_same_bits() {
        let stored: Vec<u8> = (0..2 * PIXELS).map(|at| at as u8).collect();
        let shape = (2, 1, SIDE, SIDE);
        let on_device = Tensor::from_vec(stored.clone(), shape, &Device::Cpu).unwrap();
        let on_device = scale_on_device(&on_device).unwrap();
        let here = pixels_to_tensor(Pixels::Stored(stored), &Device::Cpu).unwrap();
        assert_eq!(here.dims4().unwrap(), shape);
        let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(&on_device), values(&here));
        assert_eq!(values(&here)[255], 1.0);
    }
}
