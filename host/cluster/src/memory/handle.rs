//! [`Memory`]: the handle that clones share, and its implementation of [`Cluster`].

use std::sync::Arc;

use async_trait::async_trait;
use mizzen_model::{Fields, Kind, Object, ObjectRef};
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;

use super::problem::object_name;
use super::record::WriteRecord;
use super::state::State;
use crate::change::Changes;
use crate::cluster::{Cluster, ObjectWatch};
use crate::error::{ReadError, WriteError};
use crate::selection::Selection;
use crate::view::{Found, KindFacts, Scope, View};
use crate::write::{Apply, EventRecord, Target};

/// A cluster in memory. Clones share it; [`Memory::snapshot`] is a copy.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

/// The watch of one object.
struct WatchedObject {
    memory: Memory,
    /// The views report changes of the object while this is alive.
    object: Arc<ObjectRef>,
}

// === impl Memory ===

impl Memory {
    /// A cluster that has the built-in kinds and no objects.
    pub fn new() -> Self {
        Self::default()
    }

    /// An independent copy of all objects, without watches, failures, Events and recorded writes.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().snapshot())))
    }

    /// All objects, whole and in the stored version, in the order of kind, namespace and name.
    pub fn objects(&self) -> Vec<(ObjectRef, Value)> {
        self.state().objects.iter().map(|(key, entry)| (key.clone(), entry.document.clone())).collect()
    }

    /// Creates or replaces an object, status included, as another party than a reconciler would.
    ///
    /// # Errors
    /// When an API server would refuse the document.
    pub fn put(&self, manager: &str, document: &Value) -> Result<(), WriteError> {
        self.state().put(manager, document).map_err(|refusal| refusal.about(object_name(document)))
    }

    /// Changes an object as `kubectl edit` would: `manager` then owns the fields that it changed.
    ///
    /// # Errors
    /// [`WriteError::NotFound`] if there is no such object, and as [`Memory::put`].
    pub fn edit(&self, manager: &str, object: &ObjectRef, change: impl FnOnce(&mut Value)) -> Result<(), WriteError> {
        self.state().edit(manager, object, change).map_err(|refusal| refusal.about(object.to_string()))
    }

    /// Deletes an object as another party would. Does nothing if it does not exist.
    pub fn remove(&self, object: &ObjectRef) {
        self.state().delete(object);
    }

    /// Returns one object, whole; `None` if it does not exist.
    pub fn find(&self, object: &ObjectRef) -> Option<Value> {
        self.state().find(object)
    }

    /// Takes the records of every write that changed something since the last call.
    pub fn take_writes(&self) -> Vec<WriteRecord> {
        std::mem::take(&mut self.state().writes)
    }

    /// The number of write requests so far, including those that were refused or changed nothing.
    pub fn requests(&self) -> usize {
        self.state().requests
    }

    /// Every published Event.
    pub fn events(&self) -> Vec<EventRecord> {
        self.state().events.clone()
    }

    /// Makes reads of a kind fail with this error, and its watches report nothing; `None` ends
    /// that.
    pub fn fail_reads(&self, kind: &Kind, error: Option<ReadError>) {
        self.state().fail_reads(kind, error);
    }

    /// Makes writes of a kind fail with this error; `None` ends that.
    pub fn fail_writes(&self, kind: &Kind, error: Option<WriteError>) {
        let mut state = self.state();
        match error {
            Some(error) => state.write_faults.insert(kind.clone(), error),
            None => state.write_faults.remove(kind),
        };
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

#[async_trait]
impl Cluster for Memory {
    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        self.state().facts(kind)
    }

    async fn served_as(&self, kind: &Kind) -> Result<Option<Kind>, ReadError> {
        Ok(self.state().kinds.version_of(kind))
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

    async fn lookup(&self, object: &ObjectRef) -> Result<Option<Found>, ReadError> {
        self.state().lookup(object)
    }

    fn watch_object(&self, object: &ObjectRef) -> Arc<dyn ObjectWatch> {
        Arc::new(WatchedObject { memory: self.clone(), object: self.state().views.watch_object(object) })
    }

    fn subscribe(&self) -> Changes {
        self.state().views.subscribe()
    }

    async fn apply(&self, apply: Apply<'_>) -> Result<Arc<Object>, WriteError> {
        let mut state = self.state();
        state.request(&kind_of(apply.document))?;
        let verb = if apply.target == Target::Status { "status" } else { "apply" };
        state.apply(&apply, verb).map_err(|refusal| refusal.about(object_name(apply.document)))
    }

    async fn delete(&self, object: &ObjectRef, uid: &str, version: Option<u64>) -> Result<(), WriteError> {
        let mut state = self.state();
        state.request(&object.kind)?;
        state.delete_exactly(object, uid, version).map_err(|refusal| refusal.about(object.to_string()))
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

// === impl WatchedObject ===

#[async_trait]
impl ObjectWatch for WatchedObject {
    fn object(&self) -> &ObjectRef {
        &self.object
    }

    async fn read(&self) -> Result<Option<Arc<Object>>, ReadError> {
        let state = self.memory.state();
        state.readable(&self.object.kind)?;
        let document = state.find(&self.object);
        // Every stored document is an object: admission refuses anything else.
        Ok(document.and_then(|document| Object::new(document, &Fields::Whole).ok()).map(Arc::new))
    }
}

fn kind_of(document: &Value) -> Kind {
    Kind::new(document["apiVersion"].as_str().unwrap_or_default(), document["kind"].as_str().unwrap_or_default())
}
