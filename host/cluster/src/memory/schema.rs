//! The schema of one version of a custom kind: validates documents, sets defaults, drops unknown
//! fields.
//!
//! `x-kubernetes-validations` (CEL) are not evaluated: documents that violate only them are
//! accepted.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::problem::{Field, Problem};

/// The formats that mean the same to the API server and in JSON Schema.
const FORMATS: &[&str] = &["date-time", "date", "ipv4", "ipv6", "email", "uuid"];

/// Keywords that do not affect validity, or that JSON Schema does not have.
const IGNORED: &[&str] = &["default", "description", "example", "externalDocs", "nullable", "title"];

/// Keywords whose value is a schema, a list of schemas, or a map of schemas.
const ONE: &[&str] = &["items", "not", "additionalProperties"];
const SEVERAL: &[&str] = &["allOf", "anyOf", "oneOf"];
const NAMED: &[&str] = &["properties", "patternProperties", "definitions"];

/// Why an `openAPIV3Schema` can't be compiled.
#[derive(Debug, thiserror::Error)]
#[error("is not a valid schema: {0}")]
pub(super) struct SchemaError(#[from] ValidationError<'static>);

/// The compiled `openAPIV3Schema` of a version.
#[derive(Debug)]
pub(super) struct Schema {
    root: Value,
    validator: Validator,
}

// === impl Schema ===

impl Schema {
    /// Compiles an `openAPIV3Schema`.
    ///
    /// # Errors
    /// When it is not a valid schema.
    pub(super) fn new(root: &Value) -> Result<Self, SchemaError> {
        let options = || jsonschema::options().with_draft(Draft::Draft4).should_validate_formats(true);
        let validator = options().build(&translated(root))?;
        Ok(Self { root: root.clone(), validator })
    }

    /// The `openAPIV3Schema` itself.
    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    /// Drops unknown fields and returns their paths.
    pub(super) fn prune(&self, document: &mut Value) -> Vec<Field> {
        let mut dropped = Vec::new();
        let keep = |key: &str| matches!(key, "apiVersion" | "kind" | "metadata");
        prune(&self.root, document, &Field::root(), &keep, &mut dropped);
        dropped
    }

    /// Sets the defaults of missing fields.
    pub(super) fn fill(&self, document: &mut Value) {
        fill(&self.root, document);
    }

    /// The violations of a document.
    pub(super) fn violations(&self, document: &Value) -> Vec<Problem> {
        self.validator.iter_errors(document).map(|error| describe(&error)).collect()
    }

    /// The values of a wrong type: the only violations that a document with some of the fields can
    /// have.
    pub(super) fn mistyped(&self, document: &Value) -> Vec<Problem> {
        let errors = self.validator.iter_errors(document);
        let of_type = errors.filter(|error| matches!(error.kind(), ValidationErrorKind::Type { .. }));
        of_type.filter(|error| !error.instance().is_null()).map(|error| describe(&error)).collect()
    }
}

/// Whether a schema excludes unknown fields. One without a type, which no API server accepts, is a
/// sketch that leaves out everything that a test does not need.
fn is_closed(schema: &Value) -> bool {
    schema["type"] == "object" && schema["x-kubernetes-preserve-unknown-fields"] != true
}

fn prune(schema: &Value, value: &mut Value, at: &Field, keep: &dyn Fn(&str) -> bool, dropped: &mut Vec<Field>) {
    match value {
        Value::Object(map) => {
            let others = &schema["additionalProperties"];
            let is_open = !is_closed(schema) || others.is_object() || *others == true;
            let unknown = |key: &String| !(is_open || keep(key) || schema["properties"][key].is_object());
            let gone: Vec<_> = map.keys().filter(|key| unknown(key)).cloned().collect();
            for key in gone {
                map.remove(&key);
                dropped.push(at.field(&key));
            }
            for (key, value) in map.iter_mut().filter(|(key, _)| !keep(key)) {
                let known = &schema["properties"][key];
                let below = if known.is_object() { known } else { others };
                let embedded = below["x-kubernetes-embedded-resource"] == true;
                let keep = move |key: &str| embedded && matches!(key, "apiVersion" | "kind" | "metadata");
                prune(below, value, &at.field(key), &keep, dropped);
            }
        }
        Value::Array(items) => {
            let below = &schema["items"];
            let embedded = below["x-kubernetes-embedded-resource"] == true;
            let keep = move |key: &str| embedded && matches!(key, "apiVersion" | "kind" | "metadata");
            for (place, item) in items.iter_mut().enumerate() {
                prune(below, item, &at.element(place), &keep, dropped);
            }
        }
        _ => {}
    }
}

fn fill(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, below) in schema["properties"].as_object().into_iter().flatten() {
                let default = below.get("default");
                let missing = match map.get(key) {
                    None => true,
                    Some(Value::Null) => below["nullable"] != true,
                    Some(_) => false,
                };
                if let Some(default) = default.filter(|_| missing) {
                    map.insert(key.clone(), default.clone());
                }
                if let Some(value) = map.get_mut(key) {
                    fill(below, value);
                }
            }
            if schema["additionalProperties"].is_object() {
                let known = |key: &String| schema["properties"][key].is_object();
                map.iter_mut()
                    .filter(|(key, _)| !known(key))
                    .for_each(|(_, value)| fill(&schema["additionalProperties"], value));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(&schema["items"], item)),
        _ => {}
    }
}

/// An `OpenAPI` 3.0 schema as a JSON Schema of draft 4, on which `OpenAPI` 3.0 is based.
fn translated(schema: &Value) -> Value {
    let Some(schema) = schema.as_object() else { return schema.clone() };
    let mut out = Map::new();
    for (keyword, value) in schema {
        let value = match &**keyword {
            word if IGNORED.contains(&word) || word.starts_with("x-kubernetes-") => continue,
            "format" if !value.as_str().is_some_and(|format| FORMATS.contains(&format)) => continue,
            word if ONE.contains(&word) => translated(value),
            word if SEVERAL.contains(&word) => value.as_array().into_iter().flatten().map(translated).collect(),
            word if NAMED.contains(&word) => {
                let named = value.as_object().into_iter().flatten();
                Value::Object(named.map(|(name, schema)| (name.clone(), translated(schema))).collect())
            }
            _ => value.clone(),
        };
        out.insert(keyword.clone(), value);
    }
    if schema.get("x-kubernetes-int-or-string").is_some_and(|set| *set == true) {
        out.remove("anyOf");
        out.insert("type".into(), json!(["integer", "string"]));
    }
    if schema.get("nullable").is_some_and(|set| *set == true) {
        match out.get_mut("type") {
            Some(Value::Array(kinds)) => kinds.push("null".into()),
            Some(kind) => *kind = json!([kind, "null"]),
            None => {}
        }
        if let Some(Value::Array(values)) = out.get_mut("enum") {
            values.push(Value::Null);
        }
    }
    Value::Object(out)
}

fn describe(error: &ValidationError<'_>) -> Problem {
    let at = Field::of_pointer(error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            Problem::at(at.field(property.as_str().unwrap_or_default()), "is required")
        }
        _ => Problem::at(at, shortened(&error.to_string())),
    }
}

/// Shortens a message in the middle: messages quote the value, which may be of any size.
fn shortened(message: &str) -> String {
    const LONGEST: usize = 200;
    let chars = message.chars().count();
    if chars <= LONGEST {
        return message.to_owned();
    }
    let head: String = message.chars().take(LONGEST / 4).collect();
    let tail: String = message.chars().skip(chars - LONGEST * 3 / 4).collect();
    format!("{head} … {tail}")
}
