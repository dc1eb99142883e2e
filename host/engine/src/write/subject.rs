//! The host's hold on a subject: the finalizer that keeps it until its reconciler has cleaned up.

use std::collections::HashSet;
use std::sync::Arc;

use mizzen_cluster::{Scope, WriteError};
use mizzen_model::{Object, ObjectRef, canonical};

use super::Writer;
use crate::names::is_never_pruned;
use crate::names::{finalizer, has_finalizer};
use crate::observe::Verb;

/// What is left of the metadata and the spec when all that hosts, servers and reconcilers write is taken away: the part of a subject
/// that says what its author wants, and the part that a plugin is given.
pub(crate) fn wish(subject: &Object) -> String {
    canonical::without(subject.json(), &[&["status"], &["metadata", "generation"], &["metadata", "finalizers"]])
}

impl Writer<'_> {
    /// Makes sure that the subject can't go before its reconciler has cleaned up.
    pub(crate) async fn hold(&mut self) -> Result<(), WriteError> {
        if !has_finalizer(&self.subject, self.plugin.name()) {
            let object = self.subject.reference.clone();
            self.cluster.add_finalizer(&object, &self.subject.uid, &finalizer(self.plugin.name())).await?;
            self.wrote_finalizer(&object);
            if let Ok(Some(held)) = self.cluster.get(Scope::All, &self.subject.reference) {
                self.subject = held;
            }
        }
        Ok(())
    }

    /// Deletes everything applied for the subject, except what is to survive it, and lets it go. `false`: something is still going
    /// away.
    pub(crate) async fn release(&mut self) -> Result<bool, WriteError> {
        self.prune(&HashSet::new()).await?;
        for object in self.owned()? {
            if !is_never_pruned(&object) {
                return Ok(false);
            }
        }
        for survivor in self.owned()? {
            self.let_go(&survivor).await?;
        }
        let object = self.subject.reference.clone();
        self.cluster.remove_finalizer(&object, &self.subject.uid, &finalizer(self.plugin.name())).await?;
        self.wrote_finalizer(&object);
        Ok(true)
    }

    fn wrote_finalizer(&mut self, object: &ObjectRef) {
        let before = Some(Arc::clone(&self.subject));
        self.wrote(Verb::Finalizer, object, before, None);
    }
}
