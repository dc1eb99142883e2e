//! Subjects that are going away and are held by a reconciler that no configuration names any more: nobody is left to clean up for
//! them, and they would stay for ever.
//!
//! Whether such a reconciler is gone for good, nobody can tell; what it applied is not ours to delete without it. So after a while the
//! subject is told what stays behind, and let go. Subjects that are not going away keep its finalizer: the reconciler may come back.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use mizzen_cluster::{Cluster, EventRecord, OWNER_LABEL, ReadError, Scope, Selection, WriteError};
use mizzen_model::{Access, Kind, Object, ObjectRef, Selector, Severity};
use tokio::task::JoinSet;
use tokio_util::time::{DelayQueue, delay_queue};

use crate::controller::Controller;
use crate::names::{HOST, finalizer, finalizing_reconcilers, owner_label};
use crate::observe::{Observer, Verb, Written};

/// How long a reconciler must have been unnamed, and its subject going, before the subject is let go: configurations are replaced by
/// deleting and creating, and another host may be about to clean up for what is its own.
const PATIENCE: Duration = Duration::from_mins(1);

/// A finalizer of a reconciler that nobody names, on a subject that is going away.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hold {
    subject: ObjectRef,
    reconciler: String,
}

/// What is known of such holds.
#[derive(Default)]
pub(crate) struct Abandoned {
    /// Reconcilers that are configured, and can't be run: their documents are wrong.
    pub(crate) also_named: HashSet<String>,
    /// Kinds that any reconciler of this host has had as its subject, and those that any has applied.
    subjects: BTreeSet<Kind>,
    applied: BTreeSet<Kind>,
    waiting: HashMap<Hold, delay_queue::Key>,
    pub(crate) timers: DelayQueue<Hold>,
    pub(crate) releases: JoinSet<Result<(), Hold>>,
}

impl Controller {
    /// Looks for holds after the configuration has changed.
    pub(crate) fn seek_abandoned(&mut self) {
        for plugin in self.nodes.iter().filter_map(|node| node.plugin.as_ref()) {
            self.abandoned.subjects.insert(plugin.subject().kind);
            self.abandoned.applied.extend(plugin.invoke.description().kinds(Access::Apply).cloned());
        }
        // Whoever was named in between starts anew if it goes again.
        let named: Vec<_> =
            self.abandoned.waiting.keys().filter(|hold| self.is_named(&hold.reconciler)).cloned().collect();
        for hold in named {
            self.abandoned.forget(&hold);
        }
        for kind in self.abandoned.subjects.clone() {
            self.seek_abandoned_among(&kind);
        }
    }

    /// Looks for holds among all objects of a kind, as far as it is watched.
    pub(crate) fn seek_abandoned_among(&mut self, kind: &Kind) {
        let all = self.context.cluster.list(Scope::All, kind, &Selection::default()).unwrap_or_default();
        for object in all {
            self.notice_abandoned(&object);
        }
    }

    /// Takes note of the holds on one object.
    pub(crate) fn notice_abandoned(&mut self, object: &Object) {
        if !self.configured || !object.deleting {
            return;
        }
        for reconciler in finalizing_reconcilers(object) {
            let hold = Hold { subject: object.reference.clone(), reconciler };
            if !self.is_named(&hold.reconciler) && !self.abandoned.waiting.contains_key(&hold) {
                self.abandoned.wait(hold);
            }
        }
    }

    /// A hold has waited for long enough: if it is still one, it ends.
    pub(crate) fn abandon(&mut self, hold: Hold) {
        self.abandoned.waiting.remove(&hold);
        let Ok(Some(object)) = self.context.cluster.get(Scope::All, &hold.subject) else { return };
        if !object.deleting
            || self.is_named(&hold.reconciler)
            || !finalizing_reconcilers(&object).contains(&hold.reconciler)
        {
            return;
        }
        let (cluster, observer) = (Arc::clone(&self.context.cluster), Arc::clone(&self.context.observer));
        let applied = self.abandoned.applied.clone();
        self.abandoned.releases.spawn(async move {
            release(&*cluster, &*observer, &hold, &object, &applied).await.map_err(|error| {
                tracing::warn!(subject = %hold.subject, reconciler = hold.reconciler, %error, "could not be let go");
                hold
            })
        });
    }

    /// A release has ended; one that failed is tried again later.
    pub(crate) fn released(&mut self, released: Result<(), Hold>) {
        if let Err(hold) = released
            && !self.abandoned.waiting.contains_key(&hold)
        {
            self.abandoned.wait(hold);
        }
    }

    fn is_named(&self, reconciler: &str) -> bool {
        self.nodes.named(reconciler).is_some() || self.abandoned.also_named.contains(reconciler)
    }
}

// === impl Abandoned ===

impl Abandoned {
    fn wait(&mut self, hold: Hold) {
        let timer = self.timers.insert(hold.clone(), PATIENCE);
        self.waiting.insert(hold, timer);
    }

    fn forget(&mut self, hold: &Hold) {
        if let Some(timer) = self.waiting.remove(hold) {
            self.timers.try_remove(&timer);
        }
    }
}

/// Says what stays behind, then removes the finalizer.
async fn release(
    cluster: &dyn Cluster,
    observer: &dyn Observer,
    hold: &Hold,
    object: &Object,
    applied: &BTreeSet<Kind>,
) -> Result<(), WriteError> {
    let Hold { subject, reconciler } = hold;
    let note = note(cluster, hold, applied);
    tracing::warn!(%subject, reconciler, "{note}");
    let event = EventRecord {
        reporter: HOST.into(),
        regarding: subject.clone(),
        regarding_uid: object.uid.to_string(),
        severity: Severity::Warning,
        reason: "Abandoned".into(),
        action: "Release".into(),
        note,
    };
    if let Err(error) = cluster.publish(event).await {
        tracing::warn!(%subject, reconciler, %error, "event lost");
    }
    cluster.remove_finalizer(subject, &object.uid, &finalizer(reconciler)).await?;
    observer.wrote(&Written { reconciler, subject, verb: Verb::Finalizer, object: subject, before: None, after: None });
    Ok(())
}

/// What becomes of the subject, and of what was applied for it: all of that which this host knows of, and how to find the rest.
fn note(cluster: &dyn Cluster, hold: &Hold, applied: &BTreeSet<Kind>) -> String {
    let Hold { subject, reconciler } = hold;
    let label = owner_label(reconciler, subject);
    let owned = Selector::equal(OWNER_LABEL, &label);
    let (mut left, mut unknown) = (Vec::new(), Vec::new());
    for kind in applied {
        match cluster.list(Scope::Owned, kind, &Selection::labelled(&owned)) {
            Ok(objects) => left.extend(objects.iter().map(|object| object.reference.to_string())),
            Err(ReadError::NotServed(_)) => {}
            Err(_) => unknown.push(kind.to_string()),
        }
    }
    let left = if left.is_empty() { "nothing that this host knows of".to_owned() } else { left.join(", ") };
    let unknown = if unknown.is_empty() { String::new() } else { format!(", perhaps some {}", unknown.join(", ")) };
    format!(
        "no configuration names `{reconciler}` any more, which held this: it is let go. What was applied for it and is not owned by \
         it stays: {left}{unknown}; look for the label {OWNER_LABEL}={label}"
    )
}
