//! The part of a graph that shows a network several views of each picture, and takes the mean of its answers.

use super::graph::Graph;
use super::message::AttributeProto;
use crate::Views;
use crate::views::{TAPS, WARPS};

/// What its nodes are called by.
const LAYER: &str = "views";

/// The views of pictures of `input`: channels, rows, columns.
pub(super) fn shown(graph: &mut Graph, pictures: &str, input: [usize; 3], views: Views) -> String {
    match views {
        Views::One => pictures.into(),
        Views::Flips => with_mirror_images(graph, pictures, input[2]),
        Views::Ten => {
            let both = with_mirror_images(graph, pictures, input[2]);
            warped(graph, &both, input)
        }
    }
}

/// The mean of the answers to the views that [`shown`] made, in so many classes.
pub(super) fn mean(graph: &mut Graph, logits: &str, classes: usize, views: Views) -> String {
    match views {
        Views::One => logits.into(),
        Views::Flips => mean_of_both(graph, logits),
        Views::Ten => {
            let each = shaped(graph, logits, &[-1, WARPS.len() as i64, classes as i64]);
            let means = graph.operator(LAYER, "ReduceMean", &[&each], mean_over(1));
            mean_of_both(graph, &means)
        }
    }
}

/// The pictures, and after them their mirror images.
fn with_mirror_images(graph: &mut Graph, pictures: &str, columns: usize) -> String {
    let backwards: Vec<i64> = (0..columns as i64).rev().collect();
    let columns = graph.indices("views.columns", &backwards);
    let mirrored = graph.operator(LAYER, "Gather", &[pictures, &columns], axis(3));
    graph.operator(LAYER, "Concat", &[pictures, &mirrored], axis(0))
}

/// The mean of the first half of the rows and the second.
fn mean_of_both(graph: &mut Graph, logits: &str) -> String {
    let [own, mirrored] = graph.halves(LAYER, logits, axis(0));
    let sum = graph.operator(LAYER, "Add", &[&own, &mirrored], vec![]);
    let two = graph.tensor("views.sides", &[], &[2.0]);
    graph.operator(LAYER, "Div", &[&sum, &two], vec![])
}

/// Of each picture its five views, one after the other. A pixel of a view is the mean of four pixels, each
/// weighted by four times what it counts.
fn warped(graph: &mut Graph, pictures: &str, [channels, rows, columns]: [usize; 3]) -> String {
    let size = rows * columns;
    let (mut places, mut weights) = (Vec::new(), Vec::new());
    for sampling in WARPS.map(|warp| warp.sampling(rows, columns)) {
        places.extend(sampling.places.into_iter().map(i64::from));
        let fourfold = sampling.weights.into_iter();
        weights.extend(fourfold.map(|weight| weight * TAPS as f32));
    }
    let places = graph.indices("views.places", &places);
    let weights = graph.tensor("views.weights", &[weights.len()], &weights);
    let [channels, rows, columns, size] = [channels, rows, columns, size].map(|side| side as i64);
    let flat = shaped(graph, pictures, &[-1, channels, size]);
    let taken = graph.operator(LAYER, "Gather", &[&flat, &places], axis(2));
    let weighted = graph.operator(LAYER, "Mul", &[&taken, &weights], vec![]);
    let taps = [-1, channels, WARPS.len() as i64, TAPS as i64, size];
    let taps = shaped(graph, &weighted, &taps);
    let views = graph.operator(LAYER, "ReduceMean", &[&taps], mean_over(3));
    let apart = graph.operator(LAYER, "Transpose", &[&views], views_before_channels());
    shaped(graph, &apart, &[-1, channels, rows, columns])
}

fn shaped(graph: &mut Graph, flow: &str, shape: &[i64]) -> String {
    let shape = graph.indices("views.shape", shape);
    graph.operator(LAYER, "Reshape", &[flow, &shape], vec![])
}

fn axis(number: i64) -> Vec<AttributeProto> {
    vec![AttributeProto::int("axis", number)]
}

fn mean_over(axis: i64) -> Vec<AttributeProto> {
    vec![
        AttributeProto::ints("axes", &[axis]),
        AttributeProto::int("keepdims", 0),
    ]
}

fn views_before_channels() -> Vec<AttributeProto> {
    vec![AttributeProto::ints("perm", &[0, 2, 1, 3])]
}
