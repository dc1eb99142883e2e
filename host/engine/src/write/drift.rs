//! Whether a live object still has the wanted values.
//!
//! The API server fills in defaults and other managers own other fields, so a live object never equals what was
//! applied: it *holds* it. The API server also rewrites quantities (`1000m` becomes `1`), which is known here, so
//! that a restarted host sees no drift in them. Where it rewrites other values, the digest of the [live
//! values](live_values) after the write tells that nothing changed since.

use mizzen_k8s::Quantity;
use mizzen_model::Digest;
use serde_json::{Map, Value};

/// The fields with quantities of resources, in pod templates and quotas.
const QUANTITIES: [&str; 3] = ["requests", "limits", "hard"];

/// Whether `live` has everything in `wanted`. Lists must have the same length: an added element is drift, too. An empty
/// `value` of an environment variable may be absent: the API server omits it.
pub(super) fn holds(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(key, value)| match live.get(key) {
            None => is_empty(value) || key == "value" && value == "" && wanted.contains_key("name"),
            Some(own) => holds(own, value) || QUANTITIES.contains(&&**key) && same_quantities(own, value),
        }),
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| holds(live, wanted))
        }
        _ => live == wanted,
    }
}

/// Whether `live` has the same quantity of each resource in `wanted`, however it is written.
fn same_quantities(live: &Value, wanted: &Value) -> bool {
    let (Value::Object(live), Value::Object(wanted)) = (live, wanted) else { return false };
    wanted.iter().all(|(resource, wanted)| live.get(resource).is_some_and(|live| Quantity::same(live, wanted)))
}

/// The values that `live` has in the fields of `wanted`.
fn live_values(live: &Value, wanted: &Value) -> Value {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            let fields =
                wanted.iter().filter_map(|(key, value)| Some((key.clone(), live_values(live.get(key)?, value))));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        (Value::Array(live), Value::Array(wanted)) if live.len() == wanted.len() => {
            live.iter().zip(wanted).map(|(live, wanted)| live_values(live, wanted)).collect()
        }
        _ => live.clone(),
    }
}

/// The digest of the values that `live` has in the fields of `wanted`.
pub(super) fn digest(live: &Value, wanted: &Value) -> Digest {
    Digest::of_json(&live_values(live, wanted))
}

/// A copy without the fields that are null, at any depth.
pub(super) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.iter().filter(|(_, field)| !field.is_null());
            Value::Object(fields.map(|(key, field)| (key.clone(), without_nulls(field))).collect())
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        _ => value.clone(),
    }
}

/// The fields of `wanted` that `live` does not hold, as dotted paths; a list of another length is one field.
pub(super) fn changed(live: &Value, wanted: &Value) -> Vec<String> {
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
            .filter(|(key, value)| live.contains_key(*key) || !is_empty(value))
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

/// Whether the API server may omit a value.
fn is_empty(value: &Value) -> bool {
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
    fn defaults_and_fields_of_other_managers_are_no_drift() {
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
    fn an_empty_value_may_be_absent() {
        assert!(holds(&json!({}), &json!({"labels": {}, "list": [], "null": null})));
        assert!(!holds(&json!({}), &json!({"text": ""})));
        assert!(holds(&json!({"env": [{"name": "A"}]}), &json!({"env": [{"name": "A", "value": ""}]})));
        assert!(!holds(&json!({"env": [{"name": "A"}]}), &json!({"env": [{"name": "A", "value": "1"}]})));
    }

    #[test]
    fn changed_fields_are_named_one_by_one() {
        let wanted = json!({"metadata": {"labels": {"a": "b"}},
            "spec": {"mode": "STRICT", "http": [{"port": 80}, {"port": 81}], "empty": []}});
        let live =
            json!({"metadata": {}, "spec": {"mode": "DISABLE", "http": [{"port": 80}, {"port": 8}], "theirs": 1}});
        assert_eq!(changed(&live, &wanted), ["metadata.labels", "spec.http[1].port", "spec.mode"]);
        let shorter = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"mode": "STRICT", "http": []}});
        assert_eq!(changed(&shorter, &wanted), ["spec.http"]);
        assert_eq!(changed(&wanted, &wanted), Vec::<String>::new());
    }

    #[test]
    fn quantities_written_differently_are_no_drift() {
        let of = |cpu: Value| json!({"resources": {"limits": {"cpu": cpu, "memory": "1Gi"}}});
        assert!(holds(&of(json!("1")), &of(json!("1000m"))) && holds(&of(json!("1")), &of(json!(1))));
        assert!(!holds(&of(json!("1")), &of(json!("1001m"))));
        assert!(!holds(&json!({"resources": {"limits": {}}}), &of(json!("1"))));
        assert!(!holds(&json!({"data": {"cpu": "1"}}), &json!({"data": {"cpu": "1000m"}})), "elsewhere it is text");
    }

    #[test]
    fn live_values_are_those_of_the_wanted_fields() {
        let wanted = json!({"cpu": "1000m", "ports": [{"port": 80}]});
        let live = json!({"cpu": "1", "ports": [{"port": 80, "protocol": "TCP"}], "other": true});
        assert_eq!(live_values(&live, &wanted), json!({"cpu": "1", "ports": [{"port": 80}]}));
    }
}
