//! The kernels of the CPU engine: flat `f32` slices in, flat slices out.
//!
//! Activations are laid out (picture, row, column, channel), weights as PyTorch has them (out, in,
//! kernel row, kernel column). Every function works for every shape; a buffer whose length does
//! not fit its shape is a panic that names both lengths. Work is shared among the threads of the
//! current rayon pool, and sums over a batch are cut into parts by its shape alone, so results are
//! the same bits for any number of threads.
//!
//! This folder is the only place with `unsafe`. It is confined to the vector types in `simd`,
//! whose existence proves that the CPU has the instructions, and to loads whose bounds the same
//! function has checked.
#![expect(
    unsafe_code,
    reason = "vector instructions and loads without bounds checks"
)]

mod engine;
mod packing;
mod product;
#[cfg(test)]
mod reference;
mod scratch;
mod simd;
mod window;
pub mod winograd;

pub mod activation;
pub mod adam;
pub mod convolution;
pub mod dense;
pub mod depthwise;
pub mod dropout;
pub mod gate;
pub mod layout;
pub mod mean;
pub mod norm;
pub mod pool;
pub mod sgd;
pub mod softmax;

pub use engine::{Engine, UnknownEngine};
