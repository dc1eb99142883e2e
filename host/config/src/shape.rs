//! Whether a document has the shape of a `Reconciler`: every violation at once, each with its field.

use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use crate::document::ReconcilerSpec;

static SPEC: LazyLock<Option<Validator>> = LazyLock::new(|| {
    let schema = schemars::schema_for!(ReconcilerSpec).to_value();
    jsonschema::validator_for(&schema).ok()
});

/// What is wrong with a `spec`: field and message.
pub(crate) fn violations(spec: &Value) -> Vec<(String, String)> {
    SPEC.iter().flat_map(|schema| schema.iter_errors(spec)).flat_map(|error| describe(&error)).collect()
}

fn describe(error: &ValidationError<'_>) -> Vec<(String, String)> {
    let at = field(error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = known_fields(error);
            unexpected.iter().map(|name| (format!("{at}.{name}"), unknown(name, &known))).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![(at, format!("`{name}` is missing"))]
        }
        _ => vec![(at, error.to_string())],
    }
}

/// The properties of the schema that refused a field.
fn known_fields(error: &ValidationError<'_>) -> Vec<String> {
    let schema = schemars::schema_for!(ReconcilerSpec).to_value();
    let path = error.schema_path().as_str();
    let parent = path.strip_suffix("/additionalProperties").unwrap_or(path);
    // Through `$ref` the path goes on in the definitions, which is where the last part of it is to be found.
    let steps = parent.split('/').filter(|step| !step.is_empty());
    let mut at = &schema;
    for step in steps {
        at = match step {
            "$ref" => {
                let name = at["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()).unwrap_or_default();
                &schema["$defs"][name]
            }
            step => step.parse::<usize>().map_or_else(|_| &at[step], |number| &at[number]),
        };
    }
    at["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// What to say of a name that is not known.
pub(crate) fn unknown(name: &str, known: &[String]) -> String {
    let near = known.iter().min_by_key(|own| strsim::damerau_levenshtein(own, name));
    let near = near.filter(|own| strsim::damerau_levenshtein(own, name) <= 2);
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    format!("`{name}` is not known{hint} Known: {known}").replace("known Known", "known. Known")
}

/// `/after/1` of a spec as `spec.after[1]`.
fn field(pointer: &str) -> String {
    let mut path = String::from("spec");
    for step in pointer.split('/').skip(1) {
        if step.parse::<usize>().is_ok() {
            path.extend(["[", step, "]"]);
        } else {
            path.push('.');
            path.push_str(&step.replace("~1", "/").replace("~0", "~"));
        }
    }
    path
}
