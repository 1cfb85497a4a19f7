//! The forward pass, tile by tile without a transform.

use rayon::prelude::*;

use super::bands::{Band, Bands};
use super::shallow::{self, Windows};
use super::{Convolution, Epilogue, Maps, check_len};
use crate::ops::kernel::Engine;
use crate::ops::kernel::packing::{Source, pack};
use crate::ops::kernel::pool::pool_rows;
use crate::ops::kernel::product::{Finish, Product, multiply_packed};
use crate::ops::kernel::scratch::{self, Aligned};
use crate::ops::kernel::simd::{Kernel, Simd};
use crate::ops::kernel::window::Window;

/// Numbers of input that are copied at a time into a padded band: 64 KiB stay in the second level
/// of cache together with the weights.
const BAND: usize = 16 * 1024;

/// Weights packed for [`forward`].
#[derive(Clone)]
pub(crate) struct DirectWeights {
    pub(crate) engine: Engine,
    pub(crate) convolution: Convolution,
    pub(crate) packed: Aligned,
}

impl DirectWeights {
    pub(crate) fn new(engine: Engine, convolution: Convolution) -> Self {
        Self {
            engine,
            convolution,
            packed: Aligned::zeros(convolution.weights()),
        }
    }

    /// Packs `weights`, laid out (out, in, kernel row, kernel column).
    pub(crate) fn pack(&mut self, weights: &[f32]) {
        let taps = self.convolution.kernel.pow(2);
        let source = Source {
            weights,
            taps: &Vec::from_iter(0..taps),
            channels: self.convolution.in_channels,
            channel_step: taps,
            columns: self.convolution.out_channels,
            column_step: self.convolution.depth(),
        };
        pack(self.engine, source, self.packed.as_mut_slice());
    }
}

/// As [`forward`](super::forward).
pub(crate) fn forward(
    weights: &DirectWeights,
    maps: Maps,
    x: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [f32],
    index: Option<&mut [u8]>,
) {
    let convolution = &weights.convolution;
    let full = maps.after(convolution);
    let bands = Bands::new(full, convolution.out_channels, &epilogue, y, index);
    check_len("input", x.len(), maps.positions() * convolution.in_channels);
    let image = maps.height * maps.width * convolution.in_channels;
    bands.into_par_iter().for_each(|band| {
        let x = &x[band.picture * image..][..image];
        weights.engine.run(Direct {
            weights,
            maps,
            x,
            bias: epilogue.bias,
            relu: epilogue.relu,
            pool: epilogue.pool,
            band,
        });
    });
}

struct Direct<'a> {
    weights: &'a DirectWeights,
    maps: Maps,
    x: &'a [f32],
    bias: Option<&'a [f32]>,
    relu: bool,
    pool: bool,
    band: Band<'a>,
}

impl Kernel for Direct<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let convolution = self.weights.convolution;
        let width = convolution.output_side(self.maps.width);
        let window_columns = self.maps.width + 2 * convolution.padding;
        let step = window_columns * convolution.in_channels;
        let mut rows = (BAND / step / convolution.stride)
            .max(1)
            .next_multiple_of(2);
        if convolution.padding == 0 {
            rows = self.band.rows;
        }
        let mut done = 0;
        while done < self.band.rows {
            let rows = rows.min(self.band.rows - done);
            let top = (self.band.top + done) * convolution.stride;
            let window = Window {
                top: top as isize - convolution.padding as isize,
                left: -(convolution.padding as isize),
                rows: (rows - 1) * convolution.stride + convolution.kernel,
                columns: window_columns,
            };
            if convolution.padding == 0 {
                let x = &self.x[top * step..];
                self.rows(simd, x, step, done, [rows, width]);
            } else {
                let shape = [self.maps.height, self.maps.width, convolution.in_channels];
                let padded = &mut *scratch::take(window.rows * step);
                window.copy(self.x, shape, padded);
                self.rows(simd, padded, step, done, [rows, width]);
            }
            done += rows;
        }
    }
}

impl<'a> Direct<'a> {
    /// `rows` output rows from `done` on; `x` starts at the first input row that they read.
    #[inline(always)]
    fn rows<S: Simd>(
        &mut self,
        simd: S,
        x: &[f32],
        step: usize,
        done: usize,
        [rows, width]: [usize; 2],
    ) {
        let convolution = self.weights.convolution;
        let channels = convolution.out_channels;
        let line = width * channels;
        if !self.pool
            && convolution.kernel == 1
            && convolution.stride == 1
            && step == width * convolution.in_channels
        {
            let finish = self.finish(done * line, channels, self.relu);
            let y = &mut self.band.y[done * line..];
            return self
                .weights
                .positions(simd, x, step, rows * width, finish, y);
        }
        if !self.pool {
            for row in 0..rows {
                let finish = self.finish((done + row) * line, channels, self.relu);
                let y = &mut self.band.y[(done + row) * line..];
                let x = &x[row * convolution.stride * step..];
                self.weights.positions(simd, x, step, width, finish, y);
            }
            return;
        }
        let columns = width / 2;
        let pooled = columns * channels;
        if convolution.depth() <= shallow::MOST && self.band.residual.is_none() {
            return self.shallow_rows(simd, x, step, done, [rows, columns]);
        }
        let pair = &mut *scratch::take(2 * 2 * pooled);
        for row in (0..rows).step_by(2) {
            for half in 0..2 {
                let finish = self.finish((done + row + half) * line, channels, false);
                let x = &x[(row + half) * convolution.stride * step..];
                let y = &mut pair[half * 2 * pooled..];
                self.weights
                    .positions(simd, x, step, 2 * columns, finish, y);
            }
            let at = (done + row) / 2 * pooled;
            let y = &mut self.band.y[at..at + pooled];
            let index = self
                .band
                .index
                .as_mut()
                .map(|index| &mut index[at..at + pooled]);
            let (top, bottom) = pair.split_at(2 * pooled);
            pool_rows(simd, [top, bottom], channels, self.relu, y, index);
        }
    }

    /// As [`rows`](Self::rows), with a pool, of a convolution of few products.
    #[inline(always)]
    fn shallow_rows<S: Simd>(
        &mut self,
        simd: S,
        x: &[f32],
        step: usize,
        done: usize,
        [rows, columns]: [usize; 2],
    ) {
        let convolution = self.weights.convolution;
        let channels = convolution.out_channels;
        let windows = Windows {
            x,
            step,
            outputs: [step, convolution.in_channels].map(|number| convolution.stride * number),
            count: [rows / 2, columns],
            kernel: convolution.kernel,
            run: convolution.kernel * convolution.in_channels,
        };
        let here = done / 2 * columns * channels..(done + rows) / 2 * columns * channels;
        let (packed, y) = (
            self.weights.packed.as_slice(),
            &mut self.band.y[here.clone()],
        );
        let index = self.band.index.as_mut().map(|index| &mut index[here]);
        shallow::forward(
            simd, windows, packed, self.bias, self.relu, channels, y, index,
        );
    }

    #[inline(always)]
    fn finish(&self, at: usize, channels: usize, relu: bool) -> Finish<'a> {
        Finish {
            bias: self.bias,
            residual: self
                .band
                .residual
                .map(|residual| (&residual[at..], channels)),
            accumulate: false,
            relu,
        }
    }
}

impl DirectWeights {
    /// `count` neighbouring outputs of one row, from the input position `x` on; `step` is the
    /// length of an input row.
    #[inline(always)]
    fn positions<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        step: usize,
        count: usize,
        finish: Finish<'_>,
        y: &mut [f32],
    ) {
        let convolution = &self.convolution;
        let product = Product {
            segments: convolution.kernel,
            depth: convolution.kernel * convolution.in_channels,
            a: x,
            a_row: convolution.stride * convolution.in_channels,
            a_depth: 1,
            a_segment: step,
            b: self.packed.as_slice(),
            b_depth: 0,
            b_segment: 0,
        };
        let channels = convolution.out_channels;
        multiply_packed(simd, [count, channels], product, finish, y, channels);
    }
}
