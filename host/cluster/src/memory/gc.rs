//! How objects go: held by finalizers, followed by what they owned, by what was in them, or by what they defined.

use mizzen_model::ObjectRef;
use serde_json::{Value, json};

use super::WriteRecord;
use super::crd;
use super::problem::Refusal;
use super::state::{Entry, State};
use crate::{Apply, Target};

/// Whether no finalizer holds an object.
pub(super) fn is_free(document: &Value) -> bool {
    document["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty)
}

impl State {
    /// Deletes an object: at once, or, when finalizers hold it, as soon as they are gone.
    pub(super) fn delete(&mut self, object: &ObjectRef) {
        let key = self.stored(object);
        let Some(entry) = self.objects.get(&key) else { return };
        if is_free(&entry.document) {
            self.forget(&key);
        } else if !entry.document["metadata"]["deletionTimestamp"].is_string() {
            self.mark(&key);
        }
    }

    /// Deletes the object that has this uid; one that is gone already is no error.
    pub(super) fn delete_exactly(&mut self, object: &ObjectRef, uid: &str) -> Result<(), Refusal> {
        let Some(entry) = self.entry(object) else { return Ok(()) };
        if entry.document["metadata"]["uid"] != uid {
            return Err(Refusal::Stale(format!("its uid is not {uid}")));
        }
        self.record("", "delete", object);
        self.delete(object);
        Ok(())
    }

    /// Takes an object out, and what goes with it.
    pub(super) fn forget(&mut self, key: &ObjectRef) {
        let Some(entry) = self.objects.remove(key) else { return };
        self.show(key, None);
        self.release_dependents(&entry.document["metadata"]["uid"]);
        match (&*key.kind.api_version, &*key.kind.name) {
            ("v1", "Namespace") => {
                let within = |object: &&ObjectRef| object.namespace.as_ref() == Some(&key.name);
                for object in self.objects.keys().filter(within).cloned().collect::<Vec<_>>() {
                    self.delete(&object);
                }
            }
            (_, crd::DEFINITION) => {
                let spec = &entry.document["spec"];
                let (group, name) = (&spec["group"], &spec["names"]["kind"]);
                self.undefine(group.as_str().unwrap_or_default(), name.as_str().unwrap_or_default());
            }
            _ => {}
        }
    }

    /// Objects that had an owner with this uid: deleted when it was the last one there is, or else rid of the reference to it.
    fn release_dependents(&mut self, uid: &Value) {
        let owners = |document: &Value| document["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
        let names_it = |entry: &Entry| owners(&entry.document).iter().any(|owner| owner["uid"] == *uid);
        let dependents: Vec<_> =
            self.objects.iter().filter(|(_, entry)| names_it(entry)).map(|(key, _)| key.clone()).collect();
        for key in dependents {
            let Some(entry) = self.objects.get(&key) else { continue };
            let is_there = |owner: &Value| self.objects.values().any(|e| e.document["metadata"]["uid"] == owner["uid"]);
            let rest: Vec<_> = owners(&entry.document).into_iter().filter(is_there).collect();
            if rest.is_empty() {
                self.delete(&key);
            } else {
                let mut entry = Entry::clone(entry);
                entry.document["metadata"]["ownerReferences"] = rest.into();
                self.store(&key, entry);
            }
        }
    }

    /// Adds a finalizer to the object that has this uid, as a server-side apply by a field manager of its own.
    pub(super) fn add_finalizer(&mut self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), Refusal> {
        if self.has_finalizer(object, uid, finalizer) {
            return Ok(());
        }
        let manager = finalizer_manager(finalizer);
        let mut document = object.document(uid);
        document["metadata"]["finalizers"] = json!([finalizer]);
        let apply = Apply { manager: &manager, document: &document, target: Target::Object, force: false };
        self.apply(&apply, "finalizer").map(|_| ())
    }

    /// Removes a finalizer from the object that has this uid, whichever field manager owns it.
    pub(super) fn remove_finalizer(&mut self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), Refusal> {
        if !self.has_finalizer(object, uid, finalizer) {
            return Ok(());
        }
        let manager = finalizer_manager(finalizer);
        self.record(&manager, "finalizer", object);
        self.edit(&manager, object, |document| {
            if let Some(finalizers) = document["metadata"]["finalizers"].as_array_mut() {
                finalizers.retain(|own| own != finalizer);
            }
        })
    }

    fn has_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> bool {
        self.entry(object).is_some_and(|entry| {
            let metadata = &entry.document["metadata"];
            let finalizers = metadata["finalizers"].as_array();
            metadata["uid"] == uid && finalizers.is_some_and(|all| all.iter().any(|own| own == finalizer))
        })
    }

    pub(super) fn record(&mut self, manager: &str, verb: &'static str, object: &ObjectRef) {
        self.writes.push(WriteRecord { manager: manager.to_owned(), verb, object: object.clone() });
    }
}

fn finalizer_manager(finalizer: &str) -> String {
    format!("{finalizer}.finalizer")
}
