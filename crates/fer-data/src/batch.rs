//! Pictures and targets as the arrays that a network takes.

mod ahead;
#[cfg(test)]
mod greys;
mod outline;
mod pixels;
#[cfg(test)]
mod tests;

use rand::seq::SliceRandom;
use rayon::prelude::*;

use crate::augmentation::Augmentation;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::picture::PIXELS;
use crate::random::stream;
use crate::sampling::Sampling;
use crate::situation::Disturbance;
use crate::worker::guarded;

pub use ahead::Ahead;
pub use outline::Outline;
pub use pixels::Pixels;
use pixels::Row;

/// Some pictures of a data set, in the order of [`indices`](Self::indices).
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The pictures' indices in the data set.
    pub indices: Vec<usize>,
    /// The classes, one a picture.
    pub labels: Vec<usize>,
    /// The pictures, of shape (pictures, 1, 48, 48).
    pub pixels: Pixels,
    /// Targets, f32 of shape (pictures, classes), each row summing to 1.
    pub targets: Vec<f32>,
}

/// Writes the pixels of the pictures whose turns these are.
type FillAll<'a> = dyn Fn(&mut Pixels, &[usize]) -> Result<(), DataError> + 'a;

/// Makes batches of a data set: which order, how many at once, how changed.
///
/// The last batch is shorter when the pictures do not divide evenly; none is dropped.
///
/// ```no_run
/// use fer_data::{Batches, OpenSettings, Split, open};
///
/// let faces = open("drawn".as_ref(), &OpenSettings::default())?;
/// let batches = Batches::new(&faces, faces.indices(Split::Train), 32).shuffled(7, 0);
/// for batch in batches.iter() {
///     println!("{} pictures", batch?.labels.len());
/// }
/// # Ok::<(), fer_data::DataError>(())
/// ```
pub struct Batches<'a> {
    dataset: &'a Dataset,
    /// Each turn of a picture in the epoch: its index, and the number of pictures in the data set
    /// added for every turn that it had before, so that each is changed in its own way.
    order: Vec<usize>,
    batch_size: usize,
    first: usize,
    /// Which part of each batch is made, and of how many.
    part: [usize; 2],
    disturbance: Option<Disturbance>,
    augmentation: Option<(&'a Augmentation, u64, u64)>,
}

impl<'a> Batches<'a> {
    /// Batches of the pictures `indices` in the order given, `batch_size` at a time.
    ///
    /// # Panics
    /// When `batch_size` is 0.
    pub fn new(dataset: &'a Dataset, indices: Vec<usize>, batch_size: usize) -> Self {
        assert!(batch_size > 0, "a batch has at least one picture");
        Batches {
            dataset,
            order: indices,
            batch_size,
            first: 0,
            part: [0, 1],
            disturbance: None,
            augmentation: None,
        }
    }

    /// The pictures in the order drawn for `epoch` under `seed`.
    pub fn shuffled(mut self, seed: u64, epoch: u64) -> Self {
        self.order.shuffle(&mut stream(seed, "shuffle", epoch));
        self
    }

    /// As many pictures as before, drawn from them as `sampling` says for `epoch` under `seed`. A picture
    /// that comes several times is changed differently each time.
    pub fn sampled(mut self, sampling: &Sampling, seed: u64, epoch: u64) -> Self {
        let indices = self.order.iter().map(|&turn| self.index(turn)).collect();
        let label = |index| self.dataset.label(index);
        self.order = sampling.draw(indices, label, seed, epoch);
        let mut turns = vec![0; self.dataset.len()];
        for turn in &mut self.order {
            let index = *turn;
            *turn += turns[index] * self.dataset.len();
            turns[index] += 1;
        }
        self
    }

    /// The pictures in a situation, each with the chance of its index in the data set.
    pub fn disturbed(mut self, disturbance: Disturbance) -> Self {
        self.disturbance = Some(disturbance);
        self
    }

    /// The pictures changed as `augmentation` draws it for `epoch` under `seed`.
    pub fn augmented(mut self, augmentation: &'a Augmentation, seed: u64, epoch: u64) -> Self {
        self.augmentation = (!augmentation.is_none()).then_some((augmentation, seed, epoch));
        self
    }

    /// The same batches from number `first` on: [`iter`](Self::iter) begins there and makes none of
    /// those before. None is left where there are not as many.
    pub fn starting_at(mut self, first: usize) -> Self {
        self.first = first;
        self
    }

    /// Of each batch only part `number` (from 0) of `count`: consecutive pictures, as many in each part
    /// as in the others, or one more; none where there are fewer pictures than parts. They are what they
    /// are in the whole batch, bit for bit. [`outline`](Self::outline) tells about the rest.
    ///
    /// # Panics
    /// When `number` is not below `count`.
    pub fn part(mut self, number: usize, count: usize) -> Self {
        assert!(number < count, "part {number} of {count}, counted from 0");
        self.part = [number, count];
        self
    }

    /// How many batches there are, those before the start included.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a count of work, not a collection"
    )]
    pub fn len(&self) -> usize {
        self.order.len().div_ceil(self.batch_size)
    }

    /// Batch `number`, made when asked.
    ///
    /// # Errors
    /// A picture that cannot be read.
    ///
    /// # Panics
    /// When `number` is not below [`len`](Self::len).
    pub fn batch(&self, number: usize) -> Result<Batch, DataError> {
        self.make(number, &|pixels, turns| {
            let rows: Vec<(Row<'_>, &usize)> = pixels.rows_mut().zip(turns).collect();
            rows.into_par_iter().try_for_each(|(row, &turn)| {
                let name = || self.dataset.origin(self.index(turn));
                guarded(name, || self.fill(row, turn))?
            })
        })
    }

    /// Batch `number`, whose pictures `fill` writes, given the turns of as many.
    fn make(&self, number: usize, fill: &FillAll<'_>) -> Result<Batch, DataError> {
        let outline = self.outline(number);
        let turns = &self.turns(number)[outline.part.clone()];
        let mut pixels = self.blank(turns.len());
        fill(&mut pixels, turns)?;
        Ok(outline.batch(pixels))
    }

    /// Room for so many pictures: in the form in which they are stored, where nothing computes with them.
    fn blank(&self, pictures: usize) -> Pixels {
        match self.augmentation {
            None => Pixels::Stored(vec![0; pictures * PIXELS]),
            Some(_) => Pixels::Changed(vec![0.0; pictures * PIXELS]),
        }
    }

    /// The batches in order, from the start that was set, each made when asked for.
    /// [`ahead`](Self::ahead) makes them before.
    pub fn iter(&self) -> impl Iterator<Item = Result<Batch, DataError>> + '_ {
        (self.first..self.len()).map(|number| self.batch(number))
    }

    /// The turns of batch `number`.
    fn turns(&self, number: usize) -> &[usize] {
        let start = number * self.batch_size;
        &self.order[start..(start + self.batch_size).min(self.order.len())]
    }

    /// The index of the picture whose turn it is.
    fn index(&self, turn: usize) -> usize {
        turn % self.dataset.len()
    }

    fn fill(&self, row: Row<'_>, turn: usize) -> Result<(), DataError> {
        let index = self.index(turn);
        let write = |pixels: &[u8]| match row {
            Row::Stored(values) => values.copy_from_slice(pixels),
            Row::Changed(values) => {
                scale(pixels, values);
                if let Some((augmentation, seed, epoch)) = self.augmentation {
                    augmentation.apply(values, seed, epoch, turn as u64);
                }
            }
        };
        match &self.disturbance {
            Some(disturbance) => {
                let picture = self.dataset.picture(index)?;
                write(disturbance.apply(&picture, index as u64).pixels());
                Ok(())
            }
            None => self.dataset.with_pixels(index, |pixels| write(pixels)),
        }
    }
}

/// Writes grey values 0 to 255 as 0 to 1: value / 255 in f32.
pub fn scale(pixels: &[u8], values: &mut [f32]) {
    for (value, &pixel) in values.iter_mut().zip(pixels) {
        *value = f32::from(pixel) / 255.0;
    }
}
