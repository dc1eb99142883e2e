//! The views of the cluster. The two views of a kind have separate watches, and either may see a
//! change first. Readers must see a change before the owner does, or drift repair would revert it
//! before their plugins are called.

use std::collections::HashMap;
use std::sync::Arc;

use mizzen_cluster::{ReadError, Scope};
use mizzen_model::{Fields, Kind, Object};
use parking_lot::RwLock;

use crate::mirror::Mirror;
use crate::subscribers::Subscribers;

/// The views of the cluster.
#[derive(Default)]
pub(crate) struct Mirrors(RwLock<HashMap<(Kind, Scope), Arc<Mirror>>>);

impl Mirrors {
    /// Finds a view.
    ///
    /// # Errors
    /// There is no such view.
    pub(crate) fn find(&self, scope: Scope, kind: &Kind) -> Result<Arc<Mirror>, ReadError> {
        let mirrors = self.0.read();
        mirrors.get(&(kind.clone(), scope)).cloned().ok_or_else(|| ReadError::NotSynced(kind.clone()))
    }

    /// Finds a view, or adds one that reports to these subscribers.
    pub(crate) fn find_or_make(&self, kind: &Kind, scope: Scope, changes: &Arc<Subscribers>) -> Arc<Mirror> {
        let mut mirrors = self.0.write();
        let make = || Arc::new(Mirror::new(kind.clone(), scope, changes.clone()));
        mirrors.entry((kind.clone(), scope)).or_insert_with(make).clone()
    }

    /// Shows a written object to every view of its kind.
    pub(crate) fn written(&self, object: &Arc<Object>) {
        for scope in [Scope::All, Scope::Owned] {
            if let Ok(mirror) = self.find(scope, &object.reference.kind) {
                mirror.update_early(object);
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
