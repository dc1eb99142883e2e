//! Merges an applied document into the live one, and removes the fields that no field manager owns
//! any more.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::ownership::{self, Path, Step};
use super::shape::{Relation, Shape};

/// The live value with the applied one merged into it.
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

/// Applied elements come in the order in which they are applied; each of the others stays before
/// the applied element that followed it.
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
    let mut merged_with =
        |(name, item): (&String, &Value)| merge(shape.element(), shared.remove(name).unwrap_or_default(), item);
    for (name, other) in order {
        if let Some(item) = other {
            merged.push(item);
        } else if next_shared.peek() == Some(&name) {
            next_shared.next();
            for (wanted_name, item) in rest.by_ref() {
                merged.push(merged_with((wanted_name, item)));
                if wanted_name == name {
                    break;
                }
            }
        }
    }
    merged.extend(rest.map(merged_with));
    Value::Array(merged)
}

/// Removes the parts that were given up, together with the values around them that have no owner
/// (such as defaults).
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
