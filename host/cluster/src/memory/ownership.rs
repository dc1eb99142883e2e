//! Field ownership: a document as the set of its parts, each with its path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::shape::{Relation, Shape};

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A field.
    Key(String),
    /// The element of a keyed list with these key fields (as JSON), or of a set with this value.
    Element(String),
}

/// The path of a part.
pub(super) type Path = Vec<Step>;

/// The parts of a document that are owned one by one, with the values that can conflict. Parts
/// without a value are elements of lists and objects without fields: only their presence is owned.
pub(super) type Parts = BTreeMap<Path, Option<Value>>;

/// An owner of parts of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    /// The field manager.
    pub(super) manager: String,
    /// Whether it owns them by server-side apply, and not by an edit.
    pub(super) applied: bool,
    /// Whether it owns them through the status subresource, whose owners are separate.
    pub(super) status: bool,
}

/// The owners of an object, with their parts.
pub(super) type Owners = BTreeMap<Owner, BTreeSet<Path>>;

/// The metadata fields that the API server sets itself, and that have no owner.
pub(super) const SERVER_FIELDS: &[&str] = &[
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "managedFields",
];

/// The parts of a document; its identity has no owner.
pub(super) fn parts(shape: Shape<'_>, document: &Value) -> Parts {
    let mut found = Parts::new();
    for (field, value) in document.as_object().into_iter().flatten() {
        match &**field {
            "apiVersion" | "kind" => {}
            "metadata" => metadata_parts(shape.field(field), value, &mut found),
            _ => collect(shape.field(field), value, &mut vec![Step::Key(field.clone())], &mut found),
        }
    }
    found
}

fn metadata_parts(shape: Shape<'_>, metadata: &Value, found: &mut Parts) {
    let fields = metadata.as_object().into_iter().flatten();
    for (field, value) in fields.filter(|(field, _)| !SERVER_FIELDS.contains(&&***field)) {
        let mut path = vec![Step::Key("metadata".to_owned()), Step::Key(field.clone())];
        collect(shape.field(field), value, &mut path, found);
    }
}

fn collect(shape: Shape<'_>, value: &Value, path: &mut Path, found: &mut Parts) {
    match (value, shape.relation(value)) {
        (Value::Object(map), Relation::Fields) => {
            if map.is_empty() {
                found.insert(path.clone(), None);
            }
            for (key, value) in map {
                path.push(Step::Key(key.clone()));
                collect(shape.field(key), value, path, found);
                path.pop();
            }
        }
        (Value::Array(items), relation @ (Relation::Set | Relation::Keyed(_))) => {
            // A list whose elements can't be distinguished is owned as a whole.
            let Some(names) = names(&relation, items) else {
                found.insert(path.clone(), Some(value.clone()));
                return;
            };
            for (name, item) in names.into_iter().zip(items) {
                path.push(Step::Element(name));
                found.insert(path.clone(), None);
                if relation != Relation::Set {
                    collect(shape.element(), item, path, found);
                }
                path.pop();
            }
        }
        (leaf, _) => drop(found.insert(path.clone(), Some(leaf.clone()))),
    }
}

/// The names of the elements of a list, in their order; `None` if an element has none.
pub(super) fn names(relation: &Relation, items: &[Value]) -> Option<Vec<String>> {
    items.iter().map(|item| name(relation, item)).collect()
}

/// The name that identifies an element: its key fields, or the element itself, as JSON.
pub(super) fn name(relation: &Relation, item: &Value) -> Option<String> {
    match relation {
        Relation::Whole | Relation::Fields => None,
        Relation::Set => Some(item.to_string()),
        Relation::Keyed(keys) => {
            let fields = item.as_object()?;
            let key = |(key, default): &(String, Option<Value>)| {
                Some((key.clone(), fields.get(key).or(default.as_ref())?.clone()))
            };
            Some(Value::Object(keys.iter().map(key).collect::<Option<Map<_, _>>>()?).to_string())
        }
    }
}

/// The value at a path.
pub(super) fn find<'a>(shape: Shape<'_>, at: &'a Value, path: &[Step]) -> Option<&'a Value> {
    match path.split_first() {
        None => Some(at),
        Some((Step::Key(key), rest)) => find(shape.field(key), at.get(key)?, rest),
        Some((Step::Element(wanted), rest)) => {
            let place = place(shape, at, wanted)?;
            find(shape.element(), at.get(place)?, rest)
        }
    }
}

/// Removes the value at a path.
pub(super) fn remove(shape: Shape<'_>, at: &mut Value, path: &[Step]) {
    match path.split_first() {
        None => {}
        Some((Step::Key(key), [])) => drop(at.as_object_mut().and_then(|map| map.remove(key))),
        Some((Step::Key(key), rest)) => {
            if let Some(below) = at.get_mut(key) {
                remove(shape.field(key), below, rest);
            }
        }
        Some((Step::Element(wanted), rest)) => {
            let place = place(shape, at, wanted);
            let items = at.as_array_mut();
            match (place, items) {
                (Some(place), Some(items)) if rest.is_empty() => drop(items.remove(place)),
                (Some(place), Some(items)) => remove(shape.element(), &mut items[place], rest),
                _ => {}
            }
        }
    }
}

fn place(shape: Shape<'_>, list: &Value, wanted: &str) -> Option<usize> {
    let relation = shape.relation(list);
    list.as_array()?.iter().position(|item| name(&relation, item).is_some_and(|name| name == wanted))
}

/// A path in the notation of the API server's conflicts:
/// `.spec.ports[port=80,protocol="TCP"].name`.
pub(super) fn show(path: &[Step]) -> String {
    path.iter()
        .map(|step| match step {
            Step::Key(key) => format!(".{key}"),
            Step::Element(name) => match serde_json::from_str(name) {
                Ok(Value::Object(keys)) => {
                    let keys: Vec<_> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    format!("[{}]", keys.join(","))
                }
                _ => format!("[={name}]"),
            },
        })
        .collect()
}

/// The owners in a document's `metadata.managedFields`; `None` if it has none.
pub(super) fn recorded(document: &Value) -> Option<Owners> {
    let entries = document["metadata"]["managedFields"].as_array()?;
    let mut owners = Owners::new();
    for entry in entries {
        let owner = Owner {
            manager: entry["manager"].as_str().unwrap_or_default().to_owned(),
            applied: entry["operation"] == "Apply",
            status: entry["subresource"] == "status",
        };
        let mut paths = BTreeSet::new();
        read_fields(&entry["fieldsV1"], &mut Path::new(), &mut paths);
        owners.entry(owner).or_default().extend(paths);
    }
    Some(owners)
}

/// Parses `fieldsV1`: `f:name` is a field, `k:{…}` and `v:…` are elements, `.` is the part itself.
fn read_fields(fields: &Value, path: &mut Path, found: &mut BTreeSet<Path>) {
    for (key, below) in fields.as_object().into_iter().flatten() {
        let step = match key.split_once(':') {
            Some(("f", name)) => Step::Key(name.to_owned()),
            Some(("k" | "v", name)) => {
                Step::Element(serde_json::from_str::<Value>(name).map_or_else(|_| name.to_owned(), |v| v.to_string()))
            }
            _ => {
                found.insert(path.clone());
                continue;
            }
        };
        path.push(step);
        if below.as_object().is_none_or(Map::is_empty) {
            found.insert(path.clone());
        }
        read_fields(below, path, found);
        path.pop();
    }
}
