//! The views of the cluster. The two views of a kind have separate watches, and either may see a
//! change first. Readers must see a change before the owner does, or drift repair would revert it
//! before their plugins are called.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use mizzen_cluster::{OWNER_LABEL, OwnershipKeys, RECONCILER_LABEL, ReadError, Scope};
use mizzen_model::{Fields, Kind, Object};
use parking_lot::RwLock;

use crate::mirror::Mirror;
use crate::subscribers::Subscribers;

/// The views of the cluster.
#[derive(Default)]
pub(crate) struct Mirrors {
    all: RwLock<HashMap<(Kind, Scope), Arc<Mirror>>>,
    /// Unset: every object with the host's label is kept whole.
    keys: OnceLock<OwnershipKeys>,
}

impl Mirrors {
    /// Sets the keys by which owned objects are recognized. Later calls change nothing.
    pub(crate) fn recognize_by(&self, keys: OwnershipKeys) {
        drop(self.keys.set(keys));
    }

    /// What a view keeps of an object. The view of owned objects is selected by a label, which
    /// anyone can set: of an object whose mark does not fit its labels it keeps the identity alone,
    /// so that no tenant can fill the host's memory.
    pub(crate) fn kept(&self, scope: Scope, object: Arc<Object>) -> Arc<Object> {
        let is_recognized = |object| self.keys.get().is_none_or(|keys| keys.recognize_labelled(object).is_some());
        if scope == Scope::All || is_recognized(&object) { object } else { Arc::new(identity(&object)) }
    }

    /// Finds a view.
    ///
    /// # Errors
    /// There is no such view.
    pub(crate) fn find(&self, scope: Scope, kind: &Kind) -> Result<Arc<Mirror>, ReadError> {
        let mirrors = self.all.read();
        mirrors.get(&(kind.clone(), scope)).cloned().ok_or_else(|| ReadError::NotSynced(kind.clone()))
    }

    /// Finds a view, or adds one that reports to these subscribers.
    pub(crate) fn find_or_make(&self, kind: &Kind, scope: Scope, changes: &Arc<Subscribers>) -> Arc<Mirror> {
        let mut mirrors = self.all.write();
        let make = || Arc::new(Mirror::new(kind.clone(), scope, changes.clone()));
        mirrors.entry((kind.clone(), scope)).or_insert_with(make).clone()
    }

    /// Shows a written object to every view of its kind.
    pub(crate) fn written(&self, object: &Arc<Object>) {
        for scope in [Scope::All, Scope::Owned] {
            if let Ok(mirror) = self.find(scope, &object.reference.kind) {
                mirror.update_early(&self.kept(scope, Arc::clone(object)));
            }
        }
    }

    /// Shows an object that the view of owned objects received to the view of all objects, which
    /// readers use. A deletion is not passed on: the object may only have lost its label.
    pub(crate) fn forward(&self, from: &Mirror, fields: &Fields, object: &Arc<Object>) {
        if let (Scope::Owned, Fields::Whole) = (from.scope(), fields)
            && let Ok(readers) = self.find(Scope::All, from.kind())
        {
            readers.update_early(object);
        }
    }
}

/// An object without its content: identity, version and the labels by which it is selected.
fn identity(object: &Object) -> Object {
    let mut document = object.reference.document(&object.uid);
    let metadata = &mut document["metadata"];
    metadata["resourceVersion"] = object.resource_version.to_string().into();
    for label in [RECONCILER_LABEL, OWNER_LABEL] {
        if let Some(value) = object.labels.get(label) {
            metadata["labels"][label] = value.into();
        }
    }
    if object.deleting {
        metadata["deletionTimestamp"] = "1970-01-01T00:00:00Z".into();
    }
    // An identity is a valid object.
    Object::new(document, &Fields::Whole).unwrap_or_else(|_| object.clone())
}
