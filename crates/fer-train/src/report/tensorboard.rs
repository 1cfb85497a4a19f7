//! The history of a run as TensorBoard reads it: an event file with one scalar an epoch for each
//! column of `history.csv`.
//!
//! An event file is a row of TFRecords: the length of the data as u64, its masked CRC-32C, the data,
//! their masked CRC-32C, all numbers little-endian (`tensorflow/core/lib/io/record_writer.h`). Each
//! record holds one message `Event` (`tensorboard/compat/proto/event.proto`), of which the fields
//! that scalars need are here. The crates that write such files put the clock and the host's name
//! into them; here the same history gives the same bytes, and every wall time is 0, so that
//! TensorBoard's axis is to be the step, which is the epoch.

use prost::{Message, Oneof};

use crate::fit::EpochRecord;

/// The name of the event file in a run directory, as TensorBoard looks for it.
pub const FILE: &str = "events.out.tfevents.0.fer";

/// The events of these epochs, in order, as the bytes of an event file.
pub fn events(history: &[EpochRecord]) -> Vec<u8> {
    let mut file = Vec::new();
    let version = What::FileVersion("brain.Event:2".into());
    record(&mut file, 0, version);
    for epoch in history {
        let value = scalars(epoch);
        record(
            &mut file,
            epoch.epoch as i64,
            What::Summary(Summary { value }),
        );
    }
    file
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Scalar>,
}

/// The message `Summary.Value` with its scalar alone.
#[derive(Clone, PartialEq, Message)]
struct Scalar {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

fn scalars(epoch: &EpochRecord) -> Vec<Scalar> {
    let values = [
        ("loss/train", Some(epoch.train_loss)),
        ("loss/validation", epoch.validation_loss),
        ("accuracy/train", Some(epoch.train_accuracy)),
        ("accuracy/validation", epoch.validation_accuracy),
        ("learning_rate", Some(epoch.learning_rate)),
    ];
    let known = values
        .into_iter()
        .filter_map(|(tag, value)| Some((tag, value?)));
    known
        .map(|(tag, value)| Scalar {
            tag: tag.into(),
            simple_value: Some(value as f32),
        })
        .collect()
}

fn record(file: &mut Vec<u8>, step: i64, what: What) {
    let event = Event {
        wall_time: 0.0,
        step,
        what: Some(what),
    };
    let data = event.encode_to_vec();
    let length = (data.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(masked_checksum(&length));
    file.extend(&data);
    file.extend(masked_checksum(&data));
}

/// A CRC-32C, turned and moved so that the checksum of data that hold checksums is no special value.
fn masked_checksum(bytes: &[u8]) -> [u8; 4] {
    const DELTA: u32 = 0xa282_ead8;
    let checksum = crc32c::crc32c(bytes).rotate_right(15);
    checksum.wrapping_add(DELTA).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(validation: Option<f64>) -> EpochRecord {
        EpochRecord {
            epoch: 3,
            train_loss: 1.5,
            train_accuracy: 0.5,
            validation_loss: validation,
            validation_accuracy: validation,
            learning_rate: 0.001,
        }
    }

    #[test]
    fn the_first_record_is_the_one_that_tensorflow_writes() {
        // What `tf.summary.create_file_writer` begins with, but for the wall time: here it is 0, and
        // fields that are 0 are left out.
        let file = events(&[]);
        assert_eq!(file[..8], 15_u64.to_le_bytes());
        assert_eq!(&file[12..27], b"\x1a\x0dbrain.Event:2");
        assert_eq!(file.len(), 8 + 4 + 15 + 4);
    }

    #[test]
    fn the_checksum_is_masked_as_tensorflow_masks_it() {
        // CRC-32C of 32 bytes of 0 (RFC 3720, B.4) is 0x8a9136aa.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        let masked = 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked_checksum(&[0; 32]), masked.to_le_bytes());
    }

    #[test]
    fn a_value_that_is_not_there_has_no_event() {
        let tags = |validation| -> Vec<String> {
            let scalars = scalars(&epoch(validation)).into_iter();
            scalars.map(|scalar| scalar.tag).collect()
        };
        assert_eq!(
            tags(None),
            ["loss/train", "accuracy/train", "learning_rate"]
        );
        assert_eq!(tags(Some(0.5)).len(), 5);
        assert!(events(&[epoch(Some(0.5))]).len() > events(&[epoch(None)]).len());
    }
}
