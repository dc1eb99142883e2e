//! Two wishes made one: what is applied, put into what is there, and what nobody wants any more, taken out.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::ownership::{self, Path, Step};
use super::shape::{Relation, Shape};

/// What is there with what is wanted put into it.
pub(super) fn merge(shape: Shape<'_>, live: Value, wanted: &Value) -> Value {
    match (live, wanted, shape.relation(wanted)) {
        (Value::Object(mut live), Value::Object(wanted), Relation::Fields) => {
            for (key, value) in wanted {
                let own = live.remove(key).unwrap_or_default();
                live.insert(key.clone(), merge(shape.field(key), own, value));
            }
            Value::Object(live)
        }
        (Value::Array(live), Value::Array(wanted), relation @ (Relation::Set | Relation::Keyed(_))) => {
            merge_lists(shape, live, wanted, &relation)
        }
        _ => wanted.clone(),
    }
}

/// Wanted elements come in the order in which they are wanted; each of the others stays before the wanted one that followed it.
fn merge_lists(shape: Shape<'_>, live: Vec<Value>, wanted: &[Value], relation: &Relation) -> Value {
    let (Some(live_names), Some(wanted_names)) =
        (ownership::names(relation, &live), ownership::names(relation, wanted))
    else {
        return Value::Array(wanted.to_vec());
    };
    let is_wanted: HashSet<&String> = wanted_names.iter().collect();
    let mut shared: HashMap<&String, Value> = HashMap::new();
    let mut order: Vec<(&String, Option<Value>)> = Vec::new();
    for (name, item) in live_names.iter().zip(live) {
        if is_wanted.contains(name) {
            shared.entry(name).or_insert(item);
            order.push((name, None));
        } else {
            order.push((name, Some(item)));
        }
    }
    let mut merged = Vec::new();
    let mut rest = wanted_names.iter().zip(wanted).peekable();
    let shared_names: Vec<&String> = wanted_names.iter().filter(|name| shared.contains_key(*name)).collect();
    let mut next_shared = shared_names.into_iter().peekable();
    for (name, other) in order {
        if let Some(item) = other {
            merged.push(item);
        } else if next_shared.peek() == Some(&name) {
            next_shared.next();
            for (wanted_name, item) in rest.by_ref() {
                let own = shared.remove(wanted_name).unwrap_or_default();
                merged.push(merge(shape.element(), own, item));
                if wanted_name == name {
                    break;
                }
            }
        }
    }
    for (name, item) in rest {
        let own = shared.remove(name).unwrap_or_default();
        merged.push(merge(shape.element(), own, item));
    }
    Value::Array(merged)
}

/// Takes out what was given up, with whatever around it nobody owns a part of (such as defaults beside it).
pub(super) fn prune<'a>(
    shape: Shape<'_>,
    document: &mut Value,
    given_up: impl IntoIterator<Item = &'a Path>,
    owned: &BTreeSet<Path>,
) {
    let is_owned = |part: &[Step]| owned.range(part.to_vec()..).next().is_some_and(|path| path.starts_with(part));
    for path in given_up {
        let ends = 1..=path.len();
        let unowned = ends.map(|end| &path[..end]).find(|part| !is_metadata(part) && !is_owned(part));
        if let Some(part) = unowned {
            ownership::remove(shape, document, part);
        }
    }
}

fn is_metadata(part: &[Step]) -> bool {
    matches!(part, [Step::Key(key)] if key == "metadata")
}
