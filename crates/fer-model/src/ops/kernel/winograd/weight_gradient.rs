//! The gradient of the weights.

use rayon::prelude::*;

use super::forward::with_patch;
use super::transform::gradient_tile;
use super::weights::gather;
use super::{PATCH, PLANES, TILE, plane};
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{Convolution, Maps, check_len, unpack};
use crate::ops::kernel::product::{Finish, Product, block_rows, blocks};
use crate::ops::kernel::scratch;
use crate::ops::kernel::simd::{Kernel, Simd};
use crate::ops::kernel::window::Window;

/// Tiles that are transformed together and lie side by side as the depth of a product.
const TILES: usize = 48;

/// Transformed numbers that wait at a time for their product: 6 MiB, or more where the products
/// would be too thin to pay for reading and writing their sums.
const ROOM: usize = 3 << 19;
const DEPTH: usize = 192;

/// As [`weight_gradient`](crate::ops::kernel::convolution::weight_gradient).
///
/// In turn, groups of tiles are transformed by all threads and the 36 products of all of them are
/// added, each by one thread in the order of the tiles. The groups depend on shapes alone.
pub(crate) fn weight_gradient(
    engine: Engine,
    convolution: &Convolution,
    maps: Maps,
    x: &[f32],
    gradient: &[f32],
    dw: &mut [f32],
) {
    let out = maps.after(convolution);
    let Convolution {
        in_channels,
        out_channels,
        ..
    } = *convolution;
    check_len("input", x.len(), maps.positions() * in_channels);
    check_len("gradient", gradient.len(), out.positions() * out_channels);
    check_len("weight gradient", dw.len(), convolution.weights());
    let layer = Layer {
        convolution,
        maps,
        out,
        x,
        gradient,
    };
    let bands = out.batch * out.height.div_ceil(TILE);
    let per_group = (TILES / layer.across().max(1)).max(1);
    let room = PLANES * layer.planes(per_group).iter().sum::<usize>();
    let tiles = per_group * layer.across().max(1);
    let groups_at_once = (ROOM / room.max(1))
        .max(DEPTH.div_ceil(tiles))
        .min(bands.div_ceil(per_group));
    let sums = &mut *scratch::take(PLANES * in_channels * out_channels);
    if gradient.is_empty() {
        return dw.fill(0.0);
    }
    let transformed = &mut *scratch::take(groups_at_once * room);
    let step = groups_at_once * per_group;
    for first in (0..bands).step_by(step) {
        let last = bands.min(first + step);
        let groups: Vec<_> = (first..last)
            .step_by(per_group)
            .map(|start| [start, last.min(start + per_group)])
            .collect();
        transformed
            .par_chunks_mut(room)
            .zip(&groups)
            .for_each(|(target, bands)| {
                engine.run(Transform {
                    layer,
                    bands: *bands,
                    target,
                });
            });
        let planes = sums.par_chunks_mut(in_channels * out_channels).enumerate();
        planes.for_each(|(number, sums)| {
            engine.run(Multiply {
                layer,
                groups: &groups,
                transformed,
                room,
                number,
                sums,
                fresh: first == 0,
            });
        });
    }
    let taps = &mut *scratch::take(dw.len());
    gather(engine, convolution, sums, taps);
    unpack(engine, convolution, taps, dw);
}

/// The operands.
#[derive(Clone, Copy)]
struct Layer<'a> {
    convolution: &'a Convolution,
    maps: Maps,
    out: Maps,
    x: &'a [f32],
    gradient: &'a [f32],
}

impl Layer<'_> {
    /// Tiles in a row.
    fn across(&self) -> usize {
        self.out.width.div_ceil(TILE)
    }

    /// Lengths of a plane of inputs and of one of gradients for some rows of tiles.
    fn planes(&self, bands: usize) -> [usize; 2] {
        let tiles = bands * self.across();
        [self.convolution.in_channels, self.convolution.out_channels]
            .map(|channels| plane(tiles * channels))
    }
}

/// Transforms rows of tiles: first the planes of the inputs, then those of the gradients.
struct Transform<'a> {
    layer: Layer<'a>,
    bands: [usize; 2],
    target: &'a mut [f32],
}

impl Kernel for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Layer {
            convolution,
            maps,
            out,
            ..
        } = self.layer;
        let [first, last] = self.bands;
        let [in_plane, out_plane] = self.layer.planes(last - first);
        let (inputs, gradients) = self.target.split_at_mut(PLANES * in_plane);
        let across = self.layer.across();
        let down = out.height.div_ceil(TILE);
        let padding = convolution.padding as isize;
        let shape = [maps.height, maps.width, convolution.in_channels];
        let image = shape.iter().product::<usize>();
        let out_shape = [out.height, out.width, convolution.out_channels];
        let picture = out_shape.iter().product::<usize>();
        for band in first..last {
            let x = &self.layer.x[band / down * image..][..image];
            let gradient = &self.layer.gradient[band / down * picture..][..picture];
            for column in 0..across {
                let tile = (band - first) * across + column;
                let (top, left) = ((band % down * TILE) as isize, (column * TILE) as isize);
                let window = Window {
                    top: top - padding,
                    left: left - padding,
                    rows: PATCH,
                    columns: PATCH,
                };
                let target = &mut inputs[tile * convolution.in_channels..];
                with_patch(simd, window, x, shape, target, in_plane);
                let window = Window {
                    top,
                    left,
                    rows: TILE,
                    columns: TILE,
                };
                let target = &mut gradients[tile * convolution.out_channels..];
                with_tile(simd, window, gradient, out_shape, target, out_plane);
            }
        }
    }
}

/// Transforms a tile of gradients that may reach beyond the maps.
#[inline(always)]
fn with_tile<S: Simd>(
    simd: S,
    window: Window,
    gradient: &[f32],
    shape: [usize; 3],
    target: &mut [f32],
    plane: usize,
) {
    let [_, width, channels] = shape;
    if let Some(start) = window.inside(shape) {
        gradient_tile(
            simd,
            &gradient[start..],
            width * channels,
            channels,
            target,
            plane,
        );
    } else {
        let tile = &mut *scratch::take(TILE * TILE * channels);
        window.copy(gradient, shape, tile);
        gradient_tile(simd, tile, TILE * channels, channels, target, plane);
    }
}

/// Adds the products of one plane over all the groups.
struct Multiply<'a> {
    layer: Layer<'a>,
    groups: &'a [[usize; 2]],
    transformed: &'a [f32],
    room: usize,
    number: usize,
    sums: &'a mut [f32],
    /// Whether the sums start here.
    fresh: bool,
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Convolution {
            in_channels,
            out_channels,
            ..
        } = *self.layer.convolution;
        let bands_of = |group: &[usize; 2]| group[1] - group[0];
        let mut done = 0;
        while done < self.groups.len() {
            // Groups of one size lie evenly apart and are one product; only the last may differ.
            let bands = bands_of(&self.groups[done]);
            let alike = self.groups[done..]
                .iter()
                .take_while(|group| bands_of(group) == bands);
            let count = alike.count();
            let [in_plane, out_plane] = self.layer.planes(bands);
            let inputs = &self.transformed[done * self.room..];
            let gradients = &inputs[PLANES * in_plane..];
            let finish = Finish {
                accumulate: !self.fresh || done > 0,
                ..Finish::default()
            };
            for block in blocks::<S>(out_channels) {
                let product = Product {
                    segments: count,
                    depth: bands * self.layer.across(),
                    a: &inputs[self.number * in_plane..],
                    a_row: 1,
                    a_depth: in_channels,
                    a_segment: self.room,
                    b: &gradients[self.number * out_plane + block.start..],
                    b_depth: out_channels,
                    b_segment: self.room,
                };
                let sums = &mut self.sums[block.start * in_channels..];
                block_rows(
                    simd,
                    in_channels,
                    block,
                    product,
                    finish,
                    sums,
                    block.columns,
                );
            }
            done += count;
        }
    }
}
