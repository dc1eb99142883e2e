//! The host's hold on a subject: the finalizer that keeps it until its reconciler has cleaned up.

use std::collections::HashSet;
use std::sync::Arc;

use mizzen_cluster::{Scope, WriteError};
use mizzen_model::{Object, canonical};

use super::Writer;
use super::survivors::survives;
use crate::observe::Verb;

/// The finalizer of a reconciler.
pub(crate) fn finalizer(reconciler: &str) -> String {
    format!("mizzen.dev/{reconciler}")
}

/// Whether a subject carries the finalizer of a reconciler.
pub(crate) fn is_held_by(subject: &Object, reconciler: &str) -> bool {
    let finalizer = finalizer(reconciler);
    // Most objects have none, and text is cheaper to look through than to parse.
    subject.json().contains(&finalizer)
        && subject.value()["metadata"]["finalizers"]
            .as_array()
            .is_some_and(|all| all.iter().any(|own| *own == finalizer))
}

/// What is left of the metadata and the spec when all that hosts, servers and reconcilers write is taken away: the part of a subject
/// that says what its author wants, and the part that a plugin is given.
pub(crate) fn wish(subject: &Object) -> String {
    canonical::without(subject.json(), &[&["status"], &["metadata", "generation"], &["metadata", "finalizers"]])
}

impl Writer<'_> {
    /// Makes sure that the subject can't go before its reconciler has cleaned up.
    pub(crate) async fn hold(&mut self) -> Result<(), WriteError> {
        if !is_held_by(&self.subject, self.plugin.name()) {
            self.set_finalizer(true).await?;
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
            if !survives(&object) {
                return Ok(false);
            }
        }
        for survivor in self.owned()? {
            self.let_go(&survivor).await?;
        }
        self.set_finalizer(false).await?;
        Ok(true)
    }

    async fn set_finalizer(&mut self, present: bool) -> Result<(), WriteError> {
        let object = self.subject.reference.clone();
        self.cluster.set_finalizer(&object, &self.subject.uid, &finalizer(self.plugin.name()), present).await?;
        let before = Some(Arc::clone(&self.subject));
        self.wrote(Verb::Finalizer, &object, before, None);
        Ok(())
    }
}
