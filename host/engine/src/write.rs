//! Writing: the difference between what is wanted and what is, and nothing else.
//!
//! ```text
//!   Prepared ─► objects: apply what drifted ─► prune what is no longer wanted ─► patches, deletions ─► status ─► events
//! ```

pub(crate) mod disrupt;
pub(crate) mod drift;
pub(crate) mod foresee;
pub(crate) mod objects;
mod owner;
mod quantity;
pub(crate) mod status;
pub(crate) mod subject;
pub(crate) mod survivors;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use mizzen_cluster::{Apply, Cluster, EventRecord, ForeignField, Scope, WriteError};
use mizzen_model::{Digest, Event, Object, ObjectRef, Severity};
use serde_json::Value;

use crate::context::Context;
use crate::memo::{LastWrite, LastWrites, Written};
use crate::names;
use crate::observe::{self, Observer, Verb};
use crate::plugin::{Key, Plugin};
use disrupt::Disruptions;

/// One object, as it was and as it is.
pub(crate) type Change = (Option<Arc<Object>>, Option<Arc<Object>>);

/// Writes for one reconciler and one subject.
pub(crate) struct Writer<'a> {
    context: &'a Context,
    cluster: &'a dyn Cluster,
    observer: &'a dyn Observer,
    key: Key,
    plugin: &'a Plugin,
    subject: Arc<Object>,
    /// What earlier writes left behind; brought up to date here.
    settled: LastWrites,
    /// What was written this time.
    pub(crate) changes: Vec<Change>,
    /// How many writes there were.
    pub(crate) writes: usize,
    /// How far has come what is to be done to objects of others.
    pub(crate) disruptions: Disruptions,
}

/// How an apply treats the fields of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    /// Takes them all: the operator granted `force`.
    Force,
    /// Takes back what somebody edited, and leaves what another manager applies: the object is ours.
    Ours,
    /// Takes none: the object was there before.
    Polite,
    /// Takes none but the mark of the pace, which says of an object when it was last patched, for whichever subject.
    Patch,
}

// === impl Writer ===

impl<'a> Writer<'a> {
    pub(crate) fn new(
        context: &'a Context,
        key: Key,
        plugin: &'a Plugin,
        subject: Arc<Object>,
        settled: LastWrites,
    ) -> Self {
        let (cluster, observer) = (&*context.cluster, &*context.observer);
        let disruptions = Disruptions::default();
        Self { context, cluster, observer, key, plugin, subject, settled, changes: Vec::new(), writes: 0, disruptions }
    }

    /// What is known of the objects written, and the versions that they got.
    pub(crate) fn into_known(self) -> (LastWrites, HashMap<ObjectRef, Vec<u64>>) {
        let mut wrote: HashMap<ObjectRef, Vec<u64>> = HashMap::new();
        for object in self.changes.into_iter().filter_map(|(_, after)| after) {
            wrote.entry(object.reference.clone()).or_default().push(object.resource_version);
        }
        (self.settled, wrote)
    }

    fn wrote(&mut self, verb: Verb, object: &ObjectRef, before: Option<Arc<Object>>, after: Option<Arc<Object>>) {
        self.writes += 1;
        self.observer.wrote(&observe::Written {
            reconciler: self.plugin.name(),
            subject: &self.subject.reference,
            verb,
            object,
            before: before.clone(),
            after: after.clone(),
        });
        if verb != Verb::Finalizer {
            self.changes.push((before, after));
        }
    }

    /// What has become of what was wanted of an object, by its digest, if the object is that still: because the version is the one that was
    /// settled, or by its values, which the API server may have rewritten. What to compare with is made only where it takes that, of what is there;
    /// `None`: it can't be.
    fn kept<'w>(
        &self,
        live: &Object,
        digest: Digest,
        wanted: impl FnOnce(&Value) -> Option<Cow<'w, Value>>,
    ) -> Option<Digest> {
        let known = self.settled.get(&live.reference).and_then(|settled| match settled.what {
            Written::Object { wanted, live } | Written::Fields { wanted, live } if wanted == digest => {
                Some((settled.version, live))
            }
            _ => None,
        });
        if let Some((version, shape)) = known
            && version == live.resource_version
        {
            return Some(shape);
        }
        let there = live.value();
        let wanted = wanted(&there)?;
        let shape = drift::digest(&there, &wanted);
        let is_rewritten = known.is_some_and(|(_, known)| known == shape);
        (is_rewritten || drift::holds(&there, &wanted)).then_some(shape)
    }

    /// Remembers an object as it is now; says whether anything was known of it.
    fn settle(&mut self, live: &Object, what: Written) -> bool {
        self.settled.insert(live.reference.clone(), LastWrite { version: live.resource_version, what }).is_some()
    }

    /// Applies, and applies once more by force where nothing stands in the way but what the claim takes: edits, or what we ourselves said
    /// of a failure, in what is ours; in a patch, the mark of its pace.
    async fn claim(&self, apply: Apply<'_>, claim: Claim) -> Result<Arc<Object>, WriteError> {
        let failure = names::failure_manager(self.plugin.name());
        let mark = names::pace_annotation(self.plugin.name());
        let ours = |field: &ForeignField| match claim {
            Claim::Ours => !field.applied || field.manager == failure,
            Claim::Patch => field.field.ends_with(&mark),
            Claim::Force | Claim::Polite => false,
        };
        let first = self.cluster.apply(Apply { force: claim == Claim::Force, ..apply }).await;
        match first {
            Err(WriteError::Conflict { fields, .. }) if fields.iter().all(ours) => {
                self.cluster.apply(Apply { force: true, ..apply }).await
            }
            other => other,
        }
    }

    /// Tells of events. A lost one is logged and no reason to fail.
    pub(crate) async fn publish(&self, events: &[Event]) {
        for event in events {
            // Without its uid, `kubectl describe` does not show it with the object.
            let uid = match &event.regarding {
                None => Some(self.subject.uid.to_string()),
                Some(other) => self.uid(other),
            };
            let record = EventRecord {
                reporter: self.plugin.field_manager(),
                regarding: event.regarding.clone().unwrap_or_else(|| self.subject.reference.clone()),
                regarding_uid: uid.unwrap_or_default(),
                severity: event.severity,
                reason: event.reason.clone(),
                action: "Reconcile".into(),
                note: event.message.clone(),
            };
            self.send(record).await;
        }
    }

    /// The uid of an object, if some view has it.
    fn uid(&self, object: &ObjectRef) -> Option<String> {
        let found =
            [Scope::All, Scope::Owned].into_iter().find_map(|scope| self.cluster.get(scope, object).ok().flatten());
        found.map(|object| object.uid.to_string())
    }

    async fn send(&self, record: EventRecord) {
        if let Err(error) = self.cluster.publish(record).await {
            tracing::warn!(reconciler = self.plugin.name(), subject = %self.subject.reference, %error, "event lost");
        }
    }

    /// Tells of one event about the subject.
    pub(crate) async fn warn(&self, reason: &str, message: &str) {
        let event =
            Event { regarding: None, severity: Severity::Warning, reason: reason.into(), message: message.into() };
        self.publish(&[event]).await;
    }
}
