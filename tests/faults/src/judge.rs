//! What must hold after a run.

use std::collections::BTreeMap;

use mizzen_cluster::RECONCILER_LABEL;
use mizzen_cluster::memory::{Memory, WriteRecord};
use mizzen_model::ObjectRef;
use serde_json::Value;

use crate::world::{FAR, HERE, config_map, shop};

/// Something that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub of: &'static str,
    pub what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.of, self.what)
    }
}

fn holds(of: &'static str, broken: &[String]) -> Result<(), Violation> {
    if broken.is_empty() { Ok(()) } else { Err(Violation { of, what: broken.join("; ") }) }
}

/// Nothing outside of a grant was written.
pub fn grants(writes: &[WriteRecord]) -> Result<(), Violation> {
    let is_granted = |write: &&WriteRecord| {
        let ObjectRef { kind, namespace, .. } = &write.object;
        let within = namespace.as_deref().is_some_and(|own| own == HERE || own == FAR);
        *kind == config_map() && within || *kind == shop() && matches!(write.verb, "status" | "finalizer")
    };
    let outside = writes.iter().filter(|write| !is_granted(write)).map(|write| format!("{write:?}"));
    holds("nothing outside of a grant is written", &outside.collect::<Vec<_>>())
}

/// Nothing was pruned that a complete outcome wanted.
pub fn pruned(pruned: &[String]) -> Result<(), Violation> {
    holds("nothing is pruned that a complete outcome wants", pruned)
}

/// The end is that of an undisturbed run.
pub fn same(disturbed: &Memory, undisturbed: &Memory) -> Result<(), Violation> {
    let (own, other) = (objects(disturbed), objects(undisturbed));
    let mut differences = Vec::new();
    for key in own.keys().chain(other.keys().filter(|key| !own.contains_key(*key))) {
        if own.get(key) != other.get(key) {
            let text = |document: Option<&Value>| document.map_or("nothing".to_owned(), ToString::to_string);
            differences.push(format!("{key} is {}, and without faults {}", text(own.get(key)), text(other.get(key))));
        }
    }
    holds("the end is that of an undisturbed run", &differences)
}

/// Writes have stopped.
pub fn quiet(writes: &[WriteRecord], requests: usize) -> Result<(), Violation> {
    let mut broken: Vec<_> = writes.iter().map(|write| format!("{write:?}")).collect();
    if requests > 0 {
        broken.push(format!("{requests} requests"));
    }
    holds("writes stop", &broken)
}

/// Every finalizer has ended, and nothing that was applied is left.
pub fn gone(memory: &Memory) -> Result<(), Violation> {
    let is_left = |(key, document): &(ObjectRef, Value)| {
        key.kind == shop() || document["metadata"]["labels"][RECONCILER_LABEL].is_string()
    };
    let left = memory.objects().into_iter().filter(is_left);
    holds("every finalizer ends and nothing is left", &left.map(|(_, own)| own.to_string()).collect::<Vec<_>>())
}

/// All objects without what differs from run to run.
fn objects(memory: &Memory) -> BTreeMap<ObjectRef, Value> {
    memory.objects().into_iter().map(|(key, document)| (key, comparable(document))).collect()
}

fn comparable(mut document: Value) -> Value {
    let remove = |value: &mut Value, fields: &[&str]| {
        if let Some(map) = value.as_object_mut() {
            map.retain(|field, _| !fields.contains(&&**field));
        }
    };
    // A finalizer stays once it is there, and a digest has the uid of the subject in it.
    let own = ["uid", "resourceVersion", "generation", "creationTimestamp", "ownerReferences", "finalizers"];
    remove(&mut document["metadata"], &own);
    if let Some(applied) = document.pointer_mut("/metadata/annotations/mizzen.dev~1applied") {
        *applied = applied.as_str().and_then(|own| own.split_once('.')).map(|(mark, _)| mark.to_owned()).into();
    }
    for condition in document.pointer_mut("/status/conditions").and_then(Value::as_array_mut).into_iter().flatten() {
        remove(condition, &["lastTransitionTime", "observedGeneration"]);
    }
    if let Some(conditions) = document.pointer_mut("/status/conditions").and_then(Value::as_array_mut) {
        conditions.sort_by_key(|condition| condition["type"].to_string());
    }
    document
}
