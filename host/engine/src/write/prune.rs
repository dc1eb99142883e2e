//! Pruning: deletes owned objects that are no longer desired.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use mizzen_cluster::{OWNER_LABEL, ReadError, Scope, Selection, WriteError};
use mizzen_k8s::Listed;
use mizzen_model::{Access, Object, ObjectRef, Selector};

use super::change::Change;
use super::writer::{Writer, unavailable};
use crate::memo::WrittenPart;
use crate::names::is_never_pruned;
use crate::observe::Verb;

/// The most objects outside of the grants that a log line names.
const NAMED: usize = 5;

/// The live objects with the owner label of a key.
#[derive(Default)]
struct Labelled {
    /// Those where the reconciler may apply objects: they are owned.
    owned: Vec<Arc<Object>>,
    /// The others. The owner label alone proves nothing: anyone can compute it and label an object
    /// of their own. Outside of the apply grants such an object is ignored.
    outside_grants: BTreeSet<ObjectRef>,
}

impl Writer {
    /// Deletes the owned objects that are not in `keep`, except those that are never pruned.
    pub(super) async fn prune(&mut self, keep: &HashSet<&ObjectRef>) -> Result<(), WriteError> {
        let Labelled { owned, outside_grants } = self.labelled()?;
        for object in owned.into_iter().filter(|object| is_prunable(object, keep)) {
            self.cluster().delete(&object.reference, &object.uid).await?;
            self.last_writes.remove(&object.reference);
            let reference = object.reference.clone();
            self.wrote(Verb::Delete, &reference, Change { before: Some(object), after: None });
        }
        self.last_writes
            .retain(|object, last| keep.contains(object) || !matches!(last.what, WrittenPart::Object { .. }));
        self.log_outside_grants(outside_grants);
        Ok(())
    }

    /// The owned objects that [`prune`](Self::prune) would delete.
    pub(super) fn prunable(&self, keep: &HashSet<&ObjectRef>) -> Result<Vec<Arc<Object>>, WriteError> {
        let mut owned = self.owned()?;
        owned.retain(|object| is_prunable(object, keep));
        Ok(owned)
    }

    /// Every live object that is owned by this key.
    pub(super) fn owned(&self) -> Result<Vec<Arc<Object>>, WriteError> {
        Ok(self.labelled()?.owned)
    }

    fn labelled(&self) -> Result<Labelled, WriteError> {
        let label = Selector::equal(OWNER_LABEL, &self.owner);
        let mut labelled = Labelled::default();
        for kind in self.plugin.invoke.description().kinds(Access::Apply) {
            let objects = match self.cluster().list(Scope::Owned, kind, &Selection::labelled(&label)) {
                Ok(objects) => objects,
                Err(ReadError::NotServed(_)) => continue,
                Err(error) => return Err(unavailable(kind, &error)),
            };
            let (owned, outside): (Vec<_>, Vec<_>) =
                objects.into_iter().partition(|object| self.may_apply(&object.reference));
            labelled.owned.extend(owned);
            labelled.outside_grants.extend(outside.iter().map(|object| object.reference.clone()));
        }
        Ok(labelled)
    }

    fn may_apply(&self, object: &ObjectRef) -> bool {
        self.plugin.reconciler.grants.find(Access::Apply, &object.kind, object.namespace.as_deref()).is_some()
    }

    /// Logs the objects with the owner label of this key outside of the grants, once while they are the same.
    fn log_outside_grants(&mut self, outside: BTreeSet<ObjectRef>) {
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
    }
}

fn is_prunable(object: &Object, keep: &HashSet<&ObjectRef>) -> bool {
    !keep.contains(&object.reference) && !object.deleting && !is_never_pruned(object)
}
