//! What the API server makes of nulls.
//!
//! It decodes built-in kinds and metadata to their types: a null field is as if it were not there,
//! and a null in a map is the empty value. In custom kinds it drops the nulls of declared fields that
//! are not `nullable`, before it sets defaults.

use serde_json::{Map, Value};

use super::problem::{Field, Problem};

/// Maps whose values are texts.
const TEXTS: &[&str] = &["annotations", "data", "labels", "matchLabels", "nodeSelector", "stringData"];

/// Maps whose values are quantities.
const QUANTITIES: &[&str] = &["allocatable", "capacity", "hard", "limits", "requests", "used"];

/// Built-in kinds with fields of any form, in which a null is a value.
const FREE: &[&str] = &["ControllerRevision", "CustomResourceDefinition"];

/// Sets the nulls in maps of a built-in kind, or of metadata, to the empty value.
pub(super) fn decode(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match (&**key, value.as_object_mut()) {
                    (key, Some(map)) if TEXTS.contains(&key) => set(map, ""),
                    (key, Some(map)) if QUANTITIES.contains(&key) => set(map, "0"),
                    _ => {}
                }
                decode(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(decode),
        _ => {}
    }
}

fn set(map: &mut Map<String, Value>, empty: &str) {
    map.values_mut().filter(|value| value.is_null()).for_each(|value| *value = empty.into());
}

/// Removes the null fields of a value.
pub(super) fn drop_all(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_all);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_all),
        _ => {}
    }
}

/// Removes the nulls of fields that a schema declares, and that are neither nullable nor have a
/// default.
pub(super) fn drop_declared(schema: &Value, value: &mut Value) {
    let declared = |key: &str| {
        let own = &schema["properties"][key];
        if own.is_object() { own } else { &schema["additionalProperties"] }
    };
    match value {
        Value::Object(map) => {
            map.retain(|key, value| {
                let below = declared(key);
                let stays = !below.is_object() || below["nullable"] == true || below.get("default").is_some();
                !value.is_null() || stays
            });
            map.iter_mut().for_each(|(key, value)| drop_declared(declared(key), value));
            if let Some(metadata) = map.get_mut("metadata").filter(|_| schema["x-kubernetes-embedded-resource"] == true)
            {
                drop_all(metadata);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_declared(&schema["items"], item)),
        _ => {}
    }
}

/// The nulls in lists of a built-in kind. The API server takes them for empty elements, which are
/// never meant.
pub(super) fn elements(kind: &str, document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !FREE.contains(&kind) {
        search(document, &Field::root(), &mut problems);
    }
    problems
}

fn search(value: &Value, at: &Field, problems: &mut Vec<Problem>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| search(value, &at.field(key), problems)),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                let at = at.element(place);
                if item.is_null() {
                    problems.push(Problem::at(at, "is null: write a value, or remove the element"));
                } else {
                    search(item, &at, problems);
                }
            }
        }
        _ => {}
    }
}
