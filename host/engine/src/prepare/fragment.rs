//! What the fragment of a patch may set: the fields of its grant, and never what belongs to the host or decides about
//! the life of an object.
//!
//! An owner reference to an object that does not exist has the garbage collector delete the patched object, a
//! finalizer keeps it from being deleted, and the host's labels have a reconciler prune it. So a grant to patch would
//! be one to delete.

use mizzen_config::Grant;
use mizzen_model::{Access, Fields, ObjectRef};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::names;

/// The metadata that a fragment may set.
const SETTABLE: [&str; 2] = ["labels", "annotations"];

/// Checks a fragment against the grants of its object.
///
/// # Errors
/// [`Refusal::Invalid`]: it is not an object, or sets metadata that no plugin may set. [`Refusal::Denied`]: it sets a
/// field that no grant has.
pub(super) fn check(object: &ObjectRef, fragment: &Value, grants: &[&Grant]) -> Result<(), Refusal> {
    let Some(fields) = fragment.as_object() else {
        return Err(Refusal::Invalid(format!("the patch of {object} is not an object")));
    };
    metadata(object, fields)?;
    let outside: Option<Vec<_>> = grants.iter().map(|grant| outside(&grant.fields, fragment)).collect();
    match outside.and_then(|outside| outside.into_iter().next()) {
        None => Ok(()),
        Some(field) => Err(Refusal::Denied(format!(
            "{object}: the patch sets `{field}`, which the `fields` of the grant do not have: add it in \
             `spec.grants.{}`",
            Access::Patch
        ))),
    }
}

fn metadata(object: &ObjectRef, fragment: &Map<String, Value>) -> Result<(), Refusal> {
    let invalid = |what: String| Err(Refusal::Invalid(format!("the patch of {object} {what}")));
    let Some(metadata) = fragment.get("metadata") else { return Ok(()) };
    let Some(metadata) = metadata.as_object() else {
        return invalid("has `metadata` that is not an object".into());
    };
    for (field, value) in metadata {
        if !SETTABLE.contains(&&**field) {
            return invalid(format!(
                "sets `metadata.{field}`, which a plugin may not set: leave it out; labels and annotations alone may \
                 be patched"
            ));
        }
        match value {
            Value::Null => {}
            Value::Object(entries) => {
                if let Some(key) = entries.keys().find(|key| names::is_reserved(key)) {
                    return invalid(format!("sets `{key}` in `metadata.{field}`, which only the host may set"));
                }
            }
            _ => return invalid(format!("has a `metadata.{field}` that is not a map of strings")),
        }
    }
    Ok(())
}

/// A field of a fragment that a set does not have, as a path.
fn outside(fields: &Fields, fragment: &Value) -> Option<String> {
    match fields {
        Fields::Whole => None,
        Fields::Some(_) => missing(&fields.project(fragment), fragment),
    }
}

/// The path of the first value that a projection of `whole` lacks.
fn missing(projected: &Value, whole: &Value) -> Option<String> {
    match (projected, whole) {
        _ if projected == whole => None,
        (Value::Object(kept), Value::Object(whole)) => whole.iter().find_map(|(key, value)| {
            let rest = kept.get(key).map_or_else(|| Some(String::new()), |kept| missing(kept, value))?;
            Some(join(&step(key), &rest))
        }),
        (Value::Array(kept), Value::Array(whole)) if kept.len() == whole.len() => {
            let rest = kept.iter().zip(whole).find_map(|(kept, whole)| missing(kept, whole))?;
            Some(join("[*]", &rest))
        }
        _ => Some(String::new()),
    }
}

/// A key as a step of a path.
fn step(key: &str) -> String {
    let is_plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_plain { key.to_owned() } else { format!("['{key}']") }
}

fn join(step: &str, rest: &str) -> String {
    if rest.is_empty() || rest.starts_with('[') { format!("{step}{rest}") } else { format!("{step}.{rest}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_outside_of_a_set_is_named_as_its_grant_would_name_it() {
        let fields = Fields::parse([
            "metadata.annotations['a.example/b']",
            "spec.template.metadata.annotations",
            "webhooks[*].name",
            "spec.containers[name=proxy].image",
        ])
        .unwrap();
        let inside = json!({
            "metadata": {"annotations": {"a.example/b": "c"}},
            "spec": {"template": {"metadata": {"annotations": {"x": "y"}}},
                     "containers": [{"name": "proxy", "image": "i"}]},
            "webhooks": [{"name": "a"}, {"name": "b"}],
        });
        assert_eq!(outside(&fields, &inside), None);
        for (fragment, field) in [
            (json!({"metadata": {"annotations": {"a.example/c": "d"}}}), "metadata.annotations['a.example/c']"),
            (json!({"spec": {"template": {"spec": null}}}), "spec.template.spec"),
            (json!({"spec": {"template": "x"}}), "spec.template"),
            (json!({"webhooks": [{"name": "a", "rules": []}]}), "webhooks[*].rules"),
            (json!({"spec": {"containers": [{"name": "proxy", "command": []}]}}), "spec.containers[*].command"),
            (json!({"spec": {"containers": [{"name": "other", "image": "i"}]}}), "spec.containers"),
        ] {
            assert_eq!(outside(&fields, &fragment).as_deref(), Some(field));
        }
    }
}
