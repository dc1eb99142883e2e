//! The API server's rules for metadata, which hold for objects of every kind.

use mizzen_model::{Kind, is_dns_name, is_label_value, is_qualified_name};
use serde_json::Value;

use super::problem::{Field, Problem};

/// The longest name of an object.
const LONGEST_NAME: usize = 253;

/// Whether an object has finalizers, which delay its deletion.
pub(super) fn has_finalizers(document: &Value) -> bool {
    document["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty())
}

/// Everything that is wrong with the metadata of an object.
pub(super) fn problems(kind: &Kind, metadata: &Value) -> Vec<Problem> {
    let at = Field::of("metadata");
    let mut problems = Vec::new();
    let name = metadata["name"].as_str().unwrap_or_default();
    if !is_name(kind, name) {
        problems.push(Problem::at(
            at.field("name"),
            format!(
                "is `{name}`: a name has lower case letters, digits, `-` and `.`, and begins and ends with a letter or \
                 digit"
            ),
        ));
    }
    for (key, value) in metadata["labels"].as_object().into_iter().flatten() {
        let field = at.field("labels").field(key);
        if !is_qualified_name(key) {
            problems.push(Problem::at(field, "is not a valid label key: write e.g. `app` or `example.com/app`"));
        } else if !value.as_str().is_some_and(is_label_value) {
            let message = format!("is {value}: a label has at most 63 letters, digits, `-`, `_` and `.`, as a string");
            problems.push(Problem::at(field, message));
        }
    }
    for (key, value) in metadata["annotations"].as_object().into_iter().flatten() {
        let field = at.field("annotations").field(key);
        if !is_qualified_name(&key.to_ascii_lowercase()) {
            problems.push(Problem::at(field, "is not a valid annotation key: write e.g. `note` or `example.com/note`"));
        } else if !value.is_string() {
            problems.push(Problem::at(field, format!("is {value}: an annotation is a string")));
        }
    }
    for (place, finalizer) in metadata["finalizers"].as_array().into_iter().flatten().enumerate() {
        if !finalizer.as_str().is_some_and(is_qualified_name) {
            let field = at.field("finalizers").element(place);
            problems.push(Problem::at(field, format!("is {finalizer}: write e.g. `example.com/name`")));
        }
    }
    for (place, owner) in metadata["ownerReferences"].as_array().into_iter().flatten().enumerate() {
        for name in ["apiVersion", "kind", "name", "uid"] {
            if owner[name].as_str().is_none_or(str::is_empty) {
                let field = at.field("ownerReferences").element(place).field(name);
                problems.push(Problem::at(field, "is required"));
            }
        }
    }
    problems
}

fn is_name(kind: &Kind, name: &str) -> bool {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return false;
    }
    // Names of roles may have colons, and everything else that is valid in a path.
    if kind.group() == "rbac.authorization.k8s.io" {
        return !matches!(name, "." | "..") && !name.contains(['/', '%']);
    }
    is_dns_name(name)
}
