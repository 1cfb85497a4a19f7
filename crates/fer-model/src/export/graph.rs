use std::collections::HashSet;

use super::message::{AttributeProto, FLOAT, NodeProto, TensorProto};

/// A graph in the making. What flows is known by its name.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<NodeProto>,
    pub(super) tensors: Vec<TensorProto>,
    taken: HashSet<String>,
}

impl Graph {
    /// Keeps these names from being given to anything.
    pub(super) fn reserve(&mut self, names: &[&str]) {
        self.taken.extend(names.iter().map(ToString::to_string));
    }

    /// Adds an operator to the layer of this name; the name of what it gives.
    pub(super) fn operator(
        &mut self,
        layer: &str,
        operator: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        let name = self.unique(&format!("{layer}/{operator}"));
        self.nodes.push(NodeProto {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: operator.into(),
            attribute: attributes,
        });
        name
    }

    /// Adds an f32 tensor; its name.
    pub(super) fn tensor(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        let name = self.unique(name);
        self.tensors.push(TensorProto {
            dims: dims.iter().map(|&side| side as i64).collect(),
            data_type: FLOAT,
            name: name.clone(),
            raw_data: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        });
        name
    }

    /// Calls what flows by another name.
    pub(super) fn rename(&mut self, flow: &str, name: &str) {
        for node in &mut self.nodes {
            for value in node.input.iter_mut().chain(&mut node.output) {
                if value == flow {
                    *value = name.into();
                }
            }
        }
    }

    /// The name itself, or with the first number that makes it new.
    fn unique(&mut self, wanted: &str) -> String {
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        let mut names = std::iter::once(wanted.to_string()).chain(numbered);
        let free = names.find(|name| !self.taken.contains(name));
        let name = free.unwrap_or_default();
        self.taken.insert(name.clone());
        name
    }
}
