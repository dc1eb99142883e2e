//! The patches of one outcome, as one patch of each object.
//!
//! A server-side apply says all that its field manager wants of an object: of two, the second would take back what only the first
//! had. So a subject's patches of an object are merged, and [each subject has a field manager of its own](crate::Plugin::patch_manager):
//! merging over subjects would need all of their answers, which a host that was just started does not have.

use mizzen_model::{ObjectRef, Patch};
use serde_json::Value;
use serde_json::map::Entry;

/// Two patches that can't both be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Contradiction {
    /// They want different values of a field.
    #[error("{0} is patched twice, with different values of `{1}`")]
    Value(ObjectRef, String),
    /// They are subject to different paces.
    #[error("{0} is patched twice, under different paces: `{1}` and `{2}`")]
    Pace(ObjectRef, String, String),
}

/// Merges patches of the same object; those that are alike in a field may both have it. The merged one has the place of the first.
pub(crate) fn merged(patches: Vec<Patch>) -> Result<Vec<Patch>, Contradiction> {
    let mut merged: Vec<Patch> = Vec::with_capacity(patches.len());
    let mut places = std::collections::HashMap::new();
    for patch in patches {
        let place = *places.entry(patch.object.clone()).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(first) => add(first, patch)?,
            None => merged.push(patch),
        }
    }
    Ok(merged)
}

fn add(first: &mut Patch, patch: Patch) -> Result<(), Contradiction> {
    let object = &first.object;
    merge(&mut first.fragment, patch.fragment).map_err(|field| Contradiction::Value(object.clone(), field))?;
    match (&first.pace, patch.pace) {
        (Some(one), Some(other)) if *one != other => {
            return Err(Contradiction::Pace(object.clone(), one.clone(), other));
        }
        (None, other) => first.pace = other,
        _ => {}
    }
    if first.reason != patch.reason {
        first.reason = format!("{}; {}", first.reason, patch.reason);
    }
    Ok(())
}

/// Merges one fragment into another; lists are values. The error is the path of the first field with two values.
fn merge(into: &mut Value, from: Value) -> Result<(), String> {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.entry(key) {
                    Entry::Vacant(vacant) => _ = vacant.insert(value),
                    Entry::Occupied(mut occupied) => {
                        let below = |key: &str, rest: String| {
                            if rest.is_empty() { key.into() } else { format!("{key}.{rest}") }
                        };
                        let key = occupied.key().clone();
                        merge(occupied.get_mut(), value).map_err(|rest| below(&key, rest))?;
                    }
                }
            }
            Ok(())
        }
        (into, from) if *into == from => Ok(()),
        _ => Err(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use mizzen_model::Kind;
    use serde_json::json;

    use super::*;

    fn patch(name: &str, fragment: Value, pace: Option<&str>) -> Patch {
        let object = ObjectRef::new(Kind::new("v1", "ConfigMap"), Some("a"), name);
        Patch { object, fragment, pace: pace.map(Into::into), reason: format!("for {name}") }
    }

    #[test]
    fn each_object_is_patched_once_in_the_order_of_its_first() {
        let patches = vec![
            patch("m", json!({"data": {"a": [1]}}), None),
            patch("n", json!({"data": {}}), None),
            patch("m", json!({"data": {"a": [1], "b": {"c": 1}}}), Some("slow")),
        ];
        let merged = merged(patches).unwrap();
        let expected = patch("m", json!({"data": {"a": [1], "b": {"c": 1}}}), Some("slow"));
        assert_eq!(merged, [expected, patch("n", json!({"data": {}}), None)]);
    }

    #[test]
    fn lists_are_not_merged_and_paces_must_be_one() {
        let pair = |a: Patch, b: Patch| merged(vec![a, b]).unwrap_err().to_string();
        let lists = pair(patch("m", json!({"a": {"l": [1]}}), None), patch("m", json!({"a": {"l": [1, 2]}}), None));
        assert!(lists.ends_with("with different values of `a.l`"), "{lists}");
        let paces = pair(patch("m", json!({}), Some("x")), patch("m", json!({}), Some("y")));
        assert!(paces.ends_with("`x` and `y`"), "{paces}");
    }
}
