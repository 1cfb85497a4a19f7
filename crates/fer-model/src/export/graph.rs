use std::collections::HashSet;

use super::message::{AttributeProto, FLOAT, INT64, NodeProto, TensorProto};

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
        self.push(&name, operator, inputs, vec![name.clone()], attributes);
        name
    }

    /// Adds a split into two equal parts; their names.
    pub(super) fn halves(
        &mut self,
        layer: &str,
        input: &str,
        attributes: Vec<AttributeProto>,
    ) -> [String; 2] {
        let name = self.unique(&format!("{layer}/Split"));
        let halves = ["first", "second"].map(|half| self.unique(&format!("{name}/{half}")));
        self.push(&name, "Split", &[input], halves.to_vec(), attributes);
        halves
    }

    fn push(
        &mut self,
        name: &str,
        operator: &str,
        inputs: &[&str],
        outputs: Vec<String>,
        attributes: Vec<AttributeProto>,
    ) {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: outputs,
            name: name.into(),
            op_type: operator.into(),
            attribute: attributes,
        });
    }

    /// Adds an f32 tensor; its name.
    pub(super) fn tensor(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.constant(name, FLOAT, dims, bytes.collect())
    }

    /// Adds a row of whole numbers; its name.
    pub(super) fn indices(&mut self, name: &str, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.constant(name, INT64, &[values.len()], bytes.collect())
    }

    fn constant(&mut self, name: &str, kind: i32, dims: &[usize], raw_data: Vec<u8>) -> String {
        let name = self.unique(name);
        self.tensors.push(TensorProto {
            dims: dims.iter().map(|&side| side as i64).collect(),
            data_type: kind,
            name: name.clone(),
            raw_data,
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
