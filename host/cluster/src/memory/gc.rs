//! Deletion: finalizers delay it, and it cascades to dependents, to the objects of a namespace and
//! to those of a CRD.

use mizzen_model::ObjectRef;
use serde_json::{Value, json};

use super::crd;
use super::metadata::has_finalizers;
use super::problem::Refusal;
use super::record::WriteRecord;
use super::state::{Entry, State};
use crate::write::{Apply, Target};

impl State {
    /// Deletes an object: at once, or, if it has finalizers, as soon as they are removed.
    pub(super) fn delete(&mut self, object: &ObjectRef) {
        let key = self.stored(object);
        let Some(entry) = self.objects.get(&key) else { return };
        if !has_finalizers(&entry.document) {
            self.forget(&key);
        } else if !entry.document["metadata"]["deletionTimestamp"].is_string() {
            self.mark_deleted(&key);
        }
    }

    /// Deletes the object if it has this uid and version. Success if it is gone already.
    pub(super) fn delete_exactly(
        &mut self,
        object: &ObjectRef,
        uid: &str,
        version: Option<u64>,
    ) -> Result<(), Refusal> {
        let Some(entry) = self.entry(object) else { return Ok(()) };
        if entry.document["metadata"]["uid"] != uid {
            return Err(Refusal::Stale(format!("its uid is not {uid}")));
        }
        let own = &entry.document["metadata"]["resourceVersion"];
        if let Some(version) = version.map(|version| version.to_string()).filter(|version| *own != **version) {
            return Err(Refusal::Stale(format!("its resourceVersion is {own}, not {version}")));
        }
        self.record("", "delete", object);
        self.delete(object);
        Ok(())
    }

    /// Removes an object from the state, and everything that is deleted with it.
    pub(super) fn forget(&mut self, key: &ObjectRef) {
        let Some(entry) = self.objects.remove(key) else { return };
        self.show(key, None);
        self.collect_dependents(&entry.document["metadata"]["uid"]);
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

    /// Deletes the dependents of an owner with this uid whose last owner it was, and removes the
    /// owner reference from the others.
    fn collect_dependents(&mut self, uid: &Value) {
        let owners = |document: &Value| document["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
        let is_dependent = |entry: &Entry| owners(&entry.document).iter().any(|owner| owner["uid"] == *uid);
        let dependents: Vec<_> =
            self.objects.iter().filter(|(_, entry)| is_dependent(entry)).map(|(key, _)| key.clone()).collect();
        for key in dependents {
            let Some(entry) = self.objects.get(&key) else { continue };
            let exists = |owner: &Value| self.objects.values().any(|e| e.document["metadata"]["uid"] == owner["uid"]);
            let rest: Vec<_> = owners(&entry.document).into_iter().filter(exists).collect();
            if rest.is_empty() {
                self.delete(&key);
            } else {
                let mut entry = Entry::clone(entry);
                entry.document["metadata"]["ownerReferences"] = rest.into();
                self.store(&key, entry);
            }
        }
    }

    /// Adds a finalizer to the object that has this uid, as a server-side apply by a field manager
    /// of its own.
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
