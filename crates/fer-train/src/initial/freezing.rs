//! Which tensors a list of patterns names.

use std::collections::BTreeSet;

use fer_model::Parameters;
use glob::Pattern;

use crate::initial::InitialError;

/// What is frozen in a network of tensors `names`, of which `new` are drawn anew.
pub(super) fn frozen(
    patterns: &[String],
    names: &BTreeSet<String>,
    new: &BTreeSet<String>,
    model: &str,
) -> Result<BTreeSet<String>, InitialError> {
    let mut frozen = BTreeSet::new();
    for pattern in patterns {
        let found = named(pattern, names)?;
        if found.is_empty() {
            return Err(InitialError::NothingFrozen {
                pattern: pattern.clone(),
                model: model.into(),
                layers: layers(names),
            });
        }
        if let Some(tensor) = found.iter().find(|name| new.contains(*name)) {
            return Err(InitialError::NewHead {
                pattern: pattern.clone(),
                tensor: tensor.clone(),
                model: model.into(),
            });
        }
        frozen.extend(found);
    }
    Ok(frozen)
}

/// The tensors that one pattern names: by its whole name, by its beginning up to a dot, or by letters
/// with `*` among them.
fn named(pattern: &str, names: &BTreeSet<String>) -> Result<BTreeSet<String>, InitialError> {
    let refuse = |reason: String| InitialError::Pattern {
        pattern: pattern.into(),
        reason,
    };
    if pattern.is_empty() {
        return Err(refuse("it is empty".into()));
    }
    let compiled = Pattern::new(pattern).map_err(|error| refuse(error.to_string()))?;
    let begins = |name: &str| {
        let rest = name.strip_prefix(pattern);
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    let found = names
        .iter()
        .filter(|name| compiled.matches(name) || begins(name));
    Ok(found.cloned().collect())
}

/// The beginnings of the names up to the first dot, in words.
fn layers(names: &BTreeSet<String>) -> String {
    let layers: BTreeSet<&str> = names
        .iter()
        .filter_map(|name| name.split('.').next())
        .collect();
    layers.into_iter().collect::<Vec<_>>().join(", ")
}

/// How many numbers of the variables are frozen that a gradient would move.
pub(super) fn frozen_parameters(parameters: &Parameters) -> usize {
    let free: BTreeSet<String> = parameters
        .trainable()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let all = parameters.vars().into_iter();
    all.filter(|(name, _)| !free.contains(name) && !name.contains(".running_"))
        .map(|(_, var)| var.elem_count())
        .sum()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    fn tensors() -> BTreeSet<String> {
        set(&[
            "conv1.norm.bias",
            "conv1.weight",
            "conv10.weight",
            "head.bias",
            "head.weight",
            "residual1.conv1.weight",
        ])
    }

    fn found(patterns: &[&str]) -> Result<BTreeSet<String>, String> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| pattern.to_string()).collect();
        let new = set(&["head.bias", "head.weight"]);
        frozen(&patterns, &tensors(), &new, "m").map_err(|error| error.to_string())
    }

    #[test]
    fn a_pattern_is_a_name_a_beginning_up_to_a_dot_or_has_stars() {
        let conv1 = set(&["conv1.norm.bias", "conv1.weight"]);
        assert_eq!(found(&["conv1"]).unwrap(), conv1);
        assert_eq!(found(&["conv1.weight"]).unwrap(), set(&["conv1.weight"]));
        assert_eq!(
            found(&["conv*.weight"]).unwrap(),
            set(&["conv1.weight", "conv10.weight"])
        );
        assert_eq!(
            found(&["residual1.conv1", "conv10"]).unwrap(),
            set(&["conv10.weight", "residual1.conv1.weight"])
        );
        assert_eq!(found(&[]).unwrap(), set(&[]));
    }

    #[test]
    fn what_names_nothing_or_the_new_layer_is_refused_by_name() {
        let said = found(&["conv1", "conv2"]).unwrap_err();
        assert!(said.contains("`conv2` names no tensor of m"), "{said}");
        assert!(said.contains("conv1, conv10, head, residual1"), "{said}");
        let said = found(&["*"]).unwrap_err();
        assert!(said.contains("`*` would freeze head.bias"), "{said}");
        assert!(found(&[""]).unwrap_err().contains("it is empty"));
        assert!(found(&["conv[1"]).unwrap_err().contains("no pattern"));
    }
}
