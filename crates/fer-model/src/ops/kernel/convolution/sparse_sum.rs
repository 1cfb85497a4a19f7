//! Sums of scaled rows picked from a table: the inner loop of the sparse gradients.

use crate::ops::kernel::product::Block;
use crate::ops::kernel::simd::{Kernel, Simd};

/// One term of a sum: the numbers from `offset` on, times `value`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Entry {
    /// Where in the source, in units of the source's step.
    pub(crate) offset: u32,
    /// The factor.
    pub(crate) value: f32,
}

/// One sum: some consecutive entries, added to the target from `target` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// The first entry.
    pub(crate) start: usize,
    /// One past the last entry.
    pub(crate) end: usize,
    /// Where in the target.
    pub(crate) target: usize,
}

/// A run of `run` numbers cut into parts of at most `most` whole vectors, and what is left over.
pub(crate) fn passes<S: Simd>(run: usize, most: usize) -> impl Iterator<Item = Block> {
    let vectors = run / S::LANES;
    let count = vectors.div_ceil(most);
    let mut start = 0;
    let whole = (0..count).map(move |pass| {
        let vectors = vectors / count + usize::from(pass < vectors % count);
        let columns = vectors * S::LANES;
        start += columns;
        Block {
            start: start - columns,
            columns,
            vectors,
        }
    });
    let columns = run % S::LANES;
    let rest = Block {
        start: run - columns,
        columns,
        vectors: 1,
    };
    whole.chain((columns > 0).then_some(rest))
}

/// Many sums over one table. Every sum has `rows` rows of `columns` numbers; row `r` of an entry
/// lies `r * source_row` numbers after its first.
pub(crate) struct Sums<'a> {
    /// The terms of all the sums.
    pub(crate) entries: &'a [Entry],
    /// The sums.
    pub(crate) jobs: &'a [Job],
    /// The table.
    pub(crate) source: &'a [f32],
    /// The unit of an entry's offset.
    pub(crate) source_step: usize,
    /// From row to row in the source.
    pub(crate) source_row: usize,
    /// Where the sums are added.
    pub(crate) target: &'a mut [f32],
    /// From row to row in the target.
    pub(crate) target_row: usize,
}

impl Sums<'_> {
    /// Adds a block of columns of the sums, from column `block.start` of source and target.
    #[inline(always)]
    pub(crate) fn add<S: Simd>(&mut self, simd: S, rows: usize, block: Block) {
        if rows == 3 && block.vectors <= Self::most_of_three::<S>() {
            return self.add_rows::<S, 3>(simd, block, 0);
        }
        for row in 0..rows {
            self.add_rows::<S, 1>(simd, block, row);
        }
    }

    /// How many vectors three rows may have to stay in registers.
    #[inline(always)]
    pub(crate) fn most_of_three<S: Simd>() -> usize {
        S::TILE_VECTORS * 2
    }

    #[inline(always)]
    fn add_rows<S: Simd, const R: usize>(&mut self, simd: S, block: Block, row: usize) {
        let sums = Sums {
            entries: self.entries,
            jobs: self.jobs,
            source: &self.source[row * self.source_row + block.start..],
            source_step: self.source_step,
            source_row: self.source_row,
            target: &mut self.target[row * self.target_row + block.start..],
            target_row: self.target_row,
        };
        if block.columns < S::LANES {
            return simd.call(Part::<R, 1, false>(sums, block.columns));
        }
        macro_rules! part {
            ($($vectors:literal)*) => {
                match block.vectors {
                    $($vectors => simd.call(Part::<R, $vectors, true>(sums, block.columns)),)*
                    more => unreachable!("no pass has {more} vectors"),
                }
            };
        }
        part!(1 2 3 4 5 6 7 8)
    }
}

struct Part<'a, const R: usize, const V: usize, const WHOLE: bool>(Sums<'a>, usize);

impl<const R: usize, const V: usize, const WHOLE: bool> Kernel for Part<'_, R, V, WHOLE> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self(sums, columns) = self;
        let width = if WHOLE { V * S::LANES } else { columns };
        assert!(width <= V * S::LANES && (WHOLE || V == 1));
        let extent = (R - 1) * sums.source_row + width;
        for job in sums.jobs {
            let entries = &sums.entries[job.start..job.end];
            if entries.is_empty() {
                continue;
            }
            let target = &mut sums.target[job.target..];
            let mut totals = [[simd.splat(0.0); V]; R];
            for (row, totals) in totals.iter_mut().enumerate() {
                let target = &target[row * sums.target_row..][..width];
                for (vector, total) in totals.iter_mut().enumerate() {
                    *total = simd.read(&target[vector * S::LANES..]);
                }
            }
            for entry in entries {
                let start = entry.offset as usize * sums.source_step;
                assert!(
                    start + extent <= sums.source.len(),
                    "an entry beyond its source"
                );
                let value = simd.splat(entry.value);
                for (row, totals) in totals.iter_mut().enumerate() {
                    for (vector, total) in totals.iter_mut().enumerate() {
                        let from = start + row * sums.source_row + vector * S::LANES;
                        // SAFETY: the last number that is read lies `extent - 1` after `start`,
                        // inside the source by the assertion above.
                        let term = unsafe {
                            let from = sums.source.as_ptr().add(from);
                            if WHOLE {
                                simd.load(from)
                            } else {
                                simd.load_part(from, width)
                            }
                        };
                        *total = simd.mul_add(value, term, *total);
                    }
                }
            }
            for (row, totals) in totals.into_iter().enumerate() {
                let target = &mut target[row * sums.target_row..][..width];
                for (vector, total) in totals.into_iter().enumerate() {
                    simd.write(&mut target[vector * S::LANES..], total);
                }
            }
        }
    }
}
