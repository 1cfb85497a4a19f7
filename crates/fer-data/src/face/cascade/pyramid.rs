use std::borrow::Cow;

use image::GrayImage;
use rayon::prelude::*;

use crate::face::cascade::WINDOW;
use crate::face::cascade::sampling::{Between, places};

/// From each size of the picture to the next smaller one.
const STEP: f32 = 0.8;

/// The scales that the picture is looked at in: from 1 down to where the window fills its shorter side.
pub(super) fn scales((width, height): (u32, u32)) -> Vec<f32> {
    let least = WINDOW as f32 / width.min(height) as f32;
    let smaller = |scale: &f32| Some(scale * STEP);
    let scales = std::iter::successors(Some(1.0), smaller);
    scales.take_while(|scale| *scale >= least).collect()
}

/// The picture at one of the scales.
pub(super) fn scaled(grey: &GrayImage, scale: f32) -> Cow<'_, GrayImage> {
    let length = |length: u32| (length as f32 * scale) as u32;
    let size = (length(grey.width()), length(grey.height()));
    if size == grey.dimensions() || size.0 == 0 || size.1 == 0 {
        return Cow::Borrowed(grey);
    }
    let columns = places(grey.width(), size.0);
    let rows = places(grey.height(), size.1);
    let mut pixels = vec![0; size.0 as usize * size.1 as usize];
    let lines = pixels.par_chunks_mut(size.0 as usize).zip(&rows);
    lines.for_each(|(line, row)| resample_row(grey, &columns, row, line));
    let image = GrayImage::from_raw(size.0, size.1, pixels);
    Cow::Owned(image.unwrap_or_default())
}

fn resample_row(grey: &GrayImage, columns: &[Between], row: &Between, line: &mut [u8]) {
    let width = grey.width() as usize;
    let upper = &grey.as_raw()[row.before * width..][..width];
    let lower = &grey.as_raw()[(row.before + 1) * width..][..width];
    for (pixel, column) in line.iter_mut().zip(columns) {
        let of = |line: &[u8]| [line[column.before], line[column.before + 1]];
        *pixel = column.mixed(row, of(upper), of(lower));
    }
}
