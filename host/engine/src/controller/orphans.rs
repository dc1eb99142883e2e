//! Orphaned finalizers: a subject is being deleted and carries the finalizer of a reconciler that
//! is not configured, so no reconciler cleans up, and the subject would stay for ever.
//!
//! The host can't know whether such a reconciler will be configured again, and without its plugin
//! it must not delete what that applied. So after a grace period it reports what remains, and
//! removes the finalizer. A subject that is not being deleted keeps the finalizer: the reconciler
//! may return.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use mizzen_model::{Kind, Object, ObjectRef};
use tokio::time::Instant;

use super::timers::Timers;
use crate::names::finalizing_reconcilers;

/// How long a finalizer must have been orphaned before it is removed: a configuration may be
/// replaced by deleting and creating it, and another host may be about to clean up for a reconciler
/// of its own.
const GRACE: Duration = Duration::from_mins(1);

/// The finalizer of a reconciler on a subject that is being deleted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct OrphanedFinalizer {
    pub(super) subject: ObjectRef,
    pub(super) reconciler: String,
}

/// The orphaned finalizers in their grace period.
#[derive(Default)]
pub(super) struct Orphans {
    /// The configured reconcilers, including those that can't run; `None`: there was no
    /// configuration yet.
    configured: Option<HashSet<String>>,
    /// Configured reconcilers whose documents are invalid.
    invalid: HashSet<String>,
    /// The kinds of subjects of all reconcilers that were ever configured, and the kinds that those
    /// applied.
    subjects: BTreeSet<Kind>,
    applied: BTreeSet<Kind>,
    graces: Timers<OrphanedFinalizer>,
}

// === impl Orphans ===

impl Orphans {
    /// Takes the names of the configured reconcilers. Those that are configured again are orphaned
    /// no longer.
    pub(super) fn configure(&mut self, names: HashSet<String>) {
        self.configured = Some(names);
        let returned: Vec<_> =
            self.graces.keys().filter(|orphan| self.is_configured(&orphan.reconciler)).cloned().collect();
        for orphan in returned {
            self.graces.cancel(&orphan);
        }
    }

    /// Takes the names of configured reconcilers whose documents are invalid: their finalizers are
    /// not orphaned.
    pub(super) fn set_invalid(&mut self, names: HashSet<String>) {
        self.invalid = names;
    }

    /// Notes which kinds a reconciler has as subjects and applies.
    pub(super) fn note_kinds<'a>(&mut self, subject: Kind, applied: impl Iterator<Item = &'a Kind>) {
        self.subjects.insert(subject);
        self.applied.extend(applied.cloned());
    }

    /// The kinds among which orphaned finalizers may be.
    pub(super) fn subject_kinds(&self) -> Vec<Kind> {
        self.subjects.iter().cloned().collect()
    }

    /// The kinds of the objects that may remain.
    pub(super) fn applied_kinds(&self) -> BTreeSet<Kind> {
        self.applied.clone()
    }

    /// Starts the grace period of the orphaned finalizers of one object.
    pub(super) fn observe(&mut self, object: &Object, now: Instant) {
        if self.configured.is_none() || !object.deleting {
            return;
        }
        for reconciler in finalizing_reconcilers(object) {
            if !self.is_configured(&reconciler) {
                self.start_grace(OrphanedFinalizer { subject: object.reference.clone(), reconciler }, now);
            }
        }
    }

    /// Starts the grace period of a finalizer, unless it has started.
    pub(super) fn start_grace(&mut self, orphan: OrphanedFinalizer, now: Instant) {
        if self.graces.get(&orphan).is_none() {
            self.graces.set(orphan, now + GRACE);
        }
    }

    /// A finalizer whose grace period is over; to be removed if it [is still
    /// orphaned](Self::is_orphaned).
    pub(super) fn expire(&mut self, now: Instant) -> Option<OrphanedFinalizer> {
        self.graces.expire(now)
    }

    /// Whether the live subject carries an orphaned finalizer.
    pub(super) fn is_orphaned(&self, orphan: &OrphanedFinalizer, live: &Object) -> bool {
        live.deleting
            && !self.is_configured(&orphan.reconciler)
            && finalizing_reconcilers(live).contains(&orphan.reconciler)
    }

    /// When the next grace period ends.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.graces.next()
    }

    fn is_configured(&self, reconciler: &str) -> bool {
        self.invalid.contains(reconciler) || self.configured.as_ref().is_some_and(|names| names.contains(reconciler))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn subject(deleting: bool) -> Object {
        let mut document = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": "m", "namespace": "a", "uid": "u", "resourceVersion": "1", "finalizers": ["mizzen.dev/gone"]}});
        if deleting {
            document["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        Object::new(document, &mizzen_model::Fields::Whole).unwrap()
    }

    fn named(names: &[&str]) -> HashSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_finalizer_is_orphaned_when_its_subject_is_being_deleted_and_its_reconciler_is_not_configured() {
        let now = Instant::now();
        let mut orphans = Orphans::default();
        orphans.observe(&subject(true), now);
        assert_eq!(orphans.next_deadline(), None, "before the first configuration no reconciler is known");
        orphans.configure(named(&["other"]));
        orphans.observe(&subject(false), now);
        assert_eq!(orphans.next_deadline(), None);
        orphans.observe(&subject(true), now);
        assert_eq!(orphans.next_deadline(), Some(now + GRACE));
        let orphan = orphans.expire(now + GRACE).unwrap();
        assert!(orphans.is_orphaned(&orphan, &subject(true)) && !orphans.is_orphaned(&orphan, &subject(false)));
    }

    #[test]
    fn an_event_does_not_extend_the_grace_period() {
        let now = Instant::now();
        let mut orphans = Orphans::default();
        orphans.configure(named(&[]));
        orphans.observe(&subject(true), now);
        orphans.observe(&subject(true), now + GRACE / 2);
        assert_eq!(orphans.next_deadline(), Some(now + GRACE));
    }

    #[test]
    fn a_reconciler_that_is_configured_again_is_not_orphaned() {
        let now = Instant::now();
        let mut orphans = Orphans::default();
        orphans.configure(named(&[]));
        orphans.observe(&subject(true), now);
        orphans.configure(named(&["gone"]));
        assert_eq!(orphans.expire(now + GRACE), None);
    }

    #[test]
    fn a_reconciler_with_an_invalid_document_is_configured() {
        let mut orphans = Orphans::default();
        orphans.set_invalid(named(&["gone"]));
        orphans.configure(named(&[]));
        orphans.observe(&subject(true), Instant::now());
        assert_eq!(orphans.next_deadline(), None);
    }
}
