//! What a device was asked and nobody has read yet.

use anyhow::Result;
use candle_core::{Device, Tensor};
use fer_model::ops::Engine;

/// Batches that a device may be ahead of what is read from it: whoever reads waits until all that was asked
/// before is done.
const AHEAD: usize = 32;

/// Answers, each with what is known of its batch. A GPU's are read together after many batches; the CPU's
/// kernels have answered already, so that theirs are read at once. The portable engine is treated as a GPU
/// is.
pub(crate) struct Unread<T> {
    batches: Vec<(T, Option<Tensor>)>,
    most: usize,
}

impl<T> Unread<T> {
    pub(crate) fn new(engine: Engine, device: &Device) -> Self {
        Unread {
            batches: Vec::new(),
            most: if engine.has_kernels_on(device) {
                1
            } else {
                AHEAD
            },
        }
    }

    /// Adds a batch, with its answer of shape (pictures, classes) where this process has a part of it.
    pub(crate) fn push(&mut self, known: T, answer: Option<Tensor>) {
        self.batches.push((known, answer));
    }

    /// Whether it is time to read.
    pub(crate) fn is_full(&self) -> bool {
        self.batches.len() >= self.most
    }

    pub(crate) fn clear(&mut self) {
        self.batches.clear();
    }

    /// Takes out all batches with the values of their answers, row by row: the device is read once.
    pub(crate) fn read(&mut self) -> Result<Vec<(T, Vec<f32>)>> {
        let batches = std::mem::take(&mut self.batches);
        let answers: Vec<&Tensor> = batches.iter().filter_map(|(_, own)| own.as_ref()).collect();
        let values = match answers.as_slice() {
            [] => Vec::new(),
            [one] => one.flatten_all()?.to_vec1()?,
            _ => Tensor::cat(&answers, 0)?.flatten_all()?.to_vec1()?,
        };
        let mut rest = values.as_slice();
        let read = batches.into_iter().map(|(known, answer)| {
            let (own, others) = rest.split_at(answer.map_or(0, |answer| answer.elem_count()));
            rest = others;
            (known, own.to_vec())
        });
        Ok(read.collect())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn kernels() -> Engine {
        Engine::available()[0]
    }

    fn answer(rows: &[[f32; 2]]) -> Option<Tensor> {
        let values: Vec<f32> = rows.as_flattened().to_vec();
        Some(Tensor::from_vec(values, (rows.len(), 2), &Device::Cpu).unwrap())
    }

    #[test]
    fn kernels_are_read_after_every_batch_and_a_device_after_many() {
        for (engine, most) in [(kernels(), 1), (Engine::Portable, AHEAD)] {
            let mut unread = Unread::new(engine, &Device::Cpu);
            for number in 0..most {
                assert!(!unread.is_full(), "{engine} {number}");
                unread.push(number, answer(&[[0.0, 1.0]]));
            }
            assert!(unread.is_full(), "{engine}");
            assert_eq!(unread.read().unwrap().len(), most);
        }
    }

    #[test]
    fn every_batch_gets_its_own_rows_and_nothing_is_read_twice() {
        let mut unread = Unread::new(Engine::Portable, &Device::Cpu);
        unread.push("two", answer(&[[1.0, 2.0], [3.0, 4.0]]));
        unread.push("none", None);
        unread.push("one", answer(&[[5.0, 6.0]]));
        let read = unread.read().unwrap();
        let expected = [
            ("two", vec![1.0, 2.0, 3.0, 4.0]),
            ("none", vec![]),
            ("one", vec![5.0, 6.0]),
        ];
        assert_eq!(read, expected);
        assert!(unread.read().unwrap().is_empty());
        unread.push("gone", answer(&[[0.0, 0.0]]));
        unread.clear();
        assert!(unread.read().unwrap().is_empty());
    }
}
