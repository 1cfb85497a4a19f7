//! What follows a convolution in the same pass, and its output cut into rows for the threads.

use super::{Maps, check_len, parts_of};

/// What follows the convolution in the same pass, in this order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// `out_channels` numbers to add.
    pub bias: Option<&'a [f32]>,
    /// Maps of the convolution's output shape (before any pool) to add.
    pub residual: Option<&'a [f32]>,
    /// Whether negative numbers become zero.
    pub relu: bool,
    /// Whether the largest of every 2×2 positions is kept; an odd last row or column falls away.
    pub pool: bool,
}

/// Some rows of one picture's output: what one thread makes at a time.
pub(crate) struct Band<'a> {
    /// Which picture.
    pub(crate) picture: usize,
    /// The first row of the convolution's output.
    pub(crate) top: usize,
    /// Rows of the convolution's output.
    pub(crate) rows: usize,
    /// The output, pooled or not.
    pub(crate) y: &'a mut [f32],
    /// The places of the maxima.
    pub(crate) index: Option<&'a mut [u8]>,
    /// What is added, for the convolution's output rows from `top` to the end of the picture.
    pub(crate) residual: Option<&'a [f32]>,
}

/// The output cut into bands.
pub(crate) struct Bands;

impl Bands {
    /// As many bands as keep all threads busy; results do not depend on where the cuts are.
    #[expect(
        clippy::new_ret_no_self,
        reason = "a namespace for two ways of cutting"
    )]
    pub(crate) fn new<'a>(
        full: Maps,
        channels: usize,
        epilogue: &Epilogue<'a>,
        y: &'a mut [f32],
        index: Option<&'a mut [u8]>,
    ) -> Vec<Band<'a>> {
        let threads = rayon::current_num_threads();
        let cuts = match full.batch {
            1 => threads,
            batch => (2 * threads).div_ceil(batch.max(1)),
        };
        let step = if epilogue.pool { 2 } else { 1 };
        let rows = (full.height / step).div_ceil(cuts).max(1) * step;
        Self::of_rows(rows, full, channels, epilogue, y, index)
    }

    /// Bands of `rows` rows of the convolution's output; the last of a picture may have fewer.
    /// With a pool, `rows` is even.
    pub(crate) fn of_rows<'a>(
        rows: usize,
        full: Maps,
        channels: usize,
        epilogue: &Epilogue<'a>,
        y: &'a mut [f32],
        index: Option<&'a mut [u8]>,
    ) -> Vec<Band<'a>> {
        let step = if epilogue.pool { 2 } else { 1 };
        let out = if epilogue.pool { full.pooled() } else { full };
        check_len("output", y.len(), out.positions() * channels);
        if let Some(bias) = epilogue.bias {
            check_len("bias", bias.len(), channels);
        }
        if let Some(residual) = epilogue.residual {
            check_len("residual", residual.len(), full.positions() * channels);
        }
        if let Some(index) = &index {
            assert!(
                epilogue.pool,
                "an index is written only where there is a pool"
            );
            check_len("index", index.len(), y.len());
        }
        let picture = out.height * out.width * channels;
        if picture == 0 || y.is_empty() {
            return Vec::new();
        }
        let row = rows / step * out.width * channels;
        let indices = parts_of(index, picture, full.batch);
        let pictures = y.chunks_mut(picture).zip(indices).enumerate();
        pictures
            .flat_map(|(picture, (y, index))| {
                let count = y.len().div_ceil(row);
                let indices = parts_of(index, row, count);
                let residual = epilogue.residual.map(|residual| {
                    &residual[picture * full.height * full.width * channels..]
                        [..full.height * full.width * channels]
                });
                y.chunks_mut(row)
                    .zip(indices)
                    .enumerate()
                    .map(move |(part, (y, index))| Band {
                        picture,
                        top: part * rows,
                        rows: y.len() / (out.width * channels) * step,
                        y,
                        index,
                        residual: residual
                            .map(|residual| &residual[part * rows * full.width * channels..]),
                    })
            })
            .collect()
    }
}
