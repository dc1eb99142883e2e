//! Whether an object still is what was wanted of it.
//!
//! The API server fills in defaults and other managers own other fields, so a live object is never equal to what was applied:
//! it *holds* it. It also rewrites what is claimed of resources (`1000m` becomes `1`), as everybody's templates do claim some; that is
//! known, so that also a host that was just started takes it for the same. Where it rewrites other values, [`shape`] remembers what became of
//! them.

use mizzen_model::Digest;
use serde_json::{Map, Value};

use super::quantity;

/// Where quantities of resources stand, in pod templates and quotas.
const CLAIMS: [&str; 3] = ["requests", "limits", "hard"];

/// Whether everything in `wanted` is in `live`. Lists must have the same length: an element that was added is drift, too. Of an environment
/// variable the API server leaves out a value that is empty, too.
pub(crate) fn holds(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(key, value)| match live.get(key) {
            None => is_nothing(value) || key == "value" && value == "" && wanted.contains_key("name"),
            Some(own) => holds(own, value) || CLAIMS.contains(&&**key) && claims(own, value),
        }),
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| holds(live, wanted))
        }
        _ => live == wanted,
    }
}

/// Whether the same is claimed of each resource, in whatever words.
fn claims(live: &Value, wanted: &Value) -> bool {
    let (Value::Object(live), Value::Object(wanted)) = (live, wanted) else { return false };
    wanted.iter().all(|(resource, wanted)| live.get(resource).is_some_and(|live| quantity::same(live, wanted)))
}

/// The part of `live` that `wanted` speaks of.
pub(crate) fn shape(live: &Value, wanted: &Value) -> Value {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            let spoken_of = wanted.iter().filter_map(|(key, value)| Some((key.clone(), shape(live.get(key)?, value))));
            Value::Object(spoken_of.collect::<Map<_, _>>())
        }
        (Value::Array(live), Value::Array(wanted)) if live.len() == wanted.len() => {
            live.iter().zip(wanted).map(|(live, wanted)| shape(live, wanted)).collect()
        }
        _ => live.clone(),
    }
}

/// The digest of that part.
pub(crate) fn digest(live: &Value, wanted: &Value) -> Digest {
    Digest::of_json(&shape(live, wanted))
}

/// The same, without the fields of objects that are null.
pub(crate) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.iter().filter(|(_, field)| !field.is_null());
            Value::Object(fields.map(|(key, field)| (key.clone(), without_nulls(field))).collect())
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        _ => value.clone(),
    }
}

/// The fields of `wanted` that `live` does not hold, as dotted paths: a list of another length as a whole.
pub(crate) fn changed(live: &Value, wanted: &Value) -> Vec<String> {
    let below = |step: String, live: &Value, wanted: &Value| {
        let join = |rest: String| match rest.chars().next() {
            None => step.clone(),
            Some('[') => format!("{step}{rest}"),
            Some(_) => format!("{step}.{rest}"),
        };
        changed(live, wanted).into_iter().map(join).collect::<Vec<_>>()
    };
    match (live, wanted) {
        _ if holds(live, wanted) => Vec::new(),
        (Value::Object(live), Value::Object(wanted)) => wanted
            .iter()
            .filter(|(key, value)| live.contains_key(*key) || !is_nothing(value))
            .flat_map(|(key, value)| below(key.clone(), live.get(key).unwrap_or(&Value::Null), value))
            .collect(),
        (Value::Array(live), Value::Array(wanted)) if live.len() == wanted.len() => live
            .iter()
            .zip(wanted)
            .enumerate()
            .flat_map(|(at, (live, wanted))| below(format!("[{at}]"), live, wanted))
            .collect(),
        _ => vec![String::new()],
    }
}

/// The API server leaves out what is empty.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_and_other_peoples_fields_are_no_drift() {
        let wanted = json!({"spec": {"hosts": ["a"], "http": [{"match": 1}]}});
        let live = json!({"spec": {"hosts": ["a"], "http": [{"match": 1, "timeout": "0s"}], "x": 1}, "status": {}});
        assert!(holds(&live, &wanted));
    }

    #[test]
    fn an_added_or_changed_or_missing_value_is_drift() {
        let wanted = json!({"spec": {"hosts": ["a"]}});
        for live in [json!({"spec": {"hosts": ["a", "b"]}}), json!({"spec": {"hosts": ["b"]}}), json!({"spec": {}})] {
            assert!(!holds(&live, &wanted), "{live}");
        }
    }

    #[test]
    fn what_is_empty_may_be_left_out() {
        assert!(holds(&json!({}), &json!({"labels": {}, "list": [], "null": null})));
        assert!(!holds(&json!({}), &json!({"text": ""})));
        assert!(holds(&json!({"env": [{"name": "A"}]}), &json!({"env": [{"name": "A", "value": ""}]})));
        assert!(!holds(&json!({"env": [{"name": "A"}]}), &json!({"env": [{"name": "A", "value": "1"}]})));
    }

    #[test]
    fn what_was_changed_is_named_field_by_field() {
        let wanted = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"mode": "STRICT", "http": [{"port": 80}, {"port": 81}], "empty": []}});
        let live =
            json!({"metadata": {}, "spec": {"mode": "DISABLE", "http": [{"port": 80}, {"port": 8}], "theirs": 1}});
        assert_eq!(changed(&live, &wanted), ["metadata.labels", "spec.http[1].port", "spec.mode"]);
        let shorter = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"mode": "STRICT", "http": []}});
        assert_eq!(changed(&shorter, &wanted), ["spec.http"]);
        assert_eq!(changed(&wanted, &wanted), Vec::<String>::new());
    }

    #[test]
    fn claims_of_resources_are_the_same_in_other_words() {
        let of = |cpu: Value| json!({"resources": {"limits": {"cpu": cpu, "memory": "1Gi"}}});
        assert!(holds(&of(json!("1")), &of(json!("1000m"))) && holds(&of(json!("1")), &of(json!(1))));
        assert!(!holds(&of(json!("1")), &of(json!("1001m"))));
        assert!(!holds(&json!({"resources": {"limits": {}}}), &of(json!("1"))));
        assert!(!holds(&json!({"data": {"cpu": "1"}}), &json!({"data": {"cpu": "1000m"}})), "elsewhere it is a text");
    }

    #[test]
    fn a_shape_has_what_became_of_each_wanted_value() {
        let wanted = json!({"cpu": "1000m", "ports": [{"port": 80}]});
        let live = json!({"cpu": "1", "ports": [{"port": 80, "protocol": "TCP"}], "other": true});
        assert_eq!(shape(&live, &wanted), json!({"cpu": "1", "ports": [{"port": 80}]}));
    }
}
