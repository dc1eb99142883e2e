//! The schema of one version of a custom kind: checks documents, fills in defaults, drops what it does not know.
//!
//! Not evaluated: `x-kubernetes-validations` (CEL). What the API server would refuse by them alone is accepted here.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::problem::{Field, Problem};

/// Formats whose meaning is the same for the API server and for JSON Schema.
const FORMATS: &[&str] = &["date-time", "date", "ipv4", "ipv6", "email", "uuid"];

/// Words that say nothing about what is valid, or nothing that JSON Schema knows.
const SILENT: &[&str] = &["default", "description", "example", "externalDocs", "nullable", "title"];

/// Keywords whose value is a schema, a list of schemas, or a map of schemas.
const ONE: &[&str] = &["items", "not", "additionalProperties"];
const SEVERAL: &[&str] = &["allOf", "anyOf", "oneOf"];
const NAMED: &[&str] = &["properties", "patternProperties", "definitions"];

/// A version's `openAPIV3Schema`.
#[derive(Debug)]
pub(super) struct Schema {
    root: Value,
    validator: Validator,
}

// === impl Schema ===

impl Schema {
    /// Takes in an `openAPIV3Schema`.
    ///
    /// # Errors
    /// When it makes no sense as a schema: why.
    pub(super) fn new(root: &Value) -> Result<Self, String> {
        let options = || jsonschema::options().with_draft(Draft::Draft4).should_validate_formats(true);
        let validator = options().build(&translated(root)).map_err(|error| error.to_string())?;
        Ok(Self { root: root.clone(), validator })
    }

    /// The text it was made from.
    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    /// Drops the fields it does not know, and gives their names.
    pub(super) fn prune(&self, document: &mut Value) -> Vec<Field> {
        let mut dropped = Vec::new();
        let keep = |key: &str| matches!(key, "apiVersion" | "kind" | "metadata");
        prune(&self.root, document, &Field::root(), &keep, &mut dropped);
        dropped
    }

    /// Fills in the defaults of the fields that are missing.
    pub(super) fn fill(&self, document: &mut Value) {
        fill(&self.root, document);
    }

    /// What of a document it refuses.
    pub(super) fn violations(&self, document: &Value) -> Vec<Problem> {
        self.validator.iter_errors(document).map(|error| describe(&error)).collect()
    }

    /// What of a document is of the wrong type, which is all that can be said of one that states only some fields.
    pub(super) fn mistyped(&self, document: &Value) -> Vec<Problem> {
        let errors = self.validator.iter_errors(document);
        let of_type = errors.filter(|error| matches!(error.kind(), ValidationErrorKind::Type { .. }));
        of_type.filter(|error| !error.instance().is_null()).map(|error| describe(&error)).collect()
    }
}

/// Only where the type is stated: a schema without one, which no API server would take, is a sketch that leaves out what it does not
/// care for.
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

/// An `OpenAPI` 3.0 schema in the words of JSON Schema draft 4, which is what that was made from.
fn translated(schema: &Value) -> Value {
    let Some(schema) = schema.as_object() else { return schema.clone() };
    let mut out = Map::new();
    for (word, value) in schema {
        let value = match &**word {
            word if SILENT.contains(&word) || word.starts_with("x-kubernetes-") => continue,
            "format" if !value.as_str().is_some_and(|format| FORMATS.contains(&format)) => continue,
            word if ONE.contains(&word) => translated(value),
            word if SEVERAL.contains(&word) => value.as_array().into_iter().flatten().map(translated).collect(),
            word if NAMED.contains(&word) => {
                let named = value.as_object().into_iter().flatten();
                Value::Object(named.map(|(name, schema)| (name.clone(), translated(schema))).collect())
            }
            _ => value.clone(),
        };
        out.insert(word.clone(), value);
    }
    if schema.get("x-kubernetes-int-or-string").is_some_and(|says| *says == true) {
        out.remove("anyOf");
        out.insert("type".into(), json!(["integer", "string"]));
    }
    if schema.get("nullable").is_some_and(|says| *says == true) {
        if let Some(Value::String(kind)) = out.get("type") {
            let kinds = json!([kind, "null"]);
            out.insert("type".into(), kinds);
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

/// Messages quote the value, which may be an object of any size.
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
