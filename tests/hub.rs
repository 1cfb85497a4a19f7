use candle_core::{IndexOp, Tensor};
use candle_datasets::Batcher;
use fer_data::{OpenSettings, SIDE, Split, open, to_candle};

use crate::training::few_faces;

#[test]
fn candles_own_batcher_goes_over_our_faces() {
    let faces = few_faces(6);
    let dataset = to_candle(&faces, Split::Test).unwrap();
    let count = faces.indices(Split::Train).len();
    assert_eq!(dataset.labels, 8);
    assert_eq!(dataset.train_images.dims(), [count, 1, SIDE, SIDE]);
    assert_eq!(
        dataset.test_labels.dims(),
        [faces.indices(Split::Test).len()]
    );

    let rows = (0..count).map(|row| -> candle_core::Result<(Tensor, Tensor)> {
        Ok((dataset.train_images.i(row)?, dataset.train_labels.i(row)?))
    });
    let batches = Batcher::new_r2(rows)
        .batch_size(7)
        .return_last_incomplete_batch(true);
    let (mut seen, mut last) = (0, 0);
    for batch in batches {
        let (pictures, labels) = batch.unwrap();
        assert_eq!(pictures.dims()[0], labels.dims()[0]);
        last = labels.dims()[0];
        seen += last;
    }
    assert_eq!(seen, count, "no picture is dropped");
    assert_eq!(
        last,
        if count.is_multiple_of(7) {
            7
        } else {
            count % 7
        }
    );
}

#[test]
fn pictures_and_labels_are_those_of_the_data_set() {
    let faces = few_faces(6);
    let dataset = to_candle(&faces, Split::Validation).unwrap();
    let labels = dataset.train_labels.to_vec1::<u32>().unwrap();
    for (row, index) in faces.indices(Split::Train).into_iter().enumerate() {
        assert_eq!(labels[row] as usize, faces.entry(index).label);
        let found = dataset
            .train_images
            .i(row)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        let expected: Vec<f32> = faces
            .picture(index)
            .unwrap()
            .pixels()
            .iter()
            .map(|&value| f32::from(value) / 255.0)
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_split_without_pictures_is_an_error_that_names_it() {
    let mut settings = OpenSettings::default();
    settings.split.test_fraction = Some(0.0);
    let faces = open("drawn".as_ref(), &settings).unwrap();
    let error = to_candle(&faces, Split::Test)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(error.contains("test split"), "{error}");
}
