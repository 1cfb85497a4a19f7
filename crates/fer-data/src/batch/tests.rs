#![expect(clippy::unwrap_used, reason = "tests")]

use super::greys::greys;
use super::*;
use crate::situation::Situation;

#[test]
fn the_votes_of_a_picture_are_its_target_and_its_label_where_there_are_none() {
    let dataset = greys(4);
    let batch = Batches::new(&dataset, (0..4).collect(), 4)
        .batch(0)
        .unwrap();
    assert_eq!(batch.labels, [0, 1, 0, 1]);
    assert_eq!(batch.targets, [1.0, 0.0, 0.25, 0.75, 0.25, 0.75, 0.0, 1.0]);
}

#[test]
fn a_picture_that_comes_several_times_in_an_epoch_is_changed_differently_each_time() {
    let dataset = greys(40);
    let augmentation = Augmentation {
        rotation: 12.0,
        ..Augmentation::default()
    };
    let sampling = Sampling { balanced: 1.0 };
    // Eleven dark pictures and a light one.
    let indices: Vec<usize> = (0..22).step_by(2).chain([7]).collect();
    let batch = |sampling: &Sampling| {
        Batches::new(&dataset, indices.clone(), 12)
            .sampled(sampling, 5, 1)
            .augmented(&augmentation, 5, 1)
            .batch(0)
            .unwrap()
    };
    let (drawn, plain) = (batch(&sampling), batch(&Sampling::default()));
    let (pictures, plain_pictures) = (drawn.pixels.scaled(), plain.pixels.scaled());
    assert_eq!(plain.indices, indices);
    assert_eq!(drawn.labels.iter().sum::<usize>(), 6, "half of twelve");
    let mut seen: Vec<&[f32]> = Vec::new();
    for (&index, picture) in drawn.indices.iter().zip(pictures.chunks(PIXELS)) {
        if index == 7 {
            assert!(!seen.contains(&picture));
            seen.push(picture);
        }
    }
    assert_eq!(seen.len(), 6);
    assert_eq!(seen[0], &plain_pictures[11 * PIXELS..], "its first turn");
}

#[test]
fn a_disturbed_batch_holds_every_picture_in_the_situation_with_its_own_chance() {
    let dataset = greys(40);
    let disturbance = Situation::Noise.at(20.0, 3);
    let order: Vec<usize> = (0..40).rev().collect();
    let batches = Batches::new(&dataset, order, 16).disturbed(disturbance);
    let made: Vec<Batch> = batches.iter().map(Result::unwrap).collect();
    let ahead = batches.ahead(2, |ahead| ahead.collect::<Result<Vec<_>, _>>());
    assert_eq!(ahead.unwrap(), made);
    for batch in made {
        let Pixels::Stored(stored) = &batch.pixels else {
            panic!("nothing computes with them");
        };
        for (values, index) in stored.chunks_exact(PIXELS).zip(batch.indices) {
            let picture = dataset.picture(index).unwrap();
            assert_eq!(values, disturbance.apply(&picture, index as u64).pixels());
            assert_ne!(values, picture.pixels());
        }
    }
}

#[test]
fn the_parts_of_a_batch_are_the_batch() {
    let dataset = greys(23);
    let augmentation = Augmentation {
        rotation: 9.0,
        ..Augmentation::default()
    };
    let sampling = Sampling { balanced: 0.5 };
    let whole = || {
        Batches::new(&dataset, (0..23).collect(), 9)
            .sampled(&sampling, 5, 2)
            .shuffled(5, 2)
            .augmented(&augmentation, 5, 2)
    };
    for number in 0..3 {
        let expected = whole().batch(number).unwrap();
        // The last batch has five pictures, fewer than parts.
        let mut joined = Batch {
            indices: Vec::new(),
            labels: Vec::new(),
            pixels: Pixels::Changed(Vec::new()),
            targets: Vec::new(),
        };
        for part in 0..7 {
            let batches = whole().part(part, 7);
            let outline = batches.outline(number);
            assert_eq!(outline.indices, expected.indices);
            assert_eq!(outline.labels, expected.labels);
            assert_eq!(outline.targets, expected.targets);
            let batch = batches.batch(number).unwrap();
            assert_eq!(outline.part.len(), batch.labels.len());
            assert_eq!(outline.part.start, joined.labels.len());
            joined.indices.extend(batch.indices);
            joined.labels.extend(batch.labels);
            let mut pixels = joined.pixels.into_scaled();
            pixels.extend(batch.pixels.into_scaled());
            joined.pixels = Pixels::Changed(pixels);
            joined.targets.extend(batch.targets);
        }
        assert_eq!(joined, expected);
    }
}

#[test]
fn pictures_that_nothing_changes_stay_8_bit_and_are_the_same_scaled() {
    let dataset = greys(9);
    let batches = || Batches::new(&dataset, (0..9).rev().collect(), 4);
    let plain = batches().batch(1).unwrap();
    let Pixels::Stored(stored) = &plain.pixels else {
        panic!("nothing computes with them");
    };
    assert_eq!(stored[..PIXELS], *dataset.picture(4).unwrap().pixels());
    let values: Vec<f32> = stored.iter().map(|&grey| f32::from(grey) / 255.0).collect();
    assert_eq!(plain.pixels.scaled(), values);
    assert_eq!(
        (plain.pixels.len(), plain.pixels.is_empty()),
        (4 * PIXELS, false)
    );
    let never = Augmentation {
        erasing: 1e-30,
        ..Augmentation::default()
    };
    let changed = batches().augmented(&never, 5, 1).batch(1).unwrap();
    assert_eq!(changed.pixels, Pixels::Changed(values.clone()));
}
