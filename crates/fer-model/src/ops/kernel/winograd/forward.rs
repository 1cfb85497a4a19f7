//! The forward pass, which with turned weights is also the gradient of the input.

use rayon::prelude::*;

use super::transform::{input_patch, output_tile};
use super::{PATCH, PLANES, TILE, WinogradWeights, plane};
use crate::ops::kernel::convolution::{Band, Bands, Convolution, Epilogue, Maps, check_len};
use crate::ops::kernel::pool::largest;
use crate::ops::kernel::product::{Finish, Product, block_rows};
use crate::ops::kernel::scratch;
use crate::ops::kernel::simd::{Kernel, Simd};
use crate::ops::kernel::window::Window;

/// Tiles that one task transforms and multiplies at a time: few enough to stay in the second level
/// of cache, or, where the weights do not, enough rows to pay for reading them.
fn tiles_at_once(convolution: &Convolution) -> usize {
    let weights = convolution.in_channels * convolution.out_channels;
    (weights / 256).clamp(48, 96)
}

/// As [`forward`](crate::ops::kernel::convolution::forward).
pub(crate) fn forward(
    weights: &WinogradWeights,
    maps: Maps,
    x: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [f32],
    index: Option<&mut [u8]>,
) {
    let convolution = &weights.convolution;
    check_len("input", x.len(), maps.positions() * convolution.in_channels);
    let full = maps.after(convolution);
    let channels = convolution.out_channels;
    let mut bands = Bands::of_rows(TILE, full, channels, &epilogue, y, index);
    let columns = if epilogue.pool {
        full.width / 2 * 2
    } else {
        full.width
    };
    let tiles = columns.div_ceil(TILE);
    let share = bands.len().div_ceil(rayon::current_num_threads());
    let step = (tiles_at_once(convolution) / tiles.max(1))
        .min(share)
        .max(1);
    bands.par_chunks_mut(step).for_each(|bands| {
        let bands = Group {
            weights,
            maps,
            x,
            epilogue,
            width: full.width,
            columns,
            bands,
        };
        weights.engine.run(bands);
    });
}

/// Some rows of tiles.
struct Group<'a, 'b> {
    weights: &'a WinogradWeights,
    maps: Maps,
    x: &'a [f32],
    epilogue: Epilogue<'a>,
    /// Columns of the convolution's output, and how many of them are made.
    width: usize,
    columns: usize,
    bands: &'a mut [Band<'b>],
}

impl Kernel for Group<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Convolution {
            in_channels,
            out_channels,
            ..
        } = self.weights.convolution;
        let across = self.columns.div_ceil(TILE);
        let tiles = across * self.bands.len();
        let (in_plane, out_plane) = (plane(tiles * in_channels), plane(tiles * out_channels));
        let inputs = &mut *scratch::take(PLANES * in_plane);
        let sums = &mut *scratch::take(PLANES * out_plane);
        for (row, band) in self.bands.iter().enumerate() {
            for column in 0..across {
                let target = &mut inputs[(row * across + column) * in_channels..];
                self.read_patch(simd, band, column, target, in_plane);
            }
        }
        for number in 0..PLANES {
            self.multiply(
                simd,
                tiles,
                number,
                &inputs[number * in_plane..],
                &mut sums[number * out_plane..],
            );
        }
        for (row, band) in self.bands.iter_mut().enumerate() {
            for column in 0..across {
                let sums = &sums[(row * across + column) * out_channels..];
                let left = column * TILE;
                let tile = Tile {
                    epilogue: self.epilogue,
                    width: self.width,
                    left,
                    columns: TILE.min(self.columns - left),
                    channels: out_channels,
                };
                tile.write(simd, sums, out_plane, band);
            }
        }
    }
}

impl Group<'_, '_> {
    /// Transforms the inputs of one tile.
    #[inline(always)]
    fn read_patch<S: Simd>(
        &self,
        simd: S,
        band: &Band<'_>,
        column: usize,
        target: &mut [f32],
        plane: usize,
    ) {
        let channels = self.weights.convolution.in_channels;
        let shape = [self.maps.height, self.maps.width, channels];
        let image = shape.iter().product::<usize>();
        let x = &self.x[band.picture * image..][..image];
        let padding = self.weights.convolution.padding as isize;
        let window = Window {
            top: band.top as isize - padding,
            left: (column * TILE) as isize - padding,
            rows: PATCH,
            columns: PATCH,
        };
        with_patch(simd, window, x, shape, target, plane);
    }

    /// The products of one plane.
    #[inline(always)]
    fn multiply<S: Simd>(
        &self,
        simd: S,
        tiles: usize,
        number: usize,
        inputs: &[f32],
        sums: &mut [f32],
    ) {
        let Convolution {
            in_channels,
            out_channels,
            ..
        } = self.weights.convolution;
        let packed = self.weights.packed.as_slice();
        for block in &self.weights.blocks {
            let plane = in_channels * block.columns;
            let product = Product {
                segments: 1,
                depth: in_channels,
                a: inputs,
                a_row: in_channels,
                a_depth: 1,
                a_segment: 0,
                b: &packed[block.start * PLANES * in_channels + number * plane..][..plane],
                b_depth: block.columns,
                b_segment: 0,
            };
            let sums = &mut sums[block.start..];
            block_rows(
                simd,
                tiles,
                *block,
                product,
                Finish::default(),
                sums,
                out_channels,
            );
        }
    }
}

/// Transforms a patch that may reach beyond the maps.
#[inline(always)]
pub(super) fn with_patch<S: Simd>(
    simd: S,
    window: Window,
    x: &[f32],
    shape: [usize; 3],
    target: &mut [f32],
    plane: usize,
) {
    let [_, width, channels] = shape;
    if let Some(start) = window.inside(shape) {
        input_patch(simd, &x[start..], width * channels, channels, target, plane);
    } else {
        let patch = &mut *scratch::take(PLANES * channels);
        window.copy(x, shape, patch);
        input_patch(simd, patch, PATCH * channels, channels, target, plane);
    }
}

/// Where one tile of outputs goes.
struct Tile<'a> {
    epilogue: Epilogue<'a>,
    width: usize,
    left: usize,
    columns: usize,
    channels: usize,
}

impl Tile<'_> {
    /// Makes the outputs from the sums and writes them.
    #[inline(always)]
    fn write<S: Simd>(&self, simd: S, sums: &[f32], plane: usize, band: &mut Band<'_>) {
        for start in (0..self.channels).step_by(S::LANES) {
            let count = S::LANES.min(self.channels - start);
            let mut tile = output_tile(simd, sums, plane, start, count);
            if let Some(bias) = self.epilogue.bias {
                let bias = simd.read(&bias[start..start + count]);
                for number in tile.as_flattened_mut() {
                    *number = simd.add(*number, bias);
                }
            }
            for (row, tile) in tile.iter_mut().enumerate().take(band.rows) {
                if let Some(residual) = band.residual {
                    for (column, number) in tile.iter_mut().enumerate().take(self.columns) {
                        let at = (row * self.width + self.left + column) * self.channels + start;
                        *number = simd.add(*number, simd.read(&residual[at..at + count]));
                    }
                }
            }
            if self.epilogue.pool {
                self.write_pooled(simd, tile, [start, count], band);
            } else {
                self.write_plain(simd, tile, [start, count], band);
            }
        }
    }

    #[inline(always)]
    fn write_plain<S: Simd>(
        &self,
        simd: S,
        tile: [[S::Vector; TILE]; TILE],
        [start, count]: [usize; 2],
        band: &mut Band<'_>,
    ) {
        for (row, tile) in tile.into_iter().enumerate().take(band.rows) {
            for (column, number) in tile.into_iter().enumerate().take(self.columns) {
                let at = (row * self.width + self.left + column) * self.channels + start;
                let number = if self.epilogue.relu {
                    simd.relu(number)
                } else {
                    number
                };
                simd.write(&mut band.y[at..at + count], number);
            }
        }
    }

    #[inline(always)]
    fn write_pooled<S: Simd>(
        &self,
        simd: S,
        tile: [[S::Vector; TILE]; TILE],
        [start, count]: [usize; 2],
        band: &mut Band<'_>,
    ) {
        for row in 0..band.rows / 2 {
            for column in 0..self.columns / 2 {
                let (top, left) = (2 * row, 2 * column);
                let window = [
                    tile[top][left],
                    tile[top][left + 1],
                    tile[top + 1][left],
                    tile[top + 1][left + 1],
                ];
                let (best, place) = largest(simd, window, self.epilogue.relu);
                let at = (row * (self.width / 2) + self.left / 2 + column) * self.channels + start;
                simd.write(&mut band.y[at..at + count], best);
                if let Some(index) = &mut band.index {
                    simd.write_bytes(place, &mut index[at..at + count]);
                }
            }
        }
    }
}
