//! The objects of a cluster in memory, and how an object is stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mizzen_model::{Digest, Kind, ObjectRef};
use serde_json::Value;

use super::crd::DEFINITION;
use super::kinds::{Kinds, Namespaces};
use super::metadata::has_finalizers;
use super::ownership::{self, Owner, Owners, parts};
use super::problem::Refusal;
use super::record::WriteRecord;
use super::served::Served;
use super::views::Views;
use crate::error::WriteError;
use crate::write::EventRecord;

/// The creation time of objects that have none, and the time of every deletion: time stands still
/// here, so that equal clusters compare equal.
const TIME: &str = "2000-01-01T00:00:00Z";

/// The metadata that a replacement of the object can not change.
const KEPT: &[&str] = &["uid", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"];

/// One object with the owners of its fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) document: Value,
    pub(super) owners: Owners,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) kinds: Kinds,
    /// By reference, in the stored version.
    pub(super) objects: BTreeMap<ObjectRef, Arc<Entry>>,
    pub(super) views: Views,
    pub(super) writes: Vec<WriteRecord>,
    pub(super) requests: usize,
    pub(super) events: Vec<EventRecord>,
    pub(super) write_faults: HashMap<Kind, WriteError>,
    revision: u64,
}

impl State {
    /// A copy of the objects, without watches, failures, Events and recorded writes.
    pub(super) fn snapshot(&self) -> Self {
        let (kinds, objects) = (self.kinds.clone(), self.objects.clone());
        Self { kinds, objects, revision: self.revision, ..Self::default() }
    }

    /// The reference in the stored version.
    pub(super) fn stored(&self, object: &ObjectRef) -> ObjectRef {
        let kind = self.kinds.get(&object.kind).map_or(&object.kind, |served| &served.storage);
        ObjectRef { kind: kind.clone(), ..object.clone() }
    }

    pub(super) fn entry(&self, object: &ObjectRef) -> Option<&Arc<Entry>> {
        self.objects.get(&self.stored(object))
    }

    /// A document, in the requested version.
    pub(super) fn find(&self, object: &ObjectRef) -> Option<Value> {
        self.entry(object).map(|entry| self.kinds.as_version(&entry.document, &object.kind))
    }

    /// Sees to it that later revisions are after this one.
    pub(super) fn advance_to(&mut self, revision: u64) {
        self.revision = self.revision.max(revision);
    }

    /// Counts a write request, and fails it if [`Memory::fail_writes`](super::Memory::fail_writes)
    /// says so.
    pub(super) fn request(&mut self, kind: &Kind) -> Result<(), WriteError> {
        self.requests += 1;
        self.write_faults.get(kind).map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Creates or replaces an object as an edit would: `manager` then owns the fields that differ.
    pub(super) fn put(&mut self, manager: &str, document: &Value) -> Result<(), Refusal> {
        let reference = self.kinds.reference(document, Namespaces::Defaulted)?;
        let held = self.entry(&reference).cloned();
        let mut document = document.clone();
        let recorded = ownership::recorded(&document).filter(|_| held.is_none());
        self.kinds.decode_nulls(&reference.kind, &mut document);
        let metadata = &mut document["metadata"];
        match &reference.namespace {
            Some(namespace) => metadata["namespace"] = Value::from(&**namespace),
            None => drop(metadata.as_object_mut().and_then(|metadata| metadata.remove("namespace"))),
        }
        drop(metadata.as_object_mut().and_then(|metadata| metadata.remove("managedFields")));
        if let Some(held) = &held {
            let (own, uid) = (&held.document["metadata"], &metadata["uid"]);
            if uid.is_string() && *uid != own["uid"] {
                return Err(Refusal::Stale(format!("its uid is not {uid}")));
            }
            for field in KEPT {
                match own.get(field) {
                    Some(value) => metadata[*field] = value.clone(),
                    None => drop(metadata.as_object_mut().and_then(|metadata| metadata.remove(*field))),
                }
            }
        }
        let document = self.kinds.admit(&reference.kind, document)?;
        let key = self.stored(&reference);
        let shape = self.kinds.shape(&key.kind);
        let held = held.unwrap_or_default();
        let (before, after) = (parts(shape, &held.document), parts(shape, &document));
        let differs = |path: &&ownership::Path| before.get(*path) != after.get(*path);
        let edited: BTreeSet<_> = before.keys().chain(after.keys()).filter(differs).cloned().collect();
        let owners = recorded.unwrap_or_else(|| {
            let mut owners = held.owners.clone();
            for owned in owners.values_mut() {
                owned.retain(|path| !edited.contains(path));
            }
            let editor = Owner { manager: manager.to_owned(), applied: false, status: false };
            let new = edited.into_iter().filter(|path| after.contains_key(path));
            owners.entry(editor).or_default().extend(new);
            owners.retain(|_, owned| !owned.is_empty());
            owners
        });
        self.store(&key, Entry { document, owners });
        Ok(())
    }

    /// Changes an object as an edit would.
    pub(super) fn edit(
        &mut self,
        manager: &str,
        object: &ObjectRef,
        change: impl FnOnce(&mut Value),
    ) -> Result<(), Refusal> {
        let mut document = self.find(object).ok_or(Refusal::Absent)?;
        change(&mut document);
        self.put(manager, &document)
    }

    /// Stores an entry: counts its revision and its generation, and reports the change.
    pub(super) fn store(&mut self, key: &ObjectRef, mut entry: Entry) {
        let before = self.objects.get(key).cloned();
        self.revision += 1;
        let served = self.kinds.get(&key.kind);
        let generation = match &before {
            None => entry.document["metadata"]["generation"].as_i64().unwrap_or(1),
            Some(before) => {
                let is_deleted = |document: &Value| document["metadata"]["deletionTimestamp"].is_string();
                let changed = desired(&before.document, served) != desired(&entry.document, served)
                    || is_deleted(&before.document) != is_deleted(&entry.document);
                before.document["metadata"]["generation"].as_i64().unwrap_or(1) + i64::from(changed)
            }
        };
        let counted = served.is_some_and(|served| served.generation);
        let metadata = &mut entry.document["metadata"];
        if !metadata["uid"].is_string() {
            metadata["uid"] = Digest::of(format!("{key} {}", self.revision)).short().into();
        }
        metadata["resourceVersion"] = self.revision.to_string().into();
        if counted {
            metadata["generation"] = generation.into();
        }
        if !metadata["creationTimestamp"].is_string() {
            metadata["creationTimestamp"] = TIME.into();
        }
        if metadata["deletionTimestamp"].is_string() && !has_finalizers(&entry.document) {
            return self.forget(key);
        }
        let entry = Arc::new(entry);
        self.objects.insert(key.clone(), Arc::clone(&entry));
        self.show(key, Some(&entry.document));
        if &*key.kind.name == DEFINITION {
            self.define(&entry.document);
        }
    }

    /// Sets the deletion timestamp of an object.
    pub(super) fn mark_deleted(&mut self, key: &ObjectRef) {
        let Some(entry) = self.objects.get(key) else { return };
        let mut entry = Entry::clone(entry);
        entry.document["metadata"]["deletionTimestamp"] = TIME.into();
        self.store(key, entry);
    }
}

/// The fields whose changes the generation counts: without the metadata, and without a status that
/// is a subresource.
fn desired<'a>(document: &'a Value, served: Option<&Served>) -> BTreeMap<&'a String, &'a Value> {
    let ignores_status = served.is_some_and(|served| served.facts.status_subresource);
    let counts = |field: &str| field != "metadata" && !(ignores_status && field == "status");
    document.as_object().into_iter().flatten().filter(|(field, _)| counts(field)).collect()
}
