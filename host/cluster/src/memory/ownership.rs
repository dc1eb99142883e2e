//! Who owns which field: a document as the set of its leaves, and the ways to look up, set and remove one.

use std::collections::BTreeMap;

use mizzen_model::Kind;
use serde_json::{Map, Value};

use super::kinds::{Kinds, ListType};

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A field.
    Key(String),
    /// The element of a keyed list with these key fields (as JSON), or of a set with this value.
    Element(String),
}

/// Way to a leaf.
pub(super) type Path = Vec<Step>;

/// The leaves of a document: what is owned one by one. Identity is nobody's.
pub(super) fn leaves(kinds: &Kinds, kind: &Kind, document: &Value) -> BTreeMap<Path, Value> {
    let mut found = BTreeMap::new();
    collect(kinds, kind, document, &mut Vec::new(), &mut found);
    let key = |name: &str| Step::Key(name.to_owned());
    let nobodys = [vec![key("apiVersion")], vec![key("kind")]];
    let servers = [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "managedFields",
    ];
    found.retain(|path, _| {
        let of_server = servers.iter().any(|name| path.starts_with(&[key("metadata"), key(name)]));
        !nobodys.contains(path) && !of_server && *path != [key("metadata")]
    });
    found
}

fn collect(kinds: &Kinds, kind: &Kind, value: &Value, path: &mut Path, found: &mut BTreeMap<Path, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                path.push(Step::Key(key.clone()));
                collect(kinds, kind, value, path, found);
                path.pop();
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let list_type = kinds.list_type(kind, &keys_of(path));
            let names: Option<Vec<_>> = items.iter().map(|item| element_name(&list_type, item)).collect();
            match names {
                Some(names) => {
                    for (name, item) in names.into_iter().zip(items) {
                        path.push(Step::Element(name));
                        collect(kinds, kind, item, path, found);
                        path.pop();
                    }
                }
                None => drop(found.insert(path.clone(), value.clone())),
            }
        }
        leaf => drop(found.insert(path.clone(), leaf.clone())),
    }
}

/// The value at a path.
pub(super) fn find<'a>(kinds: &Kinds, kind: &Kind, document: &'a Value, path: &[Step]) -> Option<&'a Value> {
    let mut at = document;
    for (depth, step) in path.iter().enumerate() {
        at = match step {
            Step::Key(key) => at.get(key)?,
            Step::Element(name) => {
                let list_type = kinds.list_type(kind, &keys_of(&path[..depth]));
                at.as_array()?.iter().find(|item| element_name(&list_type, item).as_ref() == Some(name))?
            }
        };
    }
    Some(at)
}

/// Sets the value at a path, making what leads there.
pub(super) fn set(kinds: &Kinds, kind: &Kind, document: &mut Value, path: &[Step], value: Value) {
    let mut at = document;
    for (depth, step) in path.iter().enumerate() {
        match step {
            Step::Key(key) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                let Some(map) = at.as_object_mut() else { return };
                at = map.entry(key.clone()).or_insert(Value::Null);
            }
            Step::Element(name) => {
                let list_type = kinds.list_type(kind, &keys_of(&path[..depth]));
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let Some(items) = at.as_array_mut() else { return };
                let place = items.iter().position(|item| element_name(&list_type, item).as_ref() == Some(name));
                let place = place.unwrap_or_else(|| {
                    items.push(serde_json::from_str(name).unwrap_or_default());
                    items.len() - 1
                });
                at = &mut items[place];
            }
        }
    }
    *at = value;
}

/// Removes what is at a path, and what is empty for it.
pub(super) fn remove(kinds: &Kinds, kind: &Kind, document: &mut Value, path: &[Step]) {
    remove_below(kinds, kind, document, path, 0);
}

/// `true`: the value is empty now, and can go too.
fn remove_below(kinds: &Kinds, kind: &Kind, at: &mut Value, path: &[Step], depth: usize) -> bool {
    let Some(step) = path.get(depth) else { return true };
    match (step, &mut *at) {
        (Step::Key(key), Value::Object(map)) => {
            if map.get_mut(key).is_some_and(|value| remove_below(kinds, kind, value, path, depth + 1)) {
                map.remove(key);
            }
            map.is_empty()
        }
        (Step::Element(name), Value::Array(items)) => {
            let list_type = kinds.list_type(kind, &keys_of(&path[..depth]));
            if let Some(place) = items.iter().position(|item| element_name(&list_type, item).as_ref() == Some(name)) {
                let gone = remove_below(kinds, kind, &mut items[place], path, depth + 1);
                let only_keys =
                    element_name(&list_type, &items[place]).is_some_and(|name| *name == *items[place].to_string());
                if gone || only_keys {
                    items.remove(place);
                }
            }
            items.is_empty()
        }
        _ => false,
    }
}

/// A path as the API server writes it in a conflict.
pub(super) fn show(path: &[Step]) -> String {
    path.iter()
        .map(|step| match step {
            Step::Key(key) => format!(".{key}"),
            Step::Element(name) => format!("[{name}]"),
        })
        .collect()
}

/// What tells an element from the others: its key fields, or itself, as JSON.
fn element_name(list_type: &ListType, item: &Value) -> Option<String> {
    match list_type {
        ListType::Atomic => None,
        ListType::Set => Some(item.to_string()),
        ListType::Map(keys) => {
            let fields: Option<Map<String, Value>> =
                keys.iter().map(|key| Some((key.clone(), item.get(key)?.clone()))).collect();
            Some(Value::Object(fields?).to_string())
        }
    }
}

fn keys_of(path: &[Step]) -> Vec<&str> {
    path.iter().filter_map(|step| if let Step::Key(key) = step { Some(&**key) } else { None }).collect()
}
