//! Pruning: deletes owned objects that are no longer desired.

use std::collections::HashSet;
use std::sync::Arc;

use mizzen_cluster::{OWNER_LABEL, Ownership, ReadError, Scope, Selection, WriteError};
use mizzen_k8s::Listed;
use mizzen_model::{Access, Object, ObjectRef, Selector, Severity};

use super::change::Change;
use super::owned::{Labelled, Owned};
use super::writer::{Writer, unavailable};
use crate::identity::Identity;
use crate::memo::WrittenPart;
use crate::observe::Verb;

impl Writer {
    /// Deletes the owned objects that are not in `keep`, releases those that were adopted, and leaves those that are
    /// never pruned.
    pub(super) async fn prune(&mut self, keep: &HashSet<Identity<'_>>) -> Result<(), WriteError> {
        let labelled = self.labelled(keep)?;
        self.report_ignored(&labelled).await;
        for Owned { object, ownership } in labelled.owned.into_iter().filter(|owned| !owned.object.deleting) {
            match ownership {
                Ownership::Created => self.prune_object(object).await?,
                Ownership::Adopted => self.orphan(&object, Ownership::Adopted).await?,
                Ownership::NeverPruned => {}
            }
        }
        self.last_writes.retain(|object, last| {
            keep.contains(&Identity::of(object)) || !matches!(last.what, WrittenPart::Object { .. })
        });
        Ok(())
    }

    async fn prune_object(&mut self, object: Arc<Object>) -> Result<(), WriteError> {
        self.cluster().delete(&object.reference, &object.uid).await?;
        self.last_writes.remove(&object.reference);
        let reference = object.reference.clone();
        self.wrote(Verb::Delete, &reference, Change { before: Some(object), after: None });
        Ok(())
    }

    /// The owned objects that [`prune`](Self::prune) would delete or release.
    pub(super) fn prunable(&self, keep: &HashSet<Identity<'_>>) -> Result<Vec<Owned>, WriteError> {
        let mut owned = self.labelled(keep)?.owned;
        owned.retain(|owned| !owned.object.deleting && owned.ownership != Ownership::NeverPruned);
        Ok(owned)
    }

    /// Every live object that is owned by this key.
    pub(super) fn owned(&self) -> Result<Vec<Owned>, WriteError> {
        Ok(self.labelled(&HashSet::new())?.owned)
    }

    /// The live objects with the owner label of this key, without those in `keep`. An object that is served in several
    /// declared versions is listed once.
    fn labelled(&self, keep: &HashSet<Identity<'_>>) -> Result<Labelled, WriteError> {
        let label = Selector::equal(OWNER_LABEL, &self.owner);
        let mut objects = Vec::new();
        for kind in self.plugin.invoke.description().kinds(Access::Apply) {
            match self.cluster().list(Scope::Owned, kind, &Selection::labelled(&label)) {
                Ok(found) => objects.extend(found),
                Err(ReadError::NotServed(_)) => {}
                Err(error) => return Err(unavailable(kind, &error)),
            }
        }
        let mut seen = keep.clone();
        let mut labelled = Labelled::default();
        for object in objects.iter().filter(|object| seen.insert(Identity::of(&object.reference))) {
            match self.ownership_of(object).filter(|_| self.may_apply(&object.reference)) {
                Some(ownership) => labelled.owned.push(Owned { object: Arc::clone(object), ownership }),
                None => labelled.ignore(&object.reference),
            }
        }
        Ok(labelled)
    }

    fn may_apply(&self, object: &ObjectRef) -> bool {
        self.plugin.reconciler.grants.find(Access::Apply, &object.kind, object.namespace.as_deref()).is_some()
    }

    /// Reports objects that carry the owner label of this key and are not owned, in the log and in an Event, once until
    /// there are none: their authors must not be able to fill either.
    async fn report_ignored(&mut self, Labelled { ignored, ignored_count, .. }: &Labelled) {
        let was_reported = std::mem::replace(&mut self.reported_ignored, *ignored_count > 0);
        if was_reported || *ignored_count == 0 {
            return;
        }
        let objects = Listed::of_total(ignored, *ignored_count);
        let note = format!(
            "{ignored_count} objects with the owner label of this key are not owned, and are left alone, since they do \
             not carry its mark or `spec.grants.apply` does not cover them: {objects}"
        );
        tracing::warn!(reconciler = self.plugin.name(), subject = %self.subject.reference, "{note}");
        self.report_event(Severity::Warning, "NotOwned", &note).await;
    }
}
