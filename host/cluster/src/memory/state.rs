//! What a cluster in memory holds, and how a change of it reaches those who watch.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mizzen_model::{Digest, Fields, Kind, Object, ObjectRef};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::WriteRecord;
use super::kinds::Kinds;
use super::ownership::{Path, leaves};
use crate::store::{Inserted, Store};
use crate::{Change, EventRecord, RECONCILER_LABEL, ReadError, Scope, View, WriteError};

/// One object, and who owns what of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) document: Value,
    /// By manager; `true`: by server-side apply, `false`: by editing.
    pub(super) owners: BTreeMap<(String, bool), BTreeSet<Path>>,
}

/// One watched view.
pub(super) struct Watched {
    pub(super) store: Store,
    fields: Fields,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) kinds: Kinds,
    pub(super) objects: BTreeMap<ObjectRef, Entry>,
    views: HashMap<(Kind, Scope), Watched>,
    pub(super) subscribers: Vec<mpsc::UnboundedSender<Change>>,
    pub(super) writes: Vec<WriteRecord>,
    pub(super) events: Vec<EventRecord>,
    pub(super) read_faults: HashMap<Kind, ReadError>,
    pub(super) write_faults: HashMap<Kind, WriteError>,
    revision: u64,
}

pub(super) fn missing(object: &ObjectRef) -> WriteError {
    WriteError::NotFound { object: object.to_string(), message: "it does not exist".into() }
}

impl State {
    pub(super) fn find(&self, object: &ObjectRef) -> Option<&Value> {
        self.objects.get(object).map(|entry| &entry.document)
    }

    pub(super) fn faulty(&self, kind: &Kind) -> Result<(), WriteError> {
        self.write_faults.get(kind).map_or(Ok(()), |error| Err(error.clone()))
    }

    pub(super) fn watch(&mut self, view: &View) -> Result<(), ReadError> {
        if self.kinds.facts(&view.kind).is_none() {
            return Err(ReadError::NotServed(view.kind.clone()));
        }
        let key = (view.kind.clone(), view.scope);
        let fields = self.views.get(&key).map_or_else(|| view.fields.clone(), |own| own.fields.union(&view.fields));
        let mut store = Store::new();
        for (reference, entry) in &self.objects {
            if reference.kind == view.kind
                && in_scope(view.scope, &entry.document)
                && let Ok(object) = Object::new(entry.document.clone(), &fields)
            {
                store.insert(Arc::new(object));
            }
        }
        self.views.insert(key, Watched { store, fields });
        Ok(())
    }

    pub(super) fn view(&self, kind: &Kind, scope: Scope) -> Result<&Watched, ReadError> {
        if let Some(error) = self.read_faults.get(kind) {
            return Err(error.clone());
        }
        if self.kinds.facts(kind).is_none() {
            return Err(ReadError::NotServed(kind.clone()));
        }
        self.views.get(&(kind.clone(), scope)).ok_or_else(|| ReadError::NotSynced(kind.clone()))
    }

    /// The reference of a document, with the scope of its kind respected.
    pub(super) fn reference(&self, document: &Value) -> Result<ObjectRef, WriteError> {
        let invalid =
            |message: String| WriteError::Invalid { object: document["metadata"]["name"].to_string(), message };
        let object = Object::new(document.clone(), &Fields::identity()).map_err(|error| invalid(error.to_string()))?;
        let Some(facts) = self.kinds.facts(&object.reference.kind) else {
            let message = format!("{} is not served: its CRD is not among the documents", object.reference.kind);
            return Err(WriteError::NotFound { object: object.reference.to_string(), message });
        };
        match (facts.namespaced, &object.reference.namespace) {
            (true, None) => Ok(ObjectRef { namespace: Some("default".into()), ..object.reference }),
            (false, Some(_)) => Ok(ObjectRef { namespace: None, ..object.reference }),
            _ => Ok(object.reference),
        }
    }

    /// Creates or replaces an object as an editor would.
    pub(super) fn put(&mut self, manager: &str, document: &Value) -> Result<(), WriteError> {
        let reference = self.reference(document)?;
        let mut entry = self.objects.get(&reference).cloned().unwrap_or_default();
        let before = leaves(&self.kinds, &reference.kind, &entry.document);
        let after = leaves(&self.kinds, &reference.kind, document);
        let edited: BTreeSet<_> = after
            .iter()
            .filter(|(path, value)| before.get(*path) != Some(*value))
            .map(|(path, _)| path.clone())
            .collect();
        let dropped: BTreeSet<_> = before.keys().filter(|path| !after.contains_key(*path)).cloned().collect();
        for owned in entry.owners.values_mut() {
            owned.retain(|path| !edited.contains(path) && !dropped.contains(path));
        }
        entry.owners.entry((manager.to_owned(), false)).or_default().extend(edited);
        entry.owners.retain(|_, owned| !owned.is_empty());
        let mut document = document.clone();
        if let Some(namespace) = &reference.namespace {
            document["metadata"]["namespace"] = json!(namespace);
        }
        self.store(&reference, Entry { document, owners: entry.owners });
        Ok(())
    }

    /// Puts an entry in place of the one before: counts its revision and its generation, and tells everybody.
    pub(super) fn store(&mut self, reference: &ObjectRef, mut entry: Entry) {
        let before = self.objects.get(reference).map(|entry| entry.document.clone());
        self.revision += 1;
        let uid = before.as_ref().map_or_else(|| Value::Null, |before| before["metadata"]["uid"].clone());
        let status_apart = self.kinds.facts(&reference.kind).is_some_and(|facts| facts.status_subresource);
        let generation = before.as_ref().map_or(1, |before| {
            let own = before["metadata"]["generation"].as_i64().unwrap_or(1);
            own + i64::from(wish(before, status_apart) != wish(&entry.document, status_apart))
        });
        let metadata = &mut entry.document["metadata"];
        if uid.is_string() {
            metadata["uid"] = uid;
        } else if !metadata["uid"].is_string() {
            metadata["uid"] = Digest::of(format!("{reference} {}", self.revision)).short().into();
        }
        metadata["resourceVersion"] = self.revision.to_string().into();
        metadata["generation"] = generation.into();
        if !metadata["creationTimestamp"].is_string() {
            metadata["creationTimestamp"] = "2000-01-01T00:00:00Z".into();
        }
        let leaving = metadata["deletionTimestamp"].is_string() && no_finalizers(&entry.document);
        let document = entry.document.clone();
        if leaving {
            self.forget(reference);
            return;
        }
        self.objects.insert(reference.clone(), entry);
        if &*reference.kind.name == "CustomResourceDefinition" {
            for kind in self.kinds.define(&document) {
                self.tell(&Change::Served(kind));
            }
        }
        self.show(reference, Some(&document));
    }

    /// Deletes an object: at once, or, when finalizers hold it, as soon as they are gone.
    pub(super) fn delete(&mut self, reference: &ObjectRef) {
        let Some(entry) = self.objects.get(reference).cloned() else { return };
        if no_finalizers(&entry.document) {
            self.forget(reference);
        } else if !entry.document["metadata"]["deletionTimestamp"].is_string() {
            let mut entry = entry;
            entry.document["metadata"]["deletionTimestamp"] = "2000-01-01T00:00:00Z".into();
            self.store(reference, entry);
        }
    }

    fn forget(&mut self, reference: &ObjectRef) {
        let Some(entry) = self.objects.remove(reference) else { return };
        self.show(reference, None);
        let uid = &entry.document["metadata"]["uid"];
        let owned_by = |document: &Value| {
            let owners = document["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
            !owners.is_empty() && owners.iter().all(|owner| owner["uid"] == *uid)
        };
        let dependents: Vec<_> =
            self.objects.iter().filter(|(_, entry)| owned_by(&entry.document)).map(|(name, _)| name.clone()).collect();
        for dependent in dependents {
            self.delete(&dependent);
        }
    }

    pub(super) fn set_finalizer(
        &mut self,
        object: &ObjectRef,
        uid: &str,
        finalizer: &str,
        present: bool,
    ) -> Result<(), WriteError> {
        let Some(mut entry) = self.objects.get(object).cloned() else {
            return if present { Err(missing(object)) } else { Ok(()) };
        };
        if entry.document["metadata"]["uid"] != uid {
            return Err(WriteError::Stale { object: object.to_string(), message: format!("its uid is not {uid}") });
        }
        let mut finalizers = entry.document["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
        if finalizers.iter().any(|own| own == finalizer) == present {
            return Ok(());
        }
        finalizers.retain(|own| own != finalizer);
        if present {
            finalizers.push(finalizer.into());
        }
        entry.document["metadata"]["finalizers"] = finalizers.into();
        self.writes.push(WriteRecord { manager: String::new(), verb: "finalizer", object: object.clone() });
        self.store(object, entry);
        Ok(())
    }

    /// Brings every view of a kind up to date with one object.
    fn show(&mut self, reference: &ObjectRef, document: Option<&Value>) {
        let mut changes = Vec::new();
        for ((kind, scope), view) in &mut self.views {
            if *kind != reference.kind {
                continue;
            }
            let object = document
                .filter(|document| in_scope(*scope, document))
                .and_then(|d| Object::new(d.clone(), &view.fields).ok());
            let change = match object.map(Arc::new) {
                Some(object) => match view.store.insert(Arc::clone(&object)) {
                    Inserted::New => Some((None, Some(object))),
                    Inserted::Changed { before } => Some((Some(before), Some(object))),
                    Inserted::Same | Inserted::Stale => None,
                },
                None => view.store.remove(reference).map(|before| (Some(before), None)),
            };
            changes.extend(change.map(|(before, after)| Change::Object { scope: *scope, before, after }));
        }
        for change in &changes {
            self.tell(change);
        }
    }

    fn tell(&mut self, change: &Change) {
        self.subscribers.retain(|subscriber| subscriber.send(change.clone()).is_ok());
    }
}

fn in_scope(scope: Scope, document: &Value) -> bool {
    scope == Scope::All || document["metadata"]["labels"][RECONCILER_LABEL].is_string()
}

fn no_finalizers(document: &Value) -> bool {
    document["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty)
}

/// What counts for the generation: everything but the metadata, and but the status where that is apart.
fn wish(document: &Value, status_apart: bool) -> Value {
    let mut document = document.clone();
    if let Some(map) = document.as_object_mut() {
        map.remove("metadata");
        if status_apart {
            map.remove("status");
        }
    }
    document
}
