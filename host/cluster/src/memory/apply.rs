//! Server-side apply: each field manager owns the fields that it applies, gives up those that it
//! leaves out, and takes over fields of others only by force.

use std::collections::BTreeSet;
use std::sync::Arc;

use mizzen_model::{Fields, Object, ObjectRef};
use serde_json::Value;

use super::kinds::{Kinds, Namespaces};
use super::merge::{merge, prune};
use super::ownership::{self, Owner, Parts, Step, parts};
use super::problem::Refusal;
use super::served::Served;
use super::shape::Shape;
use super::state::{Entry, State};
use crate::error::ForeignField;
use crate::write::{Apply, Target};

/// The part of an object that an apply writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Everything, of a kind whose status is a field like any other.
    Whole,
    /// Everything but the status, which is a subresource.
    WithoutStatus,
    /// The status, of a kind whose status is a field like any other.
    Status,
    /// The status, which is a subresource.
    StatusSubresource,
}

// === impl Part ===

impl Part {
    fn of(target: Target, served: Option<&Served>) -> Self {
        let is_subresource = served.is_some_and(|served| served.facts.status_subresource);
        match target {
            Target::Object if is_subresource => Self::WithoutStatus,
            Target::Object => Self::Whole,
            Target::Status if is_subresource => Self::StatusSubresource,
            Target::Status => Self::Status,
        }
    }
}

// === impl State ===

impl State {
    /// Applies a document and returns the whole object as it is afterwards. `verb` goes into the
    /// record of the write.
    pub(super) fn apply(&mut self, apply: &Apply<'_>, verb: &'static str) -> Result<Arc<Object>, Refusal> {
        let reference = self.kinds.reference(apply.document, Namespaces::Stated)?;
        let key = self.stored(&reference);
        let held = self.objects.get(&key).cloned();
        let part = Part::of(apply.target, self.kinds.get(&key.kind));
        check_identity(apply.document, held.as_deref(), part)?;
        self.kinds.check_part(&reference.kind, apply.document)?;
        let wanted = wanted(&self.kinds, &reference, apply, part);

        let mut entry = held.as_deref().cloned().unwrap_or_default();
        let shape = self.kinds.shape(&reference.kind);
        let status = part == Part::StatusSubresource;
        let owner = Owner { manager: apply.manager.to_owned(), applied: true, status };
        let fields = parts(shape, &wanted);
        let contested = contested(shape, &entry, &fields, &owner);
        if !contested.is_empty() && !apply.force {
            return Err(Refusal::Conflict {
                manager: owner.manager,
                fields: contested.into_iter().map(foreign).collect(),
            });
        }
        for (path, other) in contested {
            if let Some(owned) = entry.owners.get_mut(&other) {
                owned.remove(&path);
            }
        }
        let before = entry.owners.remove(&owner).unwrap_or_default();
        entry.owners.insert(owner, fields.into_keys().collect());
        entry.owners.retain(|_, owned| !owned.is_empty());

        let mut document = merge(shape, entry.document, &wanted);
        let claimed: BTreeSet<_> = entry.owners.values().flatten().cloned().collect();
        prune(shape, &mut document, before.difference(&claimed), &claimed);
        if held.as_ref().is_some_and(|held| gains_finalizers(&held.document, &document)) {
            return Err(Refusal::invalid("metadata.finalizers", "can't be added while the object is being deleted"));
        }
        entry.document = self.kinds.admit(&reference.kind, document)?;
        if held.is_none_or(|held| held.document != entry.document || held.owners != entry.owners) {
            self.record(apply.manager, verb, &reference);
            self.store(&key, entry.clone());
        }
        // The apply may have removed the last finalizer of a deleted object: then the result is its
        // last state.
        let document = self.find(&reference).unwrap_or(entry.document);
        let object = Object::new(document, &Fields::Whole);
        object.map(Arc::new).map_err(|error| Refusal::invalid("", error.to_string()))
    }
}

/// The part of a document that an apply writes.
fn wanted(kinds: &Kinds, reference: &ObjectRef, apply: &Apply<'_>, part: Part) -> Value {
    let mut wanted = apply.document.clone();
    kinds.drop_nulls(&reference.kind, &mut wanted);
    if let Some(map) = wanted.as_object_mut() {
        match part {
            Part::Status | Part::StatusSubresource => {
                map.retain(|key, _| matches!(&**key, "apiVersion" | "kind" | "metadata" | "status"));
            }
            Part::WithoutStatus => drop(map.remove("status")),
            Part::Whole => {}
        }
    }
    // The server sets these fields itself, except the name; and a status has no metadata of its
    // own.
    let set_by_server = |key: &str| ownership::SERVER_FIELDS.contains(&key) || apply.target == Target::Status;
    if let Some(metadata) = wanted.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| matches!(&**key, "name" | "namespace") || !set_by_server(key));
    }
    wanted
}

fn check_identity(document: &Value, held: Option<&Entry>, part: Part) -> Result<(), Refusal> {
    let metadata = &document["metadata"];
    if metadata["managedFields"].as_array().is_some_and(|fields| !fields.is_empty()) {
        return Err(Refusal::invalid("metadata.managedFields", "must not be set in an apply"));
    }
    let own = held.map(|held| &held.document["metadata"]);
    match (&metadata["uid"], own) {
        (_, None) if part == Part::StatusSubresource => Err(Refusal::Absent),
        (Value::String(uid), None) => Err(Refusal::Stale(format!("no object has uid {uid}"))),
        (Value::String(uid), Some(own)) if own["uid"] != **uid => {
            Err(Refusal::Stale(format!("its uid is {}, not {uid}", own["uid"])))
        }
        _ => match (&metadata["resourceVersion"], own) {
            (Value::String(version), Some(own)) if own["resourceVersion"] != **version => {
                Err(Refusal::Stale(format!("its resourceVersion is {}, not {version}", own["resourceVersion"])))
            }
            _ => Ok(()),
        },
    }
}

/// The parts that other field managers own and that the apply would change: other values, and parts
/// that are missing.
fn contested(shape: Shape<'_>, entry: &Entry, wanted: &Parts, owner: &Owner) -> BTreeSet<(ownership::Path, Owner)> {
    let mut contested = BTreeSet::new();
    let mut contest = |path: &[Step]| {
        let others = entry.owners.iter().filter(|(other, owned)| *other != owner && owned.contains(path));
        contested.extend(others.map(|(other, _)| (path.to_vec(), other.clone())));
    };
    for (path, value) in wanted {
        let Some(own) = ownership::find(shape, &entry.document, path) else {
            let is_new = |end: &usize| ownership::find(shape, &entry.document, &path[..*end]).is_none();
            (1..=path.len()).filter(is_new).for_each(|end| contest(&path[..end]));
            continue;
        };
        if value.as_ref().is_some_and(|value| value != own) {
            contest(path);
        }
    }
    contested
}

fn foreign((path, owner): (ownership::Path, Owner)) -> ForeignField {
    ForeignField { field: ownership::show(&path), manager: owner.manager, applied: owner.applied }
}

fn gains_finalizers(before: &Value, after: &Value) -> bool {
    let finalizers = |document: &Value| document["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let held = finalizers(before);
    before["metadata"]["deletionTimestamp"].is_string() && finalizers(after).iter().any(|new| !held.contains(new))
}
