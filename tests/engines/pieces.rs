//! Random networks.

use candle_core::Result;
use fer_model::ops::{ConvolutionSettings, DepthwiseSettings, Engine};
use fer_model::{Parameters, ResidualSettings, Sequential, Shape, Stack};
use proptest::prelude::*;

/// One block of a random network.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    Convolution {
        outputs: usize,
        kernel: usize,
        stride: usize,
        norm: bool,
        pool: bool,
    },
    Depthwise {
        stride: usize,
        norm: bool,
    },
    Residual {
        outputs: usize,
        stride: usize,
        depthwise: bool,
        pool: bool,
        squeeze: usize,
    },
}

pub(super) fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let outputs = prop_oneof![1..12usize, Just(16usize), Just(32), Just(33)];
    let convolution = (
        outputs.clone(),
        prop_oneof![Just(1usize), Just(3)],
        1..3usize,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(outputs, kernel, stride, norm, pool)| Piece::Convolution {
            outputs,
            kernel,
            stride,
            norm,
            pool,
        });
    let depthwise =
        (1..3usize, any::<bool>()).prop_map(|(stride, norm)| Piece::Depthwise { stride, norm });
    let residual = (outputs, 1..3usize, any::<bool>(), any::<bool>(), 0..4usize).prop_map(
        |(outputs, stride, depthwise, pool, squeeze)| Piece::Residual {
            outputs,
            stride,
            depthwise,
            pool,
            squeeze,
        },
    );
    proptest::collection::vec(prop_oneof![convolution, depthwise, residual], 1..5)
}

fn add<'a>(stack: Stack<'a>, name: &str, piece: Piece) -> Result<Stack<'a>> {
    let Shape::Maps {
        channels,
        height,
        width,
    } = stack.shape()
    else {
        panic!("pieces go over maps");
    };
    let room = height.min(width) >= 4;
    match piece {
        Piece::Convolution {
            outputs,
            kernel,
            stride,
            norm,
            pool,
        } => {
            let settings = ConvolutionSettings {
                kernel,
                stride,
                padding: kernel / 2,
                norm,
                pool: pool && room,
                ..ConvolutionSettings::normalised(channels, outputs)
            };
            stack.convolution(name, settings)
        }
        Piece::Depthwise { stride, norm } => {
            let settings = DepthwiseSettings {
                norm,
                ..DepthwiseSettings::normalised(channels, stride)
            };
            stack.depthwise(name, settings)
        }
        Piece::Residual {
            outputs,
            stride,
            depthwise,
            pool,
            squeeze,
        } => stack.residual_with(name, ResidualSettings { squeeze }, |body| {
            let first = ConvolutionSettings {
                stride,
                ..ConvolutionSettings::normalised(channels, outputs)
            };
            let body = body.convolution("conv1", first)?;
            let body = if depthwise {
                body.depthwise("depthwise", DepthwiseSettings::normalised(outputs, 1))?
            } else {
                body
            };
            let last = ConvolutionSettings {
                pool: pool && room,
                ..ConvolutionSettings::normalised(outputs, outputs)
            };
            body.convolution("conv2", last)
        }),
    }
}

pub(super) fn network(
    input: [usize; 3],
    pieces: &[Piece],
    flat: bool,
    engine: Engine,
    parameters: &Parameters,
) -> Result<Sequential> {
    let mut stack = Stack::new(input, engine, parameters.builder());
    for (place, piece) in pieces.iter().enumerate() {
        stack = add(stack, &format!("block{place}"), *piece)?;
    }
    let stack = if flat {
        stack.flatten()?
    } else {
        stack.global_mean()?
    };
    stack
        .dense("hidden", 9, true)?
        .dropout("dropout", 0.3)?
        .dense("head", 5, false)?
        .finish()
}
