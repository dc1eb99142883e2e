//! The API server's rules for what an object holds, apart from its metadata and its schema: sizes,
//! controllers, and the data of ConfigMaps and Secrets.

use mizzen_model::{Kind, canonical};
use serde_json::Value;

use super::problem::{Field, Problem};

/// The most bytes that etcd takes for one object.
const LARGEST_OBJECT: usize = 1536 << 10;

/// The most bytes of all annotations together, keys included.
const LARGEST_ANNOTATIONS: usize = 256 << 10;

/// The most bytes of the data of a ConfigMap or Secret.
const LARGEST_DATA: usize = 1 << 20;

/// The longest key of the data of a ConfigMap or Secret.
const LONGEST_KEY: usize = 253;

/// Everything that is wrong with what an object holds.
pub(super) fn problems(kind: &Kind, document: &Value) -> Vec<Problem> {
    let mut problems = controllers(&document["metadata"]);
    let annotations = document["metadata"]["annotations"].as_object().into_iter().flatten();
    let bytes = annotations.map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum();
    problems.extend(too_large(Field::of("metadata.annotations"), bytes, LARGEST_ANNOTATIONS));
    if &*kind.api_version == "v1" && matches!(&*kind.name, "ConfigMap" | "Secret") {
        problems.extend(data(&kind.name, document));
    }
    if problems.is_empty() {
        problems.extend(too_large(Field::root(), canonical::text(document).len(), LARGEST_OBJECT));
    }
    problems
}

fn too_large(at: Field, bytes: usize, most: usize) -> Option<Problem> {
    (bytes > most).then(|| Problem::at(at, format!("has {bytes} bytes, and at most {most} are stored")))
}

/// The owner references beside the first that claim to be the controller.
fn controllers(metadata: &Value) -> Vec<Problem> {
    let owners = metadata["ownerReferences"].as_array().into_iter().flatten().enumerate();
    let controllers = owners.filter(|(_, owner)| owner["controller"] == true);
    let problem = |(place, _): (usize, &Value)| {
        let field = Field::of("metadata.ownerReferences").element(place).field("controller");
        Problem::at(field, "is true for another owner as well: an object has at most one controller")
    };
    controllers.skip(1).map(problem).collect()
}

/// What is wrong with the data of a ConfigMap or Secret.
fn data(kind: &str, document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut bytes = 0;
    for part in ["data", "binaryData", "stringData"] {
        for (key, value) in document[part].as_object().into_iter().flatten() {
            let at = Field::of(part).field(key);
            let is_key = key.len() <= LONGEST_KEY
                && !(key.is_empty() || key == "." || key.starts_with(".."))
                && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
            if !is_key {
                problems.push(Problem::at(
                    at.clone(),
                    "is not a valid key: it has letters, digits, `-`, `_` and `.`, and at most 253 of them",
                ));
            }
            match value.as_str() {
                // Base64 has four characters for three bytes.
                Some(text) if part == "binaryData" || (kind, part) == ("Secret", "data") => {
                    bytes += text.trim_end_matches('=').len() * 3 / 4;
                }
                Some(text) => bytes += text.len(),
                None => problems.push(Problem::at(at, format!("is {value}, and must be a text: quote it"))),
            }
        }
    }
    problems.extend(too_large(Field::of("data"), bytes, LARGEST_DATA));
    problems
}
