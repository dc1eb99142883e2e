//! The patches of one outcome, merged so that each object has one.
//!
//! A server-side apply states everything that its field manager wants of an object: a second patch would remove what
//! only the first one set. So a subject's patches of an object are merged. Patches of several subjects are not, and
//! [each subject has a field manager of its own](crate::Plugin::patch_manager): merging them would need the outcomes
//! of all subjects, which a restarted host does not have.

use std::collections::HashMap;

use mizzen_model::{Digest, ObjectRef, Patch};
use serde_json::Value;

/// The patch of one object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PreparedPatch {
    pub(crate) patch: Patch,
    /// Digest of the fragment.
    pub(crate) digest: Digest,
}

/// Two patches of an outcome that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Contradiction {
    /// They set a field to different values.
    #[error("{0} is patched twice, with different values of `{1}`")]
    Value(ObjectRef, String),
    /// They name different paces.
    #[error("{0} is patched twice, under different paces: `{1}` and `{2}`")]
    Pace(ObjectRef, String, String),
}

/// The path of a field, relative to the merged values.
#[derive(Debug, Default)]
struct Path(String);

/// Merges the patches of each object, in the order of the first patch of each.
///
/// # Errors
/// Two patches of an object set a field to different values, or name different paces. Equal values may be set twice.
pub(super) fn merged(patches: Vec<Patch>) -> Result<Vec<PreparedPatch>, Contradiction> {
    let mut merged: Vec<Patch> = Vec::with_capacity(patches.len());
    let mut places = HashMap::new();
    for patch in patches {
        let place = *places.entry(patch.object.clone()).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(first) => add(first, patch)?,
            None => merged.push(patch),
        }
    }
    let prepared = |patch: Patch| PreparedPatch { digest: Digest::of_json(&patch.fragment), patch };
    Ok(merged.into_iter().map(prepared).collect())
}

fn add(first: &mut Patch, patch: Patch) -> Result<(), Contradiction> {
    let object = &first.object;
    merge(&mut first.fragment, patch.fragment).map_err(|Path(field)| Contradiction::Value(object.clone(), field))?;
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

/// Merges one fragment into another. Lists are values. The error is the first field with two values.
fn merge(into: &mut Value, from: Value) -> Result<(), Path> {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => from.into_iter().try_for_each(|(key, value)| {
            if let Some(own) = into.get_mut(&key) {
                return merge(own, value).map_err(|path| path.below(&key));
            }
            into.insert(key, value);
            Ok(())
        }),
        (into, from) if *into == from => Ok(()),
        _ => Err(Path::default()),
    }
}

// === impl Path ===

impl Path {
    fn below(self, key: &str) -> Self {
        if self.0.is_empty() { Self(key.to_owned()) } else { Self(format!("{key}.{}", self.0)) }
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
        let merged: Vec<_> = merged(patches).unwrap().into_iter().map(|prepared| prepared.patch).collect();
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
