//! A cluster in memory: a folder of YAML that can be read, watched and written to like the real one.
//!
//! It is what `plan` and `dev` work on, and what the engine is tested with. Faithful where reconcilers would notice: kinds and scopes
//! by the CRDs in the folder, field ownership, status subresources, generations, finalizers, garbage collection. Namespaces exist by
//! being named. Nothing here is a network away, so every change is seen at once.

mod apply;
mod kinds;
mod ownership;
mod state;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mizzen_model::yaml::{self, Document};
use mizzen_model::{Kind, Object, ObjectRef, Selector};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::{Apply, Changes, Cluster, EventRecord, KindFacts, ReadError, Scope, View, WriteError};
use state::State;

/// Whom the fields of documents from files belong to.
const FILE_MANAGER: &str = "file";

/// A cluster in memory. Clones share it.
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

/// What is wrong with a document.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {message}")]
pub struct DocumentError {
    /// File and line.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

// === impl Memory ===

impl Memory {
    /// A cluster with nothing in it but the built-in kinds.
    pub fn new() -> Self {
        Self::default()
    }

    /// A cluster with the objects of a file or folder. Documents that are no objects are reported, all of them.
    pub fn load(path: &Path) -> Result<Self, Vec<DocumentError>> {
        let documents = yaml::load(path).map_err(|errors| {
            errors
                .into_iter()
                .map(|error| DocumentError { place: path.display().to_string(), message: error.to_string() })
                .collect::<Vec<_>>()
        })?;
        Self::from_documents(&documents)
    }

    /// A cluster with the objects of these documents. CRDs among them are honoured, wherever they stand.
    pub fn from_documents(documents: &[Document]) -> Result<Self, Vec<DocumentError>> {
        let memory = Self::new();
        let (crds, others): (Vec<_>, Vec<_>) =
            documents.iter().partition(|document| document.value["kind"] == "CustomResourceDefinition");
        let mut errors = Vec::new();
        for document in crds.into_iter().chain(others) {
            if let Err(error) = memory.put(FILE_MANAGER, &document.value) {
                let place = format!("{}:{}", document.file.display(), document.line);
                errors.push(DocumentError { place, message: error.to_string() });
            }
        }
        if errors.is_empty() { Ok(memory) } else { Err(errors) }
    }

    /// A cluster with the objects of one text.
    pub fn from_yaml(text: &str) -> Result<Self, Vec<DocumentError>> {
        let place = Path::new("inline");
        let documents = yaml::parse(place, text)
            .map_err(|error| vec![DocumentError { place: "inline".into(), message: error.to_string() }])?;
        Self::from_documents(&documents)
    }

    /// Creates or replaces an object, status included, as somebody other than a reconciler would.
    pub fn put(&self, manager: &str, document: &Value) -> Result<(), WriteError> {
        self.state().put(manager, document)
    }

    /// Changes an object as `kubectl edit` would: the fields that become different are the editor's from then on.
    pub fn edit(&self, manager: &str, object: &ObjectRef, change: impl FnOnce(&mut Value)) -> Result<(), WriteError> {
        let mut state = self.state();
        let mut document = state.find(object).cloned().ok_or_else(|| state::missing(object))?;
        change(&mut document);
        state.put(manager, &document)
    }

    /// Deletes an object as somebody else would. One that is not there is no error.
    pub fn remove(&self, object: &ObjectRef) {
        self.state().delete(object);
    }

    /// One object, whole; `None` when it is not there.
    pub fn find(&self, object: &ObjectRef) -> Option<Value> {
        self.state().find(object).cloned()
    }

    /// Every write since the start, or since they were last taken.
    pub fn take_writes(&self) -> Vec<WriteRecord> {
        std::mem::take(&mut self.state().writes)
    }

    /// Every Event that was published.
    pub fn events(&self) -> Vec<EventRecord> {
        self.state().events.clone()
    }

    /// From now on reads of a kind fail like this; `None` mends it.
    pub fn fail_reads(&self, kind: &Kind, error: Option<ReadError>) {
        let mut state = self.state();
        match error {
            Some(error) => state.read_faults.insert(kind.clone(), error),
            None => state.read_faults.remove(kind),
        };
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
        self.state().kinds.facts(kind).cloned().ok_or_else(|| ReadError::NotServed(kind.clone()))
    }

    async fn watch(&self, view: View) -> Result<(), ReadError> {
        self.state().watch(&view)
    }

    fn get(&self, scope: Scope, object: &ObjectRef) -> Result<Option<Arc<Object>>, ReadError> {
        self.state().view(&object.kind, scope).map(|view| view.store.get(object))
    }

    fn list(
        &self,
        scope: Scope,
        kind: &Kind,
        namespace: Option<&str>,
        labels: &Selector,
    ) -> Result<Vec<Arc<Object>>, ReadError> {
        self.state().view(kind, scope).map(|view| view.store.list(namespace, labels))
    }

    fn subscribe(&self) -> Changes {
        let (sender, changes) = mpsc::unbounded_channel();
        self.state().subscribers.push(sender);
        changes
    }

    async fn apply(&self, apply: Apply<'_>) -> Result<Arc<Object>, WriteError> {
        self.state().apply(&apply)
    }

    async fn delete(&self, object: &ObjectRef, uid: &str) -> Result<(), WriteError> {
        let mut state = self.state();
        state.faulty(&object.kind)?;
        let Some(live) = state.find(object) else { return Ok(()) };
        if live["metadata"]["uid"] != uid {
            return Err(WriteError::Stale { object: object.to_string(), message: format!("its uid is not {uid}") });
        }
        state.writes.push(WriteRecord { manager: String::new(), verb: "delete", object: object.clone() });
        state.delete(object);
        Ok(())
    }

    async fn set_finalizer(
        &self,
        object: &ObjectRef,
        uid: &str,
        finalizer: &str,
        present: bool,
    ) -> Result<(), WriteError> {
        let mut state = self.state();
        state.faulty(&object.kind)?;
        state.set_finalizer(object, uid, finalizer, present)
    }

    async fn publish(&self, event: EventRecord) -> Result<(), WriteError> {
        self.state().events.push(event);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
