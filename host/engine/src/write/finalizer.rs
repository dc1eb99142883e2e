//! The host's finalizer on a subject: it stays until the reconciler has cleaned up.

use std::collections::HashSet;
use std::sync::Arc;

use mizzen_cluster::{Ownership, Scope, WriteError};
use mizzen_k8s::Listed;

use super::change::Change;
use super::writer::Writer;
use crate::names::{finalizer, has_finalizer};
use crate::observe::Verb;

/// The most objects that a message names.
const NAMED: usize = 3;

/// How far a cleanup is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cleanup {
    /// Objects are still being deleted: a message that names them.
    InProgress(String),
    /// The finalizer is removed.
    Done,
}

impl Writer {
    /// Adds the reconciler's finalizer to the subject unless it is there.
    pub(crate) async fn ensure_finalizer(&mut self) -> Result<(), WriteError> {
        if has_finalizer(&self.subject, self.plugin.name()) {
            return Ok(());
        }
        let name = finalizer(self.plugin.name());
        self.cluster().add_finalizer(&self.subject.reference, &self.subject.uid, &name).await?;
        self.wrote_finalizer();
        if let Some(subject) = self.live(Scope::All, &self.subject.reference)? {
            self.subject = subject;
        }
        Ok(())
    }

    /// Deletes all owned objects, releases those that were adopted or are never pruned, and removes the finalizer once
    /// the others are gone.
    pub(crate) async fn clean_up(&mut self) -> Result<Cleanup, WriteError> {
        self.prune(&HashSet::new()).await?;
        let confirmed = self.confirm(&HashSet::new()).await?;
        confirmed.refuse_open()?;
        let remaining = confirmed.joined(self.owned().await?);
        let deleting = remaining.iter().filter(|owned| owned.ownership == Ownership::Created);
        let deleting: Vec<_> = deleting.map(|owned| &owned.object.reference).collect();
        if !deleting.is_empty() {
            return Ok(Cleanup::InProgress(format!("still being deleted: {}", Listed::first(NAMED, &deleting))));
        }
        for owned in remaining.iter().filter(|owned| !owned.object.deleting) {
            self.orphan(&owned.object, owned.ownership).await?;
        }
        // A subject that leaves the selection may have none.
        if has_finalizer(&self.subject, self.plugin.name()) {
            let name = finalizer(self.plugin.name());
            self.cluster().remove_finalizer(&self.subject.reference, &self.subject.uid, &name).await?;
            self.wrote_finalizer();
        }
        Ok(Cleanup::Done)
    }

    fn wrote_finalizer(&mut self) {
        let subject = Arc::clone(&self.subject);
        let change = Change { before: Some(Arc::clone(&subject)), after: None };
        self.wrote(Verb::Finalizer, &subject.reference, change);
    }
}
