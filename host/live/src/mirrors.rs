//! The views there are. Two of one kind have a watch each, and either may be told first; what is read must not be older than what led to
//! the question: an owner who looks at a change before its readers are asked about it would undo what they would have had left alone.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use mizzen_cluster::{ReadError, Scope};
use mizzen_model::{Fields, Kind, Object};

use crate::mirror::Mirror;
use crate::subscribers::Subscribers;

/// The views there are.
#[derive(Default)]
pub(crate) struct Mirrors(RwLock<HashMap<(Kind, Scope), Arc<Mirror>>>);

impl Mirrors {
    /// A view that is kept; without one, nothing is known of the kind yet.
    pub(crate) fn find(&self, scope: Scope, kind: &Kind) -> Result<Arc<Mirror>, ReadError> {
        let mirrors = self.0.read().unwrap_or_else(PoisonError::into_inner);
        mirrors.get(&(kind.clone(), scope)).cloned().ok_or_else(|| ReadError::NotSynced(kind.clone()))
    }

    /// A view, which tells these subscribers what changes.
    pub(crate) fn find_or_make(&self, kind: &Kind, scope: Scope, changes: &Arc<Subscribers>) -> Arc<Mirror> {
        let mut mirrors = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(Mirror::new(kind.clone(), scope, changes.clone()));
        mirrors.entry((kind.clone(), scope)).or_insert_with(make).clone()
    }

    /// Has every view of the kind see what was written.
    pub(crate) fn wrote(&self, object: &Arc<Object>) {
        for scope in [Scope::All, Scope::Owned] {
            if let Ok(mirror) = self.find(scope, &object.reference.kind) {
                mirror.heard(object);
            }
        }
    }

    /// Has readers see, before its owner does, what the watch of what is owned tells. Of an object that is gone from there nothing is known:
    /// it may have lost its label.
    pub(crate) fn heard(&self, teller: &Mirror, fields: &Fields, object: &Arc<Object>) {
        if let (Scope::Owned, Fields::Whole) = (teller.scope(), fields)
            && let Ok(readers) = self.find(Scope::All, teller.kind())
        {
            readers.heard(object);
        }
    }
}
