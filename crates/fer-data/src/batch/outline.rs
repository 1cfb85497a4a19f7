//! What is known of a batch before its pictures are made.

use std::ops::Range;

use super::{Batch, Batches, Pixels};

/// All of a batch but its pixels, whichever [part](Batches::part) of it is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// As [`Batch::indices`], of the whole batch.
    pub indices: Vec<usize>,
    /// As [`Batch::labels`], of the whole batch.
    pub labels: Vec<usize>,
    /// As [`Batch::targets`], of the whole batch.
    pub targets: Vec<f32>,
    /// Which of its pictures are made, by their places in the batch.
    pub part: Range<usize>,
}

impl Outline {
    /// The part with its pixels.
    pub(super) fn batch(self, pixels: Pixels) -> Batch {
        let rows = self.part;
        if rows.len() == self.indices.len() {
            let (indices, labels, targets) = (self.indices, self.labels, self.targets);
            return Batch {
                indices,
                labels,
                pixels,
                targets,
            };
        }
        let classes = self.targets.len() / self.indices.len().max(1);
        Batch {
            indices: self.indices[rows.clone()].to_vec(),
            labels: self.labels[rows.clone()].to_vec(),
            pixels,
            targets: self.targets[rows.start * classes..rows.end * classes].to_vec(),
        }
    }
}

impl Batches<'_> {
    /// What batch `number` is, all its parts together; no picture is read for it.
    ///
    /// # Panics
    /// When `number` is not below [`len`](Self::len).
    pub fn outline(&self, number: usize) -> Outline {
        let turns = self.turns(number).iter();
        let indices: Vec<usize> = turns.map(|&turn| self.index(turn)).collect();
        let classes = self.dataset.class_names().len();
        let mut targets = vec![0.0; indices.len() * classes];
        for (target, &index) in targets.chunks_exact_mut(classes).zip(&indices) {
            self.dataset.write_target(index, target);
        }
        let labels = indices
            .iter()
            .map(|&index| self.dataset.label(index))
            .collect();
        let count = indices.len();
        let [part, parts] = self.part;
        Outline {
            indices,
            labels,
            targets,
            part: count * part / parts..count * (part + 1) / parts,
        }
    }
}
