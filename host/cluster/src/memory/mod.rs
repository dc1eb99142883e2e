//! A cluster in memory: a folder of YAML that can be read, watched and written to like the real one.
//!
//! ```text
//!   put, apply ──► admission (identity, schema, defaults) ──► state (objects and their owners) ──► views ──► Change
//!                                                               ▲
//!                                         apply: merge, prune, conflicts   gc: finalizers, owners, namespaces
//! ```
//! It is what `plan` and `dev` work on, and what the engine is tested with. Faithful where reconcilers would notice: kinds, versions
//! and schemas by the CRDs in the folder, field ownership, status subresources, generations, finalizers, garbage collection. Nothing
//! here is a network away, so every change is seen at once.
//!
//! Different from a real cluster, on purpose: namespaces exist by being named, objects may name owners that are not there, and no
//! controller but the garbage collector runs. Not known here: the schemas and defaults of built-in kinds, validation rules in CEL,
//! webhooks, who may do what.

mod admission;
mod apply;
mod crd;
mod documents;
mod gc;
mod kinds;
mod merge;
mod metadata;
mod ownership;
mod problem;
mod schema;
mod shape;
mod state;
mod views;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mizzen_model::{Kind, Object, ObjectRef};
use serde_json::Value;

pub use documents::DocumentError;

use crate::{
    Apply, Changes, Cluster, EventRecord, KindFacts, ObjectWatch, ReadError, Scope, Selection, Target, View, WriteError,
};
use documents::called;
use state::State;

/// Whom the fields of documents from files belong to, unless their `metadata.managedFields` say otherwise. As with `kubectl apply`
/// on the client's side, they count as edited and not as applied.
const FILE_MANAGER: &str = "file";

/// A cluster in memory. Clones share it; [`Memory::snapshot`] is a copy.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

/// One write that was asked for and done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteRecord {
    /// The field manager; empty for deletions.
    pub manager: String,
    /// `apply`, `status`, `delete` or `finalizer`.
    pub verb: &'static str,
    /// The object.
    pub object: ObjectRef,
}

// === impl Memory ===

impl Memory {
    /// A cluster with nothing in it but the built-in kinds.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy of all objects, with a life of its own: nobody watches it, and it has no faults, events and writes yet.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().snapshot())))
    }

    /// All objects, whole and in the version that is stored, in the order of kind, namespace and name.
    pub fn objects(&self) -> Vec<(ObjectRef, Value)> {
        self.state().objects.iter().map(|(key, entry)| (key.clone(), entry.document.clone())).collect()
    }

    /// Creates or replaces an object, status included, as somebody other than a reconciler would.
    pub fn put(&self, manager: &str, document: &Value) -> Result<(), WriteError> {
        self.state().put(manager, document).map_err(|refusal| refusal.about(called(document)))
    }

    /// Changes an object as `kubectl edit` would: the fields that become different are the editor's from then on.
    pub fn edit(&self, manager: &str, object: &ObjectRef, change: impl FnOnce(&mut Value)) -> Result<(), WriteError> {
        self.state().edit(manager, object, change).map_err(|refusal| refusal.about(object.to_string()))
    }

    /// Deletes an object as somebody else would. One that is not there is no error.
    pub fn remove(&self, object: &ObjectRef) {
        self.state().delete(object);
    }

    /// One object, whole; `None` when it is not there.
    pub fn find(&self, object: &ObjectRef) -> Option<Value> {
        self.state().find(object)
    }

    /// Every write that changed something, since the start, or since they were last taken.
    pub fn take_writes(&self) -> Vec<WriteRecord> {
        std::mem::take(&mut self.state().writes)
    }

    /// How many writes were asked for since the start, with those that were refused or changed nothing.
    pub fn requests(&self) -> usize {
        self.state().requests
    }

    /// Every Event that was published.
    pub fn events(&self) -> Vec<EventRecord> {
        self.state().events.clone()
    }

    /// From now on reads of a kind fail like this, and its watches tell of nothing; `None` mends it.
    pub fn fail_reads(&self, kind: &Kind, error: Option<ReadError>) {
        self.state().fail_reads(kind, error);
    }

    /// From now on writes of a kind fail like this; `None` mends it.
    pub fn fail_writes(&self, kind: &Kind, error: Option<WriteError>) {
        let mut state = self.state();
        match error {
            Some(error) => state.write_faults.insert(kind.clone(), error),
            None => state.write_faults.remove(kind),
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Cluster for Memory {
    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        self.state().facts(kind)
    }

    async fn watch(&self, view: View) -> Result<(), ReadError> {
        self.state().watch(&view)
    }

    fn get(&self, scope: Scope, object: &ObjectRef) -> Result<Option<Arc<Object>>, ReadError> {
        self.state().view(&object.kind, scope).map(|store| store.get(object))
    }

    fn list(&self, scope: Scope, kind: &Kind, selection: &Selection<'_>) -> Result<Vec<Arc<Object>>, ReadError> {
        self.state().view(kind, scope).map(|store| store.list(selection))
    }

    fn watch_object(&self, object: &ObjectRef) -> Arc<dyn ObjectWatch> {
        self.state().watch_object(self, object)
    }

    fn subscribe(&self) -> Changes {
        self.state().views.subscribe()
    }

    async fn apply(&self, apply: Apply<'_>) -> Result<Arc<Object>, WriteError> {
        let mut state = self.state();
        state.request(&kind_of(apply.document))?;
        let verb = if apply.target == Target::Status { "status" } else { "apply" };
        state.apply(&apply, verb).map_err(|refusal| refusal.about(called(apply.document)))
    }

    async fn delete(&self, object: &ObjectRef, uid: &str) -> Result<(), WriteError> {
        let mut state = self.state();
        state.request(&object.kind)?;
        state.delete_exactly(object, uid).map_err(|refusal| refusal.about(object.to_string()))
    }

    async fn add_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError> {
        let mut state = self.state();
        state.request(&object.kind)?;
        state.add_finalizer(object, uid, finalizer).map_err(|refusal| refusal.about(object.to_string()))
    }

    async fn remove_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError> {
        let mut state = self.state();
        state.request(&object.kind)?;
        state.remove_finalizer(object, uid, finalizer).map_err(|refusal| refusal.about(object.to_string()))
    }

    async fn publish(&self, event: EventRecord) -> Result<(), WriteError> {
        self.state().events.push(event);
        Ok(())
    }
}

fn kind_of(document: &Value) -> Kind {
    Kind::new(document["apiVersion"].as_str().unwrap_or_default(), document["kind"].as_str().unwrap_or_default())
}

#[cfg(test)]
mod tests;
