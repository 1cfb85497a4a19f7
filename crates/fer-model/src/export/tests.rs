#![expect(clippy::unwrap_used, reason = "tests")]

use candle_core::Device;
use fer_data::ClassNames;

use super::message::GraphProto;
use super::*;
use crate::ops::{ConvolutionSettings, Engine};
use crate::{Architecture, Parameters, Stack};

fn classes(count: usize) -> ClassNames {
    ClassNames::new((0..count).map(|class| format!("class {class}"))).unwrap()
}

fn exported(architecture: &serde_json::Value) -> (GraphProto, Vec<u8>) {
    let architecture: Architecture = serde_json::from_value(architecture.clone()).unwrap();
    let parameters = Parameters::new(3, &Device::Cpu);
    let network = architecture
        .build(4, Engine::Portable, parameters.builder())
        .unwrap();
    let description = OnnxDescription::new("network", classes(4));
    let bytes = onnx_network(&network, &description).unwrap();
    let model = ModelProto::decode(bytes.as_slice()).unwrap();
    (model.graph.unwrap(), bytes)
}

fn gated(name: &str) -> serde_json::Value {
    serde_json::json!({"arch": name, "width": 8, "squeeze": 4})
}

#[test]
fn every_node_and_tensor_has_a_name_of_its_own_and_reads_what_is_there_before_it() {
    for name in ["resnet", "resvgg", "mobile"] {
        let (graph, _) = exported(&gated(name));
        let mut known: Vec<&str> = graph
            .input
            .iter()
            .map(|input| input.name.as_str())
            .collect();
        known.extend(graph.initializer.iter().map(|tensor| tensor.name.as_str()));
        for node in &graph.node {
            for input in &node.input {
                assert!(known.contains(&input.as_str()), "{}: {input}", node.name);
            }
            known.extend(node.output.iter().map(String::as_str));
        }
        let count = known.len();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), count, "{name}");
        for output in ["logits", "probabilities"] {
            assert!(known.contains(&output), "{name}: {output}");
        }
    }
}

#[test]
fn no_normalisation_and_no_dropout_is_left() {
    for name in Architecture::NAMES {
        let (graph, _) = exported(&serde_json::json!({ "arch": name }));
        let operators: Vec<&str> = graph
            .node
            .iter()
            .map(|node| node.op_type.as_str())
            .collect();
        for operator in ["BatchNormalization", "Dropout"] {
            assert!(!operators.contains(&operator), "{name}: {operator}");
        }
        let tensors: Vec<&str> = graph
            .initializer
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        let folded = |tensor: &&&str| tensor.contains("norm");
        assert_eq!(tensors.iter().find(folded), None, "{name}");
    }
}

#[test]
fn tensors_are_called_as_in_the_model_file() {
    let (graph, _) = exported(&gated("resvgg"));
    let tensors: Vec<&str> = graph
        .initializer
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    for tensor in [
        "conv1.weight",
        "residual1.conv2.bias",
        "residual2.squeeze.dense1.weight",
        "dense.bias",
    ] {
        assert!(tensors.contains(&tensor), "{tensor} in {tensors:?}");
    }
}

#[test]
fn the_same_network_is_the_same_bytes() {
    assert_eq!(exported(&gated("mobile")).1, exported(&gated("mobile")).1);
}

/// Layers of one name share their tensors; in the graph each has its own.
#[test]
fn layers_of_one_name_are_told_apart() {
    let parameters = Parameters::new(3, &Device::Cpu);
    let network = Stack::new([1, 9, 9], Engine::Portable, parameters.builder())
        .convolution("first", ConvolutionSettings::valid(1, 4))
        .and_then(|stack| {
            stack
                .convolution("again", ConvolutionSettings::valid(4, 4))?
                .convolution("again", ConvolutionSettings::valid(4, 4))?
                .flatten()?
                .dense("logits", 2, false)?
                .finish()
        });
    let description = OnnxDescription::new("twice", classes(2));
    let bytes = onnx_network(&network.unwrap(), &description).unwrap();
    let graph = ModelProto::decode(bytes.as_slice()).unwrap().graph.unwrap();
    let tensors: Vec<&str> = graph
        .initializer
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert!(tensors.contains(&"again.weight") && tensors.contains(&"again.weight_2"));
}

#[test]
fn what_does_not_fit_is_refused_with_the_numbers() {
    let parameters = Parameters::new(3, &Device::Cpu);
    let network = Architecture::default()
        .build(4, Engine::Portable, parameters.builder())
        .unwrap();
    let refusal = |description: &OnnxDescription| {
        let error = onnx_network(&network, description).unwrap_err();
        error.to_string()
    };
    let text = refusal(&OnnxDescription::new("network", classes(3)));
    assert!(
        text.contains("3 class names") && text.contains("4 outputs"),
        "{text}"
    );
    for temperature in [0.0, f64::NAN, 1e9] {
        let mut description = OnnxDescription::new("network", classes(4));
        description.temperature = temperature;
        assert!(refusal(&description).contains(&temperature.to_string()));
    }
    assert!(check_size(LARGEST).is_ok());
    let text = check_size(LARGEST + 1).unwrap_err().to_string();
    assert!(
        text.contains("2147483648") && text.contains("2147483647"),
        "{text}"
    );
}
