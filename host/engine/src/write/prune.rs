//! Pruning: deletes owned objects that are no longer desired.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use mizzen_cluster::{OWNER_LABEL, ReadError, Scope, Selection, WriteError};
use mizzen_k8s::Listed;
use mizzen_model::{Access, Object, ObjectRef, Selector};

use super::change::Change;
use super::writer::{Writer, unavailable};
use crate::memo::Written;
use crate::names::{is_never_pruned, owner_label};
use crate::observe::Verb;

/// The most objects outside of the grants that a log line names.
const NAMED: usize = 5;

impl Writer {
    /// Deletes the owned objects that are not in `keep`, except those that are never pruned.
    pub(super) async fn prune(&mut self, keep: &HashSet<&ObjectRef>) -> Result<(), WriteError> {
        for object in self.prunable(keep)? {
            self.cluster().delete(&object.reference, &object.uid).await?;
            self.last_writes.remove(&object.reference);
            let reference = object.reference.clone();
            self.wrote(Verb::Delete, &reference, Change { before: Some(object), after: None });
        }
        self.last_writes.retain(|object, last| keep.contains(object) || !matches!(last.what, Written::Object { .. }));
        self.log_outside_grants()
    }

    /// The owned objects that [`prune`](Self::prune) would delete.
    pub(super) fn prunable(&self, keep: &HashSet<&ObjectRef>) -> Result<Vec<Arc<Object>>, WriteError> {
        let mut owned = self.owned()?;
        owned.retain(|object| !keep.contains(&object.reference) && !object.deleting && !is_never_pruned(object));
        Ok(owned)
    }

    /// Every live object that is owned by this key, where its reconciler may apply objects.
    ///
    /// The owner label alone proves nothing: anyone can compute it and label an object of their own. Outside of the
    /// apply grants such an object is ignored.
    pub(super) fn owned(&self) -> Result<Vec<Arc<Object>>, WriteError> {
        let mut labelled = self.labelled()?;
        labelled.retain(|object| self.may_apply(&object.reference));
        Ok(labelled)
    }

    fn labelled(&self) -> Result<Vec<Arc<Object>>, WriteError> {
        let label = Selector::equal(OWNER_LABEL, &owner_label(self.plugin.name(), &self.subject.reference));
        let mut labelled = Vec::new();
        for kind in self.plugin.invoke.description().kinds(Access::Apply) {
            match self.cluster().list(Scope::Owned, kind, &Selection::labelled(&label)) {
                Ok(objects) => labelled.extend(objects),
                Err(ReadError::NotServed(_)) => {}
                Err(error) => return Err(unavailable(kind, &error)),
            }
        }
        Ok(labelled)
    }

    fn may_apply(&self, object: &ObjectRef) -> bool {
        self.plugin.reconciler.grants.find(Access::Apply, &object.kind, object.namespace.as_deref()).is_some()
    }

    /// Logs the objects with the owner label of this key outside of the grants, once while they are the same.
    fn log_outside_grants(&mut self) -> Result<(), WriteError> {
        let outside = self.labelled()?.into_iter().map(|object| object.reference.clone());
        let outside: BTreeSet<_> = outside.filter(|object| !self.may_apply(object)).collect();
        if !outside.is_empty() && outside != self.outside_grants {
            let objects = Vec::from_iter(&outside);
            let objects = Listed::first(NAMED, &objects).to_string();
            let (reconciler, subject) = (self.plugin.name(), &self.subject.reference);
            tracing::warn!(
                reconciler, %subject, objects,
                "ignored objects with this key's owner label where `spec.grants.apply` grants nothing"
            );
        }
        self.outside_grants = outside;
        Ok(())
    }
}
