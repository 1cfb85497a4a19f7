//! The gradient of a convolution for its input, tile by tile without a transform.
//!
//! The input positions fall into `stride * stride` classes by their remainders modulo the stride.
//! In each class the gradient is a convolution of stride 1 of the output's gradient with those
//! kernel taps, reversed, that reach the class; no product with a known zero is made.

use rayon::prelude::*;

use super::{Convolution, Maps, check_len};
use crate::ops::kernel::Engine;
use crate::ops::kernel::packing::{Source, pack};
use crate::ops::kernel::product::{Finish, Product, multiply_packed};
use crate::ops::kernel::scratch::{self, Aligned};
use crate::ops::kernel::simd::{Kernel, Simd};
use crate::ops::kernel::window::Window;

/// Weights packed for [`input_gradient`].
#[derive(Clone)]
pub(crate) struct DirectBackwardWeights {
    engine: Engine,
    pub(crate) convolution: Convolution,
    /// One for every class, by the remainder of the row and then of the column.
    classes: Vec<Aligned>,
}

impl Convolution {
    /// How many taps of one kernel axis reach the positions of remainder `class`.
    fn taps_of(&self, class: usize) -> usize {
        self.kernel.saturating_sub(class).div_ceil(self.stride)
    }

    /// The first input position of remainder `class` along one axis, and the output position (as
    /// counted from the last tap) that it starts from.
    fn first_of(&self, class: usize) -> (usize, usize) {
        let (stride, padding) = (self.stride, self.padding);
        let position = (class + stride - padding % stride) % stride;
        (position, (position + padding - class) / stride)
    }
}

impl DirectBackwardWeights {
    pub(crate) fn new(engine: Engine, convolution: Convolution) -> Self {
        let Convolution {
            in_channels,
            out_channels,
            stride,
            ..
        } = convolution;
        let classes = (0..stride * stride).map(|class| {
            let [rows, columns] =
                [class / stride, class % stride].map(|class| convolution.taps_of(class));
            Aligned::zeros(rows * columns * out_channels * in_channels)
        });
        Self {
            engine,
            convolution,
            classes: classes.collect(),
        }
    }

    /// Packs `weights`, laid out (out, in, kernel row, kernel column).
    pub(crate) fn pack(&mut self, weights: &[f32]) {
        let convolution = self.convolution;
        let (kernel, stride) = (convolution.kernel, convolution.stride);
        for (class, packed) in self.classes.iter_mut().enumerate() {
            let (row, column) = (class / stride, class % stride);
            let [rows, columns] = [row, column].map(|class| convolution.taps_of(class));
            let taps = (0..rows * columns).map(|tap| {
                let kernel_row = row + stride * (rows - 1 - tap / columns);
                kernel_row * kernel + column + stride * (columns - 1 - tap % columns)
            });
            let source = Source {
                weights,
                taps: &Vec::from_iter(taps),
                channels: convolution.out_channels,
                channel_step: convolution.depth(),
                columns: convolution.in_channels,
                column_step: kernel.pow(2),
            };
            pack(self.engine, source, packed.as_mut_slice());
        }
    }
}

/// As [`input_gradient`](super::input_gradient()).
pub(crate) fn input_gradient(
    weights: &DirectBackwardWeights,
    maps: Maps,
    gradient: &[f32],
    dx: &mut [f32],
) {
    let convolution = &weights.convolution;
    let out = maps.after(convolution);
    check_len(
        "gradient",
        gradient.len(),
        out.positions() * convolution.out_channels,
    );
    check_len(
        "input gradient",
        dx.len(),
        maps.positions() * convolution.in_channels,
    );
    if gradient.is_empty() {
        return dx.fill(0.0);
    }
    let (maps, out) = if convolution.is_pointwise() {
        (maps.in_a_row(), out.in_a_row())
    } else {
        (maps, out)
    };
    let image = maps.height * maps.width * convolution.in_channels;
    let picture = out.height * out.width * convolution.out_channels;
    dx.par_chunks_mut(image)
        .zip(gradient.par_chunks(picture))
        .for_each(|(dx, gradient)| {
            weights.engine.run(Picture {
                weights,
                maps,
                gradient,
                dx,
            });
        });
}

struct Picture<'a> {
    weights: &'a DirectBackwardWeights,
    maps: Maps,
    gradient: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for Picture<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let convolution = &self.weights.convolution;
        let out = self.maps.after(convolution);
        let border = convolution.taps_of(0) - 1;
        let reach =
            |side: usize| border + (side - 1 + convolution.padding) / convolution.stride + 1;
        let window = Window {
            top: -(border as isize),
            left: -(border as isize),
            rows: reach(self.maps.height),
            columns: reach(self.maps.width),
        };
        let shape = [out.height, out.width, convolution.out_channels];
        let step = window.columns * convolution.out_channels;
        if convolution.kernel < convolution.stride {
            self.dx.fill(0.0);
        }
        if convolution.kernel == 1 {
            // The window is the gradient as it lies there.
            let gradient = self.gradient;
            return self.class(simd, 0, gradient, step, border);
        }
        let padded = &mut *scratch::take(window.rows * step);
        window.copy(self.gradient, shape, padded);
        for class in 0..convolution.stride.pow(2) {
            self.class(simd, class, padded, step, border);
        }
    }
}

impl Picture<'_> {
    /// The positions of one class; `padded` has `border` zeros above and to the left of the
    /// gradient, and rows of `step` numbers.
    #[inline(always)]
    fn class<S: Simd>(
        &mut self,
        simd: S,
        class: usize,
        padded: &[f32],
        step: usize,
        border: usize,
    ) {
        let convolution = &self.weights.convolution;
        let (stride, channels) = (convolution.stride, convolution.in_channels);
        let (row, column) = (class / stride, class % stride);
        let [taps_down, taps_across] = [row, column].map(|class| convolution.taps_of(class));
        let ((top, from_row), (left, from_column)) =
            (convolution.first_of(row), convolution.first_of(column));
        let count = self.maps.width.saturating_sub(left).div_ceil(stride);
        if count * taps_down * taps_across == 0 {
            return;
        }
        for (number, y) in (top..self.maps.height).step_by(stride).enumerate() {
            let dx = &mut self.dx[(y * self.maps.width + left) * channels..];
            let start = (from_row + number + border + 1 - taps_down) * step
                + (from_column + border + 1 - taps_across) * convolution.out_channels;
            let product = Product {
                segments: taps_down,
                depth: taps_across * convolution.out_channels,
                a: &padded[start..],
                a_row: convolution.out_channels,
                a_depth: 1,
                a_segment: step,
                b: self.weights.classes[class].as_slice(),
                b_depth: 0,
                b_segment: 0,
            };
            multiply_packed(
                simd,
                [count, channels],
                product,
                Finish::default(),
                dx,
                stride * channels,
            );
        }
    }
}
