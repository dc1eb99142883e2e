//! A cluster with what is written to it kept apart: what reconcilers would do to a real one.
//!
//! ```text
//!   reads ──► Memory ◄── listed when a view starts, looked up before a write ── Origin (a real cluster, read only)
//!   writes ─► Memory
//! ```
//! An [`Origin`] has no writes, so an overlay can't make any. Each kind is read once, when its view starts: a rehearsal
//! sees one state, and the origin's later changes are not reported. Objects that are only read are kept as the
//! projection that was asked for; one that is written is fetched whole first, with its field managers, so that
//! conflicts are those that the origin would report. Not as on the origin: admission webhooks, validation rules in
//! CEL, and controllers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use mizzen_model::yaml::Document;
use mizzen_model::{Fields, Kind, Object, ObjectRef};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::change::Changes;
use crate::cluster::{Cluster, ObjectWatch};
use crate::error::{ReadError, WriteError};
use crate::memory::{DocumentError, Memory};
use crate::selection::Selection;
use crate::view::{Found, KindFacts, Scope, View};
use crate::write::{Apply, EventRecord};

/// The cluster below an overlay. Documents are whole, `metadata.managedFields` included.
#[async_trait]
pub trait Origin: Send + Sync + 'static {
    /// What discovery says about a kind.
    ///
    /// # Errors
    /// [`ReadError::NotServed`] if the API server does not serve it.
    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError>;

    /// A version in which the API server serves the group and kind; `None`: in none.
    ///
    /// # Errors
    /// What is served is not known.
    async fn served_as(&self, kind: &Kind) -> Result<Option<Kind>, ReadError>;

    /// The CRD that defines a kind; `None`: no CRD does.
    ///
    /// # Errors
    /// Why it can't be read.
    async fn definition(&self, kind: &Kind, facts: &KindFacts) -> Result<Option<Value>, ReadError>;

    /// Hands each object of a kind to `take`, page by page.
    ///
    /// # Errors
    /// Why they can't be listed; then some may have been handed over.
    async fn list(&self, kind: &Kind, scope: Scope, take: &mut (dyn FnMut(Value) + Send)) -> Result<(), ReadError>;

    /// One object; `None` if it does not exist.
    ///
    /// # Errors
    /// Why it can't be read.
    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, ReadError>;
}

/// A cluster in memory over another one, which it reads and never writes. Clones share it.
#[derive(Clone)]
pub struct Overlay {
    origin: Arc<dyn Origin>,
    memory: Memory,
    /// Locked while the origin is asked: one request at a time, and none twice.
    known: Arc<Mutex<Known>>,
}

/// What was read of the origin.
#[derive(Default)]
struct Known {
    kinds: HashSet<Kind>,
    views: HashMap<(Kind, Scope), Fields>,
    /// The objects that are here whole, or are known not to exist, or were written: the origin's are not taken again.
    whole: HashSet<ObjectRef>,
}

/// The watch of one object, which the origin is asked for at the first read.
struct WatchedObject {
    overlay: Overlay,
    object: Arc<dyn ObjectWatch>,
}

// === impl Overlay ===

impl Overlay {
    /// An overlay in which nothing was written yet.
    pub fn new(origin: Arc<dyn Origin>) -> Self {
        Self { origin, memory: Memory::new(), known: Arc::default() }
    }

    /// Creates or replaces an object, as its author would who applies this document to the origin.
    ///
    /// # Errors
    /// The object below can't be read, or an API server would refuse the document.
    pub async fn put(&self, document: &Document) -> Result<(), Vec<DocumentError>> {
        if let Ok(object) = Object::reference_of(&document.value) {
            let unread = |error: ReadError| {
                vec![DocumentError::Unread { file: document.file.clone(), object: object.to_string(), source: error }]
            };
            // Without its kind it is not known whether it has a namespace; an unknown kind is refused below.
            drop(self.serve(&object.kind).await);
            self.bring(&self.memory.located(&object)).await.map_err(unread)?;
        }
        let errors = self.memory.insert(document);
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Sees to it that a kind means here what it means in the origin, or in a CRD that was written here.
    async fn serve(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        let facts = match self.origin.facts(kind).await {
            Err(ReadError::NotServed(_)) if self.memory.is_defined(kind) => return self.memory.facts(kind).await,
            found => found?,
        };
        let mut known = self.known.lock().await;
        if !known.kinds.contains(kind) {
            match self.origin.definition(kind, &facts).await? {
                Some(definition) => self.take(&mut known, definition, &Fields::Whole),
                None => self.memory.serve(kind, &facts),
            }
            known.kinds.insert(kind.clone());
        }
        drop(known);
        self.memory.facts(kind).await
    }

    /// Lists a view of the origin, with at least the fields that are wanted.
    async fn list_origin(&self, View { kind, scope, fields }: &View) -> Result<(), ReadError> {
        self.serve(kind).await?;
        let mut known = self.known.lock().await;
        let key = (kind.clone(), *scope);
        let fields = known.views.get(&key).map_or_else(|| fields.clone(), |own| own.union(fields));
        if known.views.get(&key) == Some(&fields) {
            return Ok(());
        }
        match self.origin.list(kind, *scope, &mut |document| self.take(&mut known, document, &fields)).await {
            // Its kind is defined here alone.
            Ok(()) | Err(ReadError::NotServed(_)) => {}
            Err(error) => return Err(error),
        }
        known.views.insert(key, fields);
        Ok(())
    }

    /// Fetches an object whole, unless it is here already.
    async fn bring(&self, object: &ObjectRef) -> Result<(), ReadError> {
        match self.serve(&object.kind).await {
            // The write or read itself reports it.
            Err(ReadError::NotServed(_)) => return Ok(()),
            served => served?,
        };
        let mut known = self.known.lock().await;
        if known.whole.contains(&self.memory.stored(object)) {
            return Ok(());
        }
        match self.origin.get(object).await {
            Ok(Some(document)) => self.take(&mut known, document, &Fields::Whole),
            Ok(None) | Err(ReadError::NotServed(_)) => {}
            Err(error) => return Err(error),
        }
        known.whole.insert(self.memory.stored(object));
        Ok(())
    }

    /// As [`bring`](Self::bring), for a write.
    async fn bring_for_write(&self, object: &ObjectRef) -> Result<(), WriteError> {
        self.bring(object).await.map_err(|error| match error {
            ReadError::Forbidden { message, .. } => WriteError::Forbidden { object: object.to_string(), message },
            other => WriteError::Unavailable { object: object.to_string(), message: other.to_string() },
        })
    }

    /// Keeps a document of the origin, or its part.
    fn take(&self, known: &mut Known, document: Value, fields: &Fields) {
        let Ok(reference) = Object::reference_of(&document) else { return };
        let stored = self.memory.stored(&reference);
        if known.whole.contains(&stored) {
            return;
        }
        let document = match fields {
            Fields::Whole => {
                known.whole.insert(stored);
                document
            }
            Fields::Some(_) => {
                let mut part = fields.project(&document);
                part["metadata"] = document["metadata"].clone();
                part
            }
        };
        self.memory.import(document);
    }
}

#[async_trait]
impl Cluster for Overlay {
    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        self.serve(kind).await
    }

    async fn served_as(&self, kind: &Kind) -> Result<Option<Kind>, ReadError> {
        match self.origin.served_as(kind).await? {
            None if self.memory.is_defined(kind) => Ok(Some(kind.clone())),
            served => Ok(served),
        }
    }

    async fn watch(&self, view: View) -> Result<(), ReadError> {
        let listed = self.list_origin(&view).await;
        // Reads report it as well: what can't be listed is not empty.
        if let Err(error) = &listed {
            self.memory.fail_reads(&view.kind, Some(error.clone()));
        }
        self.memory.watch(view).await?;
        listed
    }

    fn get(&self, scope: Scope, object: &ObjectRef) -> Result<Option<Arc<Object>>, ReadError> {
        self.memory.get(scope, object)
    }

    fn list(&self, scope: Scope, kind: &Kind, selection: &Selection<'_>) -> Result<Vec<Arc<Object>>, ReadError> {
        self.memory.list(scope, kind, selection)
    }

    async fn lookup(&self, object: &ObjectRef) -> Result<Option<Found>, ReadError> {
        self.bring(object).await?;
        self.memory.lookup(object).await
    }

    fn watch_object(&self, object: &ObjectRef) -> Arc<dyn ObjectWatch> {
        Arc::new(WatchedObject { overlay: self.clone(), object: self.memory.watch_object(object) })
    }

    fn subscribe(&self) -> Changes {
        self.memory.subscribe()
    }

    async fn apply(&self, apply: Apply<'_>) -> Result<Arc<Object>, WriteError> {
        if let Ok(object) = Object::reference_of(apply.document) {
            self.bring_for_write(&object).await?;
        }
        self.memory.apply(apply).await
    }

    async fn delete(&self, object: &ObjectRef, uid: &str, version: Option<u64>) -> Result<(), WriteError> {
        self.bring_for_write(object).await?;
        self.memory.delete(object, uid, version).await
    }

    async fn add_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError> {
        self.bring_for_write(object).await?;
        self.memory.add_finalizer(object, uid, finalizer).await
    }

    async fn remove_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError> {
        self.bring_for_write(object).await?;
        self.memory.remove_finalizer(object, uid, finalizer).await
    }

    async fn publish(&self, event: EventRecord) -> Result<(), WriteError> {
        self.memory.publish(event).await
    }
}

// === impl WatchedObject ===

#[async_trait]
impl ObjectWatch for WatchedObject {
    fn object(&self) -> &ObjectRef {
        self.object.object()
    }

    async fn read(&self) -> Result<Option<Arc<Object>>, ReadError> {
        self.overlay.bring(self.object.object()).await?;
        self.object.read().await
    }
}

#[cfg(test)]
mod tests;
