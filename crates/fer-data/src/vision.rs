//! Our data for any program that trains with candle.

use candle_core::{Device, Tensor};

use crate::batch::Batches;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::picture::{PIXELS, SIDE};
use crate::split::Split;

/// A data set as candle's own kind, on the CPU.
///
/// `train_images` and `test_images` are f32 of shape (pictures, 1, 48, 48) with values 0 to 1;
/// `train_labels` and `test_labels` are u32 of shape (pictures), class numbers in the order of
/// [`Dataset::class_names`]; `labels` is the number of classes. The test pictures are the split
/// `judge`: [`Split::Test`], or [`Split::Validation`] for data that have no test.
///
/// # Errors
/// A picture that cannot be read, or a split with no picture.
pub fn to_candle(
    dataset: &Dataset,
    judge: Split,
) -> Result<candle_datasets::vision::Dataset, DataError> {
    let (train_images, train_labels) = tensors(dataset, Split::Train)?;
    let (test_images, test_labels) = tensors(dataset, judge)?;
    Ok(candle_datasets::vision::Dataset {
        train_images,
        train_labels,
        test_images,
        test_labels,
        labels: dataset.class_names().len(),
    })
}

fn tensors(dataset: &Dataset, split: Split) -> Result<(Tensor, Tensor), DataError> {
    let indices = dataset.indices(split);
    let count = indices.len();
    let none = |detail: String| DataError::Empty {
        name: format!("the {split} split of {}", dataset.name()),
        detail,
    };
    if count == 0 {
        return Err(none(String::new()));
    }
    let labels = indices
        .iter()
        .map(|&index| dataset.entry(index).label as u32)
        .collect::<Vec<u32>>();
    let mut pixels = Vec::with_capacity(count * PIXELS);
    for batch in Batches::new(dataset, indices, 256).iter() {
        pixels.extend_from_slice(&batch?.pixels.scaled());
    }
    let tensor = |error: candle_core::Error| none(format!(": {error}"));
    let images = Tensor::from_vec(pixels, (count, 1, SIDE, SIDE), &Device::Cpu).map_err(tensor)?;
    let labels = Tensor::from_vec(labels, count, &Device::Cpu).map_err(tensor)?;
    Ok((images, labels))
}
