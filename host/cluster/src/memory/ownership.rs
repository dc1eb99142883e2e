//! Who owns which field: a document as the set of its parts, each with the way that leads to it.

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

/// The way to a part.
pub(super) type Path = Vec<Step>;

/// The parts of a document that are owned one by one; with its value each that others could want to be different. The rest are
/// elements of lists and objects without fields: being there is all there is to own of them.
pub(super) type Parts = BTreeMap<Path, Option<Value>>;

/// Somebody who owns parts of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    /// The field manager.
    pub(super) manager: String,
    /// Whether by server-side apply, and not by editing.
    pub(super) applied: bool,
    /// Whether through the status subresource, which is owned apart from the rest.
    pub(super) status: bool,
}

/// Who owns what of an object.
pub(super) type Owners = BTreeMap<Owner, BTreeSet<Path>>;

/// What of the metadata the API server sets itself, and nobody owns.
pub(super) const SERVERS: &[&str] = &[
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

/// The parts of a document. Identity is nobody's.
pub(super) fn parts(shape: Shape<'_>, document: &Value) -> Parts {
    let mut found = Parts::new();
    for (field, value) in document.as_object().into_iter().flatten() {
        let mut path = vec![Step::Key(field.clone())];
        match &**field {
            "apiVersion" | "kind" => {}
            "metadata" => {
                let of_metadata = shape.field(field);
                for (field, value) in value.as_object().into_iter().flatten() {
                    if !SERVERS.contains(&&**field) {
                        path.push(Step::Key(field.clone()));
                        collect(of_metadata.field(field), value, &mut path, &mut found);
                        path.pop();
                    }
                }
            }
            _ => collect(shape.field(field), value, &mut path, &mut found),
        }
    }
    found
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
            // Elements that can't be told apart leave the list to be owned as a whole.
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

/// The names of a list's elements, in their order; `None` when one has none.
pub(super) fn names(relation: &Relation, items: &[Value]) -> Option<Vec<String>> {
    items.iter().map(|item| name(relation, item)).collect()
}

/// What tells an element from the others: its key fields, or itself, as JSON.
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

/// Takes out what is at a path.
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

/// A path as the API server writes it in a conflict: `.spec.ports[port=80,protocol="TCP"].name`.
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

/// The owners that a document's `metadata.managedFields` tell of, when it has them.
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

/// Reads the API server's notation: `f:name` is a field, `k:{…}` and `v:…` are elements, `.` is the part itself.
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
