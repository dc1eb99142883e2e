//! Pruning: deletes owned objects that are no longer desired.

use std::collections::HashSet;
use std::sync::Arc;

use mizzen_cluster::{OWNER_LABEL, Ownership, ReadError, Scope, Selection, View, WriteError};
use mizzen_k8s::Listed;
use mizzen_model::{Access, Fields, Kind, Object, ObjectRef, Selector, Severity};

use super::change::Change;
use super::objects::is_unavailable;
use super::owned::{Labelled, Owned};
use super::writer::{Writer, unavailable};
use crate::identity::Identity;
use crate::memo::WrittenPart;
use crate::observe::Verb;

impl Writer {
    /// Deletes the owned objects that are not in `keep`, releases those that were adopted, and leaves those that are
    /// never pruned.
    pub(super) async fn prune(&mut self, keep: &HashSet<Identity<'_>>) -> Result<(), WriteError> {
        let labelled = self.labelled(keep).await?;
        self.report_ignored(&labelled).await;
        let confirmed = self.confirm(keep).await?;
        let owned = confirmed.joined(labelled.owned);
        let mut errors = Vec::new();
        for Owned { object, ownership } in owned.into_iter().filter(|owned| !owned.object.deleting) {
            let pruned = match ownership {
                Ownership::Created => self.prune_object(object).await,
                Ownership::Adopted => self.orphan(&object, Ownership::Adopted).await,
                Ownership::NeverPruned => Ok(()),
            };
            errors.extend(pruned.err());
            if is_unavailable(&errors) {
                break;
            }
        }
        if let Some(error) = errors.into_iter().next() {
            return Err(error);
        }
        self.last_writes.retain(|object, last| {
            keep.contains(&Identity::of(object)) || !matches!(last.what, WrittenPart::Object { .. })
        });
        Ok(())
    }

    async fn prune_object(&mut self, object: Arc<Object>) -> Result<(), WriteError> {
        let version = object.resource_version;
        let object = match self.cluster().delete(&object.reference, &object.uid, Some(version)).await {
            // It has changed since the view was read: it may be owned no longer.
            Err(WriteError::Stale { .. }) => {
                let Some(changed) = self.still_owned(&object).await? else { return Ok(()) };
                let version = changed.resource_version;
                self.cluster().delete(&changed.reference, &changed.uid, Some(version)).await?;
                changed
            }
            deleted => deleted.map(|()| object)?,
        };
        self.last_writes.remove(&object.reference);
        let reference = object.reference.clone();
        self.wrote(Verb::Delete, &reference, Change { before: Some(object), after: None });
        Ok(())
    }

    /// An object as the API server has it now, if this key still owns it and created it.
    async fn still_owned(&self, object: &Object) -> Result<Option<Arc<Object>>, WriteError> {
        let reference = &object.reference;
        let found = self.cluster().lookup(reference).await.map_err(|error| unavailable(reference, &error))?;
        let found = found.map(|found| found.object).filter(|found| found.uid == object.uid && !found.deleting);
        Ok(found.filter(|found| {
            found.labels.get(OWNER_LABEL) == Some(&*self.owner) && self.ownership_of(found) == Some(Ownership::Created)
        }))
    }

    /// The owned objects that [`prune`](Self::prune) would delete or release.
    pub(super) async fn prunable(&self, keep: &HashSet<Identity<'_>>) -> Result<Vec<Owned>, WriteError> {
        let mut owned = self.labelled(keep).await?.owned;
        owned.retain(|owned| !owned.object.deleting && owned.ownership != Ownership::NeverPruned);
        Ok(owned)
    }

    /// Every live object that is owned by this key.
    pub(super) async fn owned(&self) -> Result<Vec<Owned>, WriteError> {
        Ok(self.labelled(&HashSet::new()).await?.owned)
    }

    /// The live objects with the owner label of this key, without those in `keep`. An object that is served in several
    /// declared versions is listed once.
    async fn labelled(&self, keep: &HashSet<Identity<'_>>) -> Result<Labelled, WriteError> {
        let mut objects = Vec::new();
        for kind in self.plugin.invoke.description().kinds(Access::Apply) {
            let found = self.labelled_of(kind).await.map_err(|error| unavailable(kind, &error))?;
            objects.extend(found.into_iter().map(|object| (kind, object)));
        }
        let mut seen = keep.clone();
        let mut labelled = Labelled::default();
        for (kind, object) in objects.iter().filter(|(_, object)| seen.insert(Identity::of(&object.reference))) {
            match self.ownership_of(object).filter(|_| self.may_apply(kind, &object.reference)) {
                Some(ownership) => labelled.owned.push(Owned { object: Arc::clone(object), ownership }),
                None => labelled.ignore(&object.reference),
            }
        }
        Ok(labelled)
    }

    /// The live objects of a declared kind with the owner label of this key, in another version if the declared one is
    /// not served: the objects may exist all the same.
    ///
    /// # Errors
    /// It is not known which there are.
    async fn labelled_of(&self, kind: &Kind) -> Result<Vec<Arc<Object>>, ReadError> {
        let label = Selector::equal(OWNER_LABEL, &self.owner);
        let selection = Selection::labelled(&label);
        match self.cluster().list(Scope::Owned, kind, &selection) {
            Err(ReadError::NotServed(_)) => {}
            found => return found,
        }
        let Some(kind) = self.cluster().served_as(kind).await? else { return Ok(Vec::new()) };
        self.cluster().watch(View { kind: kind.clone(), scope: Scope::Owned, fields: Fields::Whole }).await?;
        self.cluster().list(Scope::Owned, &kind, &selection)
    }

    fn may_apply(&self, kind: &Kind, object: &ObjectRef) -> bool {
        self.plugin.reconciler.grants.find(Access::Apply, kind, object.namespace.as_deref()).is_some()
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
