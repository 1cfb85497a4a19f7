use crate::face::cascade::boosted::{Boosted, GROUP, PATTERNS};
use crate::face::cascade::perceptron::{ANSWERS, Layer, Perceptron};
use crate::face::cascade::surf::{FEATURE, patches};
use crate::face::cascade::{Cascade, WINDOW};

/// Places of a window that have a pattern: its last eight rows and columns have none.
const PLACES: u32 = WINDOW - 8;

/// The kinds of classifiers, as the file numbers them.
const BOOSTED: usize = 0;
const PERCEPTRON: usize = 1;

/// What is left of SeetaFace's file: whole numbers and values of 32 bits, least byte first.
struct Reader<'a>(&'a [u8]);

impl Cascade {
    /// Reads SeetaFace's model file. `None` for one that is cut short, or in which something is not as
    /// in the frontal cascade: boosted classifiers, each of one stage, and then one line of networks.
    pub(in crate::face) fn read(bytes: &[u8]) -> Option<Cascade> {
        let mut reader = Reader(bytes);
        let levels = reader.count(16)?;
        let boosted = reader.many(16, |reader| reader.branch(Reader::boosted))?;
        let boosted: Vec<Boosted> = boosted.into_iter().flatten().collect();
        let mut perceptrons = Vec::new();
        for _ in 1..levels {
            let mut branches = reader.many(1, |reader| reader.branch(Reader::perceptron))?;
            perceptrons.push(branches.pop()?);
        }
        let whole = reader.0.is_empty() && !boosted.is_empty() && !perceptrons.is_empty();
        whole.then_some(Cascade {
            boosted,
            perceptrons,
        })
    }
}

impl Reader<'_> {
    /// The stages of a branch, after which the file names the branches whose windows it takes: all, or
    /// −1 for none.
    fn branch<T>(&mut self, stage: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let stages = self.many(16, stage)?;
        let sources = i32::from_le_bytes(self.four()?).max(0);
        for _ in 0..sources {
            self.four()?;
        }
        Some(stages)
    }

    fn boosted(&mut self) -> Option<Boosted> {
        if self.count(1)? != BOOSTED {
            return None;
        }
        let count = self.count(10_000)?;
        if self.count(PATTERNS)? != PATTERNS - 1 || count == 0 || !count.is_multiple_of(GROUP) {
            return None;
        }
        let place = |reader: &mut Self| {
            let place = reader.count(PLACES as usize - 1)?;
            u8::try_from(place).ok()
        };
        let places = (0..count).map(|_| Some((place(self)?, place(self)?)));
        let places = places.collect::<Option<_>>()?;
        let thresholds = self.values(count)?.into_iter();
        let thresholds = thresholds.skip(GROUP - 1).step_by(GROUP).collect();
        Some(Boosted {
            places,
            weights: self.values(count * PATTERNS)?,
            thresholds,
        })
    }

    fn perceptron(&mut self) -> Option<Perceptron> {
        if self.count(1)? != PERCEPTRON {
            return None;
        }
        let layers = self.count(16)?;
        let known = patches();
        let features = self.count(known.len())?;
        let patch = |reader: &mut Self| {
            let number = reader.count(known.len())?;
            known.get(number.checked_sub(1)?).copied()
        };
        let patches = (0..features).map(|_| patch(self)).collect::<Option<_>>()?;
        let threshold = self.value()?;
        let mut inputs = self.count(10_000)?;
        if inputs != features * FEATURE || inputs == 0 {
            return None;
        }
        let mut stack = Vec::new();
        for _ in 1..layers {
            let outputs = self.count(10_000).filter(|outputs| *outputs > 0)?;
            stack.push(Layer {
                inputs,
                weights: self.values(inputs * outputs)?,
                biases: self.values(outputs)?,
            });
            inputs = outputs;
        }
        (inputs == ANSWERS && !stack.is_empty()).then_some(Perceptron {
            patches,
            layers: stack,
            threshold,
        })
    }

    fn many<T>(&mut self, most: usize, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count(most)?;
        (0..count).map(|_| one(self)).collect()
    }

    fn count(&mut self, most: usize) -> Option<usize> {
        let count = i32::from_le_bytes(self.four()?);
        usize::try_from(count).ok().filter(|count| *count <= most)
    }

    fn value(&mut self) -> Option<f32> {
        Some(f32::from_le_bytes(self.four()?)).filter(|value| value.is_finite())
    }

    fn values(&mut self, count: usize) -> Option<Vec<f32>> {
        if self.0.len() / 4 < count {
            return None;
        }
        (0..count).map(|_| self.value()).collect()
    }

    fn four(&mut self) -> Option<[u8; 4]> {
        let (four, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*four)
    }
}
