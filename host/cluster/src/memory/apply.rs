//! Server-side apply: each manager owns what it applies, gives up what it leaves out, and takes from others only by force.

use std::collections::BTreeSet;
use std::sync::Arc;

use mizzen_model::{Fields, Object, ObjectRef};
use serde_json::{Value, json};

use super::WriteRecord;
use super::ownership::{self, leaves};
use super::state::{Entry, State};
use crate::{Apply, ForeignField, Target, WriteError};

impl State {
    pub(super) fn apply(&mut self, apply: &Apply<'_>) -> Result<Arc<Object>, WriteError> {
        let reference = self.reference(apply.document)?;
        self.faulty(&reference.kind)?;
        let held = self.objects.get(&reference).cloned();
        let uid = &apply.document["metadata"]["uid"];
        if uid.is_string() && held.as_ref().is_none_or(|entry| entry.document["metadata"]["uid"] != *uid) {
            return Err(WriteError::Stale {
                object: reference.to_string(),
                message: format!("there is none with uid {uid}"),
            });
        }
        let mut entry = held.clone().unwrap_or_else(|| new_entry(&reference));
        let wanted = leaves(&self.kinds, &reference.kind, &self.part(&reference, apply));
        let manager = (apply.manager.to_owned(), true);
        let conflicts = self.conflicts(&reference, &entry, &wanted, &manager);
        if !conflicts.is_empty() && !apply.force {
            return Err(WriteError::Conflict { object: reference.to_string(), manager: manager.0, fields: conflicts });
        }
        let fresh: BTreeSet<_> = wanted.keys().cloned().collect();
        for (path, value) in &wanted {
            let same = ownership::find(&self.kinds, &reference.kind, &entry.document, path) == Some(value);
            for (owner, owned) in &mut entry.owners {
                if !same && *owner != manager {
                    owned.remove(path);
                }
            }
            ownership::set(&self.kinds, &reference.kind, &mut entry.document, path, value.clone());
        }
        // A manager's status and the rest are owned apart: an apply of one gives nothing of the other up.
        let is_status = |path: &ownership::Path| path.first() == Some(&ownership::Step::Key("status".into()));
        let status_apart = self.kinds.facts(&reference.kind).is_some_and(|facts| facts.status_subresource);
        let before = entry.owners.remove(&manager).unwrap_or_default();
        let (concerned, apart): (BTreeSet<_>, BTreeSet<_>) =
            before.into_iter().partition(|path| !status_apart || is_status(path) == (apply.target == Target::Status));
        for path in concerned.difference(&fresh) {
            if !entry.owners.values().any(|owned| owned.contains(path)) {
                ownership::remove(&self.kinds, &reference.kind, &mut entry.document, path);
            }
        }
        entry.owners.insert(manager, fresh.into_iter().chain(apart).collect());
        entry.owners.retain(|_, owned| !owned.is_empty());
        if held.as_ref().is_none_or(|held| held.document != entry.document || held.owners != entry.owners) {
            let verb = if apply.target == Target::Status { "status" } else { "apply" };
            self.writes.push(WriteRecord { manager: apply.manager.to_owned(), verb, object: reference.clone() });
            self.store(&reference, entry);
        }
        let stored = self.find(&reference).cloned().unwrap_or_default();
        let invalid = |message: String| WriteError::Invalid { object: reference.to_string(), message };
        Object::new(stored, &Fields::Whole).map(Arc::new).map_err(|error| invalid(error.to_string()))
    }

    /// The part of a document that an apply is for.
    fn part(&self, reference: &ObjectRef, apply: &Apply<'_>) -> Value {
        let mut document = apply.document.clone();
        let status_apart = self.kinds.facts(&reference.kind).is_some_and(|facts| facts.status_subresource);
        if let Some(map) = document.as_object_mut() {
            match apply.target {
                Target::Status => map.retain(|key, _| key == "status"),
                Target::Object if status_apart => drop(map.remove("status")),
                Target::Object => {}
            }
        }
        document
    }

    fn conflicts(
        &self,
        reference: &ObjectRef,
        entry: &Entry,
        wanted: &std::collections::BTreeMap<ownership::Path, Value>,
        manager: &(String, bool),
    ) -> Vec<ForeignField> {
        let differs = |path: &ownership::Path, value: &Value| {
            ownership::find(&self.kinds, &reference.kind, &entry.document, path).is_some_and(|own| own != value)
        };
        let owners = |path: &ownership::Path| {
            entry
                .owners
                .iter()
                .filter(|(owner, owned)| *owner != manager && owned.contains(path))
                .map(|(owner, _)| owner.clone())
                .collect::<Vec<_>>()
        };
        let contested = wanted.iter().filter(|(path, value)| differs(path, value));
        contested
            .flat_map(|(path, _)| {
                owners(path).into_iter().map(|(manager, applied)| ForeignField {
                    field: ownership::show(path),
                    manager,
                    applied,
                })
            })
            .collect()
    }
}

fn new_entry(reference: &ObjectRef) -> Entry {
    let mut metadata = json!({"name": reference.name});
    if let Some(namespace) = &reference.namespace {
        metadata["namespace"] = json!(namespace);
    }
    let document = json!({"apiVersion": reference.kind.api_version, "kind": reference.kind.name, "metadata": metadata});
    Entry { document, ..Entry::default() }
}
