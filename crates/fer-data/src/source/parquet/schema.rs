//! What `datasets` writes into a file about its columns.

use serde::Deserialize;
use serde_json::Value;

/// The key of a file's metadata that it stands under.
pub(super) const KEY: &str = "huggingface";

#[derive(Deserialize)]
struct Metadata {
    info: Info,
}

#[derive(Deserialize)]
struct Info {
    features: serde_json::Map<String, Value>,
}

/// The columns that the features name.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Features {
    /// Columns of pictures.
    pub(super) images: Vec<String>,
    /// Columns of classes, with the names of the classes in order.
    pub(super) classes: Vec<(String, Vec<String>)>,
}

impl Features {
    /// Those that the value of [`KEY`] describes; none where it cannot be understood.
    pub(super) fn read(metadata: &str) -> Self {
        let mut features = Features::default();
        let Ok(Metadata { info }) = serde_json::from_str(metadata) else {
            return features;
        };
        for (column, feature) in info.features {
            match feature.get("_type").and_then(Value::as_str) {
                Some("Image") => features.images.push(column),
                Some("ClassLabel") => {
                    let names = feature.get("names").and_then(Value::as_array);
                    let names = names.into_iter().flatten();
                    let names = names.filter_map(|name| name.as_str().map(String::from));
                    features.classes.push((column, names.collect()));
                }
                _ => {}
            }
        }
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_name_pictures_and_classes() {
        let features = Features::read(
            r#"{"info": {"features": {"face": {"_type": "Image"}, "age": {"dtype": "int64", "_type": "Value"},
            "emotion": {"names": ["happy", "sad"], "_type": "ClassLabel"}}}}"#,
        );
        assert_eq!(features.images, ["face"]);
        let names = vec!["happy".to_string(), "sad".to_string()];
        assert_eq!(features.classes, [("emotion".to_string(), names)]);
        for other in ["", "[]", r#"{"info": {}}"#, r#"{"info": {"features": 3}}"#] {
            assert_eq!(Features::read(other), Features::default());
        }
    }
}
