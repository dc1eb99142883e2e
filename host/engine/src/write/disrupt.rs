//! What a reconciler wants done to objects of others: patched or deleted, as fast as their paces allow.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use mizzen_cluster::{Apply, EventRecord, ReadError, Scope, Target, WriteError};
use mizzen_model::{Deletion, Digest, Object, ObjectRef, Patch, Severity};
use serde_json::json;

use super::{Claim, Writer, drift};
use crate::memo::Written;
use crate::names::{pace_annotation, pace_mark};
use crate::observe::{Disrupted, Verb};
use crate::pace::{Admission, PaceStatus, Slot, Stage};
use crate::prepare::Prepared;

/// How far the disruptions of an outcome have come.
#[derive(Debug, Default)]
pub(crate) struct Disruptions {
    /// How the paces stand that have something to say.
    pub(crate) paces: Vec<PaceStatus>,
    /// Names of paces that are not in the configuration.
    pub(crate) unknown: BTreeSet<String>,
}

/// How much is wanted under a pace, and how much of it waits.
type Tally<'a> = BTreeMap<&'a str, (usize, usize)>;

// === impl Disruptions ===

impl Disruptions {
    /// Whether something has not had its turn yet.
    pub(crate) fn wait(&self) -> bool {
        self.paces.iter().any(PaceStatus::is_deferred)
    }

    /// How they stand, for people; empty when there is nothing to say.
    pub(crate) fn message(&self) -> String {
        self.paces.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

// === impl Writer ===

impl Writer<'_> {
    /// Patches and deletes what is not as wanted yet and has its turn. Goes on after an error, except when the API server can't be
    /// reached.
    pub(super) async fn disrupt(&mut self, prepared: &Prepared) -> Vec<WriteError> {
        let (mut errors, mut tally) = (Vec::new(), Tally::new());
        self.disruptions = Disruptions::default();
        for (patch, digest) in &prepared.patches {
            errors.extend(self.patch(patch, *digest, &mut tally).await.err());
            if matches!(errors.last(), Some(WriteError::Unavailable { .. })) {
                return errors;
            }
        }
        for deletion in &prepared.deletions {
            errors.extend(self.end(deletion, &mut tally).await.err());
            if matches!(errors.last(), Some(WriteError::Unavailable { .. })) {
                return errors;
            }
        }
        let mut paces = self.context.paces();
        let deferred: HashMap<_, _> = tally.iter().map(|(pace, (_, waiting))| (*pace, *waiting)).collect();
        paces.defer(self.key, &deferred);
        let statuses = tally.iter().filter_map(|(pace, (all, waiting))| paces.status(self.key, pace, *all, *waiting));
        self.disruptions.paces = statuses.filter(PaceStatus::is_notable).collect();
        errors
    }

    /// Sets fields of an object that others own, if it exists and does not have them already.
    async fn patch<'p>(&mut self, patch: &'p Patch, digest: Digest, tally: &mut Tally<'p>) -> Result<(), WriteError> {
        let object = &patch.object;
        let absent = || WriteError::NotFound { object: object.to_string(), message: "a patch never creates".into() };
        let live = self.cluster.get(Scope::All, object).ok().flatten().ok_or_else(absent)?;
        let pace = patch.pace.as_deref();
        if self.is_patched(&live, patch, digest) {
            if let Some(pace) = pace {
                tally.entry(pace).or_default().0 += 1;
                self.context.paces().attribute(Slot { key: self.key, pace, object });
            }
            return Ok(());
        }
        let Some(now) = self.turn(object, pace, tally) else { return Ok(()) };
        match self.set(&live, patch, now).await {
            Ok(after) => {
                let shape = drift::digest(&after.value(), &patch.fragment);
                self.settle(&after, Written::Fields { wanted: digest, live: shape });
                self.begun(object, pace, Stage::Patched { version: after.resource_version });
                self.wrote(Verb::Change, object, Some(Arc::clone(&live)), Some(after));
                self.told("Patched", &live, pace, &patch.reason).await;
                Ok(())
            }
            Err(error) => {
                self.take_back(object, pace);
                Err(error)
            }
        }
    }

    /// Whether an object has the fields already; the API server may have rewritten them.
    fn is_patched(&mut self, live: &Object, patch: &Patch, digest: Digest) -> bool {
        let kept = self.kept(live, digest, |_| Some(Cow::Borrowed(&patch.fragment)));
        if let Some(shape) = kept {
            self.settle(live, Written::Fields { wanted: digest, live: shape });
        }
        kept.is_some()
    }

    async fn set(&self, live: &Object, patch: &Patch, now: Timestamp) -> Result<Arc<Object>, WriteError> {
        let object = &patch.object;
        // What our own manager set before and does not name now the API server takes back: a null is named by leaving it out.
        let mut document = drift::without_nulls(&patch.fragment);
        if !document.is_object() {
            let message = "the fragment is not an object".into();
            return Err(WriteError::Invalid { object: object.to_string(), message });
        }
        document["apiVersion"] = json!(object.kind.api_version);
        document["kind"] = json!(object.kind.name);
        if !document["metadata"].is_object() {
            document["metadata"] = json!({});
        }
        document["metadata"]["name"] = json!(object.name);
        document["metadata"]["uid"] = json!(live.uid);
        if let Some(namespace) = &object.namespace {
            document["metadata"]["namespace"] = json!(namespace);
        }
        if let Some(pace) = &patch.pace {
            if !document["metadata"]["annotations"].is_object() {
                document["metadata"]["annotations"] = json!({});
            }
            document["metadata"]["annotations"][pace_annotation(self.plugin.name())] = json!(pace_mark(pace, now));
        }
        let manager = self.plugin.patch_manager(&self.subject.reference);
        let apply = Apply { manager: &manager, document: &document, target: Target::Object, force: false };
        self.claim(apply, Claim::Patch).await
    }

    /// Deletes an object that others own, if it is still the one that was meant.
    async fn end<'p>(&mut self, deletion: &'p Deletion, tally: &mut Tally<'p>) -> Result<(), WriteError> {
        let (object, pace) = (&deletion.object, deletion.pace.as_deref());
        let live = match self.cluster.get(Scope::All, object) {
            Ok(live) => live.filter(|live| *live.uid == *deletion.uid),
            Err(ReadError::NotServed(_)) => None,
            Err(error) => {
                return Err(WriteError::Unavailable { object: object.to_string(), message: error.to_string() });
            }
        };
        let Some(live) = live else { return Ok(()) };
        if live.deleting {
            if let Some(pace) = pace {
                tally.entry(pace).or_default().0 += 1;
                let stage = Stage::Deleted { uid: live.uid.clone(), owner: self.owner(&live).await };
                let slot = Slot { key: self.key, pace, object };
                self.context.paces().adopt(slot, stage, (self.context.clock)());
            }
            return Ok(());
        }
        if self.turn(object, pace, tally).is_none() {
            return Ok(());
        }
        let owner = if pace.is_some() { self.owner(&live).await } else { None };
        match self.cluster.delete(object, &deletion.uid).await {
            Ok(()) => {
                self.begun(object, pace, Stage::Deleted { uid: live.uid.clone(), owner });
                self.wrote(Verb::Delete, object, Some(Arc::clone(&live)), None);
                self.told("Deleted", &live, pace, &deletion.reason).await;
                Ok(())
            }
            Err(error) => {
                self.take_back(object, pace);
                Err(error)
            }
        }
    }

    /// When a disruption begins; `None`: it does not, now.
    fn turn<'p>(&mut self, object: &ObjectRef, pace: Option<&'p str>, tally: &mut Tally<'p>) -> Option<Timestamp> {
        let now = (self.context.clock)();
        let Some(pace) = pace else { return Some(now) };
        let (all, waiting) = tally.entry(pace).or_default();
        *all += 1;
        match self.context.paces().admit(Slot { key: self.key, pace, object }, now) {
            Admission::Admitted => Some(now),
            Admission::Deferred => {
                *waiting += 1;
                None
            }
            Admission::UnknownPace => {
                self.disruptions.unknown.insert(pace.to_owned());
                None
            }
        }
    }

    fn begun(&self, object: &ObjectRef, pace: Option<&str>, stage: Stage) {
        if let Some(pace) = pace {
            self.context.paces().written(Slot { key: self.key, pace, object }, stage, self.cluster);
        }
    }

    fn take_back(&self, object: &ObjectRef, pace: Option<&str>) {
        if let Some(pace) = pace {
            self.context.paces().cancel(Slot { key: self.key, pace, object });
        }
    }

    /// Tells the log, and by an Event whoever the object belongs to, what was done to it and why.
    async fn told(&self, what: &str, live: &Object, pace: Option<&str>, reason: &str) {
        let (reconciler, subject, object) = (self.plugin.name(), &self.subject.reference, &live.reference);
        self.observer.disrupted(&Disrupted { reconciler, subject, object, pace, reason });
        let record = EventRecord {
            reporter: self.plugin.field_manager(),
            regarding: object.clone(),
            regarding_uid: live.uid.to_string(),
            severity: Severity::Normal,
            reason: what.to_owned(),
            action: "Reconcile".into(),
            note: reason.to_owned(),
        };
        self.send(record).await;
    }
}
