//! From blocks to operators.

use candle_core::{Result, Tensor};

use super::OnnxDescription;
use super::graph::Graph;
use super::message::{AttributeProto, FLOAT, GraphProto, UINT8, ValueInfoProto};
use super::views;
use crate::arch::{Block, Residual, Sequential};
use crate::ops::values::values;
use crate::ops::{Affine, ConvolutionBlock, Dense, DepthwiseBlock, SqueezeBlock};

const PICTURES: &str = "pictures";
const LOGITS: &str = "logits";
const PROBABILITIES: &str = "probabilities";

/// What grey values are divided by.
const WHITE: f32 = 255.0;

/// The graph of a network, from grey values to logits and probabilities.
pub(super) fn graph(network: &Sequential, description: &OnnxDescription) -> Result<GraphProto> {
    let mut graph = Graph::default();
    graph.reserve(&[PICTURES, LOGITS, PROBABILITIES]);
    let scaled = scale(&mut graph);
    let shown = views::shown(&mut graph, &scaled, network.input, description.views);
    let answers = blocks(&mut graph, &network.blocks, shown)?;
    let last = views::mean(&mut graph, &answers, network.outputs, description.views);
    graph.rename(&last, LOGITS);
    let probabilities = soften(&mut graph, description.temperature as f32);
    graph.rename(&probabilities, PROBABILITIES);
    let outputs = [network.outputs];
    Ok(GraphProto {
        node: graph.nodes,
        name: description.name.clone(),
        initializer: graph.tensors,
        input: vec![ValueInfoProto::batch(
            PICTURES,
            UINT8,
            &network.input,
            "grey values from 0 (black) to 255 (white), not divided",
        )],
        output: vec![
            ValueInfoProto::batch(
                LOGITS,
                FLOAT,
                &outputs,
                "one a class, before the temperature",
            ),
            ValueInfoProto::batch(
                PROBABILITIES,
                FLOAT,
                &outputs,
                "one a class, with the sum 1",
            ),
        ],
    })
}

/// Grey values as numbers from 0 to 1.
fn scale(graph: &mut Graph) -> String {
    let layer = "preprocessing";
    let to_float = vec![AttributeProto::int("to", i64::from(FLOAT))];
    let grey = graph.operator(layer, "Cast", &[PICTURES], to_float);
    let white = graph.tensor("preprocessing.white", &[], &[WHITE]);
    graph.operator(layer, "Div", &[&grey, &white], vec![])
}

/// The softmax of the logits over the temperature.
fn soften(graph: &mut Graph, temperature: f32) -> String {
    let layer = "calibration";
    let divisor = graph.tensor("calibration.temperature", &[], &[temperature]);
    let softened = graph.operator(layer, "Div", &[LOGITS, &divisor], vec![]);
    graph.operator(
        layer,
        "Softmax",
        &[&softened],
        vec![AttributeProto::int("axis", 1)],
    )
}

fn blocks(graph: &mut Graph, blocks: &[Block], mut flow: String) -> Result<String> {
    for block in blocks {
        flow = match block {
            Block::Convolution(block) => {
                let flow = convolution(graph, block, &flow)?;
                finish(graph, block, flow)
            }
            Block::Depthwise(block) => depthwise(graph, block, &flow)?,
            Block::Residual(block) => residual(graph, block, &flow)?,
            Block::GlobalMean => mean(graph, &flow),
            Block::Flatten => flatten(graph, "flatten", &flow),
            Block::Dense(block) => dense(graph, block, &flow)?,
            // Dropout does nothing to a prediction.
            Block::Dropout { .. } => flow,
        };
    }
    Ok(flow)
}

/// The convolution alone, with what normalises it folded in.
fn convolution(graph: &mut Graph, block: &ConvolutionBlock, flow: &str) -> Result<String> {
    let settings = block.settings();
    let tensors = folded(graph, block.name(), block.weight(), block.affine())?;
    let attributes = window(settings.kernel, settings.stride, settings.padding);
    Ok(convolve(graph, block.name(), flow, tensors, attributes))
}

fn depthwise(graph: &mut Graph, block: &DepthwiseBlock, flow: &str) -> Result<String> {
    let settings = block.settings();
    let tensors = folded(graph, block.name(), block.weight(), block.affine())?;
    let mut attributes = window(3, settings.stride, settings.padding);
    attributes.push(AttributeProto::int("group", settings.channels as i64));
    let flow = convolve(graph, block.name(), flow, tensors, attributes);
    Ok(rectified(graph, block.name(), flow, settings.relu))
}

/// Adds a weight and a bias, a normalisation folded into them; their names.
fn folded(graph: &mut Graph, name: &str, weight: &Tensor, affine: &Affine) -> Result<[String; 2]> {
    let (weights, bias) = affine.fold(weight)?;
    Ok([
        graph.tensor(&format!("{name}.weight"), weight.dims(), &weights),
        graph.tensor(&format!("{name}.bias"), &[bias.len()], &bias),
    ])
}

fn convolve(
    graph: &mut Graph,
    name: &str,
    flow: &str,
    [weight, bias]: [String; 2],
    attributes: Vec<AttributeProto>,
) -> String {
    graph.operator(name, "Conv", &[flow, &weight, &bias], attributes)
}

fn window(kernel: usize, stride: usize, padding: usize) -> Vec<AttributeProto> {
    let [kernel, stride, padding] = [kernel, stride, padding].map(|side| side as i64);
    vec![
        AttributeProto::ints("kernel_shape", &[kernel; 2]),
        AttributeProto::ints("strides", &[stride; 2]),
        AttributeProto::ints("pads", &[padding; 4]),
    ]
}

/// The ReLU and the pool of a convolution.
fn finish(graph: &mut Graph, block: &ConvolutionBlock, flow: String) -> String {
    let settings = block.settings();
    let flow = rectified(graph, block.name(), flow, settings.relu);
    match settings.pool {
        true => graph.operator(block.name(), "MaxPool", &[&flow], window(2, 2, 0)),
        false => flow,
    }
}

fn rectified(graph: &mut Graph, name: &str, flow: String, relu: bool) -> String {
    match relu {
        true => graph.operator(name, "Relu", &[&flow], vec![]),
        false => flow,
    }
}

fn residual(graph: &mut Graph, block: &Residual, input: &str) -> Result<String> {
    let around = match &block.shortcut {
        Some(shortcut) => {
            let flow = convolution(graph, shortcut, input)?;
            finish(graph, shortcut, flow)
        }
        None => input.to_string(),
    };
    let inner = blocks(graph, &block.body, input.to_string())?;
    let mut branch = convolution(graph, &block.last, &inner)?;
    if let Some(squeeze) = &block.squeeze {
        branch = gated(graph, squeeze, &branch)?;
    }
    let sum = graph.operator(block.last.name(), "Add", &[&branch, &around], vec![]);
    Ok(finish(graph, &block.last, sum))
}

/// Maps times a number for each channel, which all positions together decide. The dense layers stand as
/// convolutions of 1×1, so that means and gates stay maps of one position.
fn gated(graph: &mut Graph, squeeze: &SqueezeBlock, maps: &str) -> Result<String> {
    let [narrow, wide] = squeeze.layers();
    let mut gates = graph.operator(narrow.name(), "GlobalAveragePool", &[maps], vec![]);
    for layer in [narrow, wide] {
        let (outputs, inputs) = layer.tensors()[0].dims2()?;
        let tensors = dense_tensors(graph, layer, &[outputs, inputs, 1, 1])?;
        let flow = convolve(graph, layer.name(), &gates, tensors, window(1, 1, 0));
        gates = rectified(graph, layer.name(), flow, layer.has_relu());
    }
    let gates = graph.operator(wide.name(), "Sigmoid", &[&gates], vec![]);
    Ok(graph.operator(wide.name(), "Mul", &[maps, &gates], vec![]))
}

/// The mean of each channel, as a row.
fn mean(graph: &mut Graph, maps: &str) -> String {
    let means = graph.operator("mean", "GlobalAveragePool", &[maps], vec![]);
    flatten(graph, "mean", &means)
}

/// A row of maps, channels first.
fn flatten(graph: &mut Graph, layer: &str, maps: &str) -> String {
    let axis = vec![AttributeProto::int("axis", 1)];
    graph.operator(layer, "Flatten", &[maps], axis)
}

fn dense(graph: &mut Graph, layer: &Dense, row: &str) -> Result<String> {
    let name = layer.name();
    let [weight, bias] = dense_tensors(graph, layer, layer.tensors()[0].dims())?;
    let transposed = vec![AttributeProto::int("transB", 1)];
    let flow = graph.operator(name, "Gemm", &[row, &weight, &bias], transposed);
    Ok(rectified(graph, name, flow, layer.has_relu()))
}

/// Adds a dense layer's weight, of these dimensions, and its bias; their names.
fn dense_tensors(graph: &mut Graph, layer: &Dense, dims: &[usize]) -> Result<[String; 2]> {
    let name = layer.name();
    let [weight, bias] = layer.tensors();
    Ok([
        graph.tensor(&format!("{name}.weight"), dims, &values(weight)?),
        graph.tensor(&format!("{name}.bias"), bias.dims(), &values(bias)?),
    ])
}
