//! The matrix product that convolutions, Winograd's planes and dense layers are made of.
//!
//! A tile of the result, some rows by some vectors, stays in registers while the depth runs.

use super::simd::{Kernel, Simd};

/// Sums of products: row `r`, column `c` of the result is the sum over segments `s` and depth `d`
/// of `a[r * a_row + d * a_depth + s * a_segment] * b[c + d * b_depth + s * b_segment]`.
#[derive(Clone, Copy)]
pub(crate) struct Product<'a> {
    /// Runs of the sum; 1 for a plain matrix product.
    pub(crate) segments: usize,
    /// Terms in a run.
    pub(crate) depth: usize,
    /// The left side, read one number at a time.
    pub(crate) a: &'a [f32],
    /// Step in `a` from row to row.
    pub(crate) a_row: usize,
    /// Step in `a` from term to term.
    pub(crate) a_depth: usize,
    /// Step in `a` from run to run.
    pub(crate) a_segment: usize,
    /// The right side, read in vectors.
    pub(crate) b: &'a [f32],
    /// Step in `b` from term to term.
    pub(crate) b_depth: usize,
    /// Step in `b` from run to run.
    pub(crate) b_segment: usize,
}

/// What becomes of the sums.
#[derive(Clone, Copy, Default)]
pub(crate) struct Finish<'a> {
    /// A number for each column that the sums start from.
    pub(crate) bias: Option<&'a [f32]>,
    /// Numbers to add, laid out as the result with a row step of its own.
    pub(crate) residual: Option<(&'a [f32], usize)>,
    /// Whether the result is added to what is there.
    pub(crate) accumulate: bool,
    /// Whether negative results become zero.
    pub(crate) relu: bool,
}

impl<'a> Finish<'a> {
    /// The same for the columns from `column` on.
    #[inline(always)]
    fn at_column(self, column: usize) -> Self {
        Self {
            bias: self.bias.map(|bias| &bias[column..]),
            residual: self.residual.map(|(from, row)| (&from[column..], row)),
            ..self
        }
    }
}

/// A block of columns: `vectors` whole vectors, or one that holds only `columns` numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The first column.
    pub(crate) start: usize,
    /// How many columns.
    pub(crate) columns: usize,
    /// How many vectors.
    pub(crate) vectors: usize,
}

/// The blocks that `columns` columns fall into.
pub(crate) fn blocks<S: Simd>(columns: usize) -> impl Iterator<Item = Block> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let left = columns - start;
        let vectors = (left / S::LANES).min(S::TILE_VECTORS);
        let block = Block {
            start,
            columns: left.min(vectors.max(1) * S::LANES).min(left),
            vectors: vectors.max(1),
        };
        start += block.columns;
        (left > 0).then_some(block)
    })
}

/// Terms of a product with a plain matrix that are added before the next columns' turn. Rows of a
/// wide matrix share sets of the cache and have pages of their own: more of them than this do not
/// stay near.
const DEPTH: usize = 32;

/// `rows` by `columns` sums of a product of one segment whose right side is a plain matrix, written
/// to `y` with a step of `y_row` from row to row.
#[inline(always)]
pub(crate) fn multiply<S: Simd>(
    simd: S,
    [rows, columns]: [usize; 2],
    product: Product<'_>,
    y: &mut [f32],
    y_row: usize,
) {
    for block in blocks::<S>(columns) {
        let y = &mut y[block.start..];
        for first in (0..product.depth.max(1)).step_by(DEPTH) {
            let product = Product {
                depth: DEPTH.min(product.depth - first),
                a: &product.a[first * product.a_depth..],
                b: &product.b[first * product.b_depth + block.start..],
                ..product
            };
            let finish = Finish {
                accumulate: first > 0,
                ..Finish::default()
            };
            block_rows(simd, rows, block, product, finish, y, y_row);
        }
    }
}

/// As [`multiply`], for one segment and a right side packed by [`pack`](super::packing): block
/// after block, each `depth` rows of `columns` numbers.
#[inline(always)]
pub(crate) fn multiply_packed<S: Simd>(
    simd: S,
    [rows, columns]: [usize; 2],
    product: Product<'_>,
    finish: Finish<'_>,
    y: &mut [f32],
    y_row: usize,
) {
    let depth = product.depth * product.segments;
    for block in blocks::<S>(columns) {
        let product = Product {
            b: &product.b[block.start * depth..][..block.columns * depth],
            b_depth: block.columns,
            b_segment: block.columns * product.depth,
            ..product
        };
        let finish = finish.at_column(block.start);
        let y = &mut y[block.start..];
        block_rows(simd, rows, block, product, finish, y, y_row);
    }
}

/// All rows of one block of columns, in tiles of nearly equal height.
#[inline(always)]
pub(crate) fn block_rows<S: Simd>(
    simd: S,
    rows: usize,
    block: Block,
    product: Product<'_>,
    finish: Finish<'_>,
    y: &mut [f32],
    y_row: usize,
) {
    simd.call(Rows {
        rows,
        block,
        product,
        finish,
        y,
        y_row,
    });
}

struct Rows<'a> {
    rows: usize,
    block: Block,
    product: Product<'a>,
    finish: Finish<'a>,
    y: &'a mut [f32],
    y_row: usize,
}

impl Kernel for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let tiles = self.rows.div_ceil(S::tile_rows(self.block.vectors));
        let mut row = 0;
        for tile in 0..tiles {
            let rows = self.rows / tiles + usize::from(tile < self.rows % tiles);
            let part = Part {
                product: Product {
                    a: &self.product.a[row * self.product.a_row..],
                    ..self.product
                },
                finish: Finish {
                    residual: self
                        .finish
                        .residual
                        .map(|(from, step)| (&from[row * step..], step)),
                    ..self.finish
                },
                columns: self.block.columns,
                y: &mut self.y[row * self.y_row..],
                y_row: self.y_row,
            };
            part.run(simd, rows, self.block.vectors);
            row += rows;
        }
    }
}

/// The operands of one tile.
struct Part<'a> {
    product: Product<'a>,
    finish: Finish<'a>,
    columns: usize,
    y: &'a mut [f32],
    y_row: usize,
}

/// Calls the tile of `$rows` rows, one of the listed numbers.
macro_rules! tile_of {
    ($simd:ident, $part:ident, $rows:ident, $vectors:literal, $whole:literal: $($count:literal)*) => {
        match $rows {
            $($count => $simd.call(Tile::<$count, $vectors, $whole>($part)),)*
            _ => unreachable!("no tile has {} rows of {} vectors", $rows, $vectors),
        }
    };
}

impl Part<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, rows: usize, vectors: usize) {
        let whole = self.columns == vectors * S::LANES;
        match (vectors, whole) {
            (1, false) => tile_of!(simd, self, rows, 1, false: 1 2 3 4 5 6 7 8 9 10 11 12),
            (1, true) => tile_of!(simd, self, rows, 1, true: 1 2 3 4 5 6 7 8 9 10 11 12),
            (2, true) if S::TILE_VECTORS == 2 => {
                tile_of!(simd, self, rows, 2, true: 1 2 3 4 5 6)
            }
            (2, true) => tile_of!(simd, self, rows, 2, true: 1 2 3 4 5 6 7 8 9 10 11 12),
            (3, true) => tile_of!(simd, self, rows, 3, true: 1 2 3 4 5 6 7 8),
            (4, true) => tile_of!(simd, self, rows, 4, true: 1 2 3 4 5 6),
            _ => unreachable!("no tile has {vectors} vectors"),
        }
    }
}

/// `R` rows by `C` vectors in registers. `WHOLE`: every lane of every vector is in use.
struct Tile<'a, const R: usize, const C: usize, const WHOLE: bool>(Part<'a>);

impl<const R: usize, const C: usize, const WHOLE: bool> Kernel for Tile<'_, R, C, WHOLE> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let part = self.0;
        let width = if WHOLE { C * S::LANES } else { part.columns };
        assert!(width <= C * S::LANES && (WHOLE || C == 1));
        let mut sums = [[simd.splat(0.0); C]; R];
        if let Some(bias) = part.finish.bias {
            for (column, start) in (0..width).step_by(S::LANES).enumerate() {
                let start = simd.read(&bias[start..width]);
                for row in &mut sums {
                    row[column] = start;
                }
            }
        }
        accumulate::<S, R, C, WHOLE>(simd, &part.product, width, &mut sums);
        let finish = part.finish;
        for (row, sums) in sums.into_iter().enumerate() {
            let y = &mut part.y[row * part.y_row..][..width];
            let residual = finish
                .residual
                .map(|(from, step)| &from[row * step..][..width]);
            for (column, mut sum) in sums.into_iter().enumerate() {
                let start = column * S::LANES;
                if finish.accumulate {
                    sum = simd.add(simd.read(&y[start..]), sum);
                }
                if let Some(residual) = residual {
                    sum = simd.add(sum, simd.read(&residual[start..]));
                }
                if finish.relu {
                    sum = simd.relu(sum);
                }
                simd.write(&mut y[start..], sum);
            }
        }
    }
}

/// Adds the products to `sums`.
#[inline(always)]
fn accumulate<S: Simd, const R: usize, const C: usize, const WHOLE: bool>(
    simd: S,
    product: &Product<'_>,
    width: usize,
    sums: &mut [[S::Vector; C]; R],
) {
    if product.segments == 0 || product.depth == 0 {
        return;
    }
    let (segment, depth) = (product.segments - 1, product.depth - 1);
    let a_end = segment * product.a_segment + depth * product.a_depth + (R - 1) * product.a_row;
    let b_end = segment * product.b_segment + depth * product.b_depth + width;
    assert!(a_end < product.a.len(), "{a_end} of {}", product.a.len());
    assert!(b_end <= product.b.len(), "{b_end} of {}", product.b.len());
    let mut totals = *sums;
    for segment in 0..product.segments {
        let mut a = product.a.as_ptr().wrapping_add(segment * product.a_segment);
        let mut b = product.b.as_ptr().wrapping_add(segment * product.b_segment);
        for _ in 0..product.depth {
            let mut right = [simd.splat(0.0); C];
            for (column, right) in right.iter_mut().enumerate() {
                // SAFETY: the largest index that is read is `b_end - 1`, checked above; a vector
                // that is not whole is the only one and reads `width` numbers.
                *right = unsafe {
                    if WHOLE {
                        simd.load(b.add(column * S::LANES))
                    } else {
                        simd.load_part(b, width)
                    }
                };
            }
            for (row, totals) in totals.iter_mut().enumerate() {
                // SAFETY: the largest index that is read is `a_end`, checked above.
                let left = simd.splat(unsafe { *a.add(row * product.a_row) });
                for (total, right) in totals.iter_mut().zip(right) {
                    *total = simd.mul_add(left, right, *total);
                }
            }
            a = a.wrapping_add(product.a_depth);
            b = b.wrapping_add(product.b_depth);
        }
    }
    *sums = totals;
}
