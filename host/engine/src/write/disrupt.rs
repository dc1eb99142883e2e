//! Disruptions: patches and deletions of other parties' objects, as fast as their paces allow.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use mizzen_cluster::{Apply, Scope, Target, WriteError};
use mizzen_model::{Deletion, Digest, Object, ObjectRef, Patch, Severity};
use serde_json::{Value, json};

use super::change::Change;
use super::conflict::ConflictPolicy;
use super::disruptions::{Counts, CountsByPace, Disruptions};
use super::drift;
use super::objects::is_unavailable;
use super::writer::Writer;
use crate::memo::WrittenPart;
use crate::names::{pace_annotation, pace_mark};
use crate::observe::{Disrupted, Verb};
use crate::pace::{Admission, PaceStatus, Slot, Stage};
use crate::prepare::Prepared;

impl Writer {
    /// Makes the patches and deletions that are not done yet and may start. Continues after an error, unless the API
    /// server is unavailable.
    pub(super) async fn disrupt(&mut self, prepared: &Prepared) -> Vec<WriteError> {
        let (mut errors, mut counts) = (Vec::new(), CountsByPace::new());
        self.disruptions = Disruptions::default();
        for patch in &prepared.patches {
            errors.extend(self.patch(&patch.patch, patch.digest, &mut counts).await.err());
            if is_unavailable(&errors) {
                return errors;
            }
        }
        for deletion in &prepared.deletions {
            errors.extend(self.delete(deletion, &mut counts).await.err());
            if is_unavailable(&errors) {
                return errors;
            }
        }
        self.disruptions.paces = self.report_paces(&counts);
        errors
    }

    /// Has the paces requeue the key when its deferred disruptions may start. Returns the paces with something to
    /// report.
    fn report_paces(&self, counts: &CountsByPace<'_>) -> Vec<PaceStatus> {
        let mut paces = self.context.paces();
        let deferred: HashMap<_, _> = counts.iter().map(|(pace, counts)| (*pace, counts.deferred)).collect();
        paces.defer(self.key, &deferred);
        let status = |(pace, counts): (&&str, &Counts)| paces.status(self.key, pace, counts.wanted, counts.deferred);
        counts.iter().filter_map(status).filter(PaceStatus::is_notable).collect()
    }

    /// Sets fields of an object, if it exists and does not have them already.
    async fn patch<'p>(
        &mut self,
        patch: &'p Patch,
        digest: Digest,
        counts: &mut CountsByPace<'p>,
    ) -> Result<(), WriteError> {
        let (object, pace) = (&patch.object, patch.pace.as_deref());
        let absent = || WriteError::NotFound { object: object.to_string(), message: "a patch never creates".into() };
        let live = self.live(Scope::All, object)?.ok_or_else(absent)?;
        if self.is_patched(&live, patch, digest) {
            if let Some(pace) = pace {
                counts.entry(pace).or_default().wanted += 1;
                self.context.paces().attribute(Slot { key: self.key, pace, object });
            }
            return Ok(());
        }
        let Some(started) = self.admit(object, pace, counts) else { return Ok(()) };
        let after = self.apply_patch(&live, patch, started).await.inspect_err(|_| self.cancel(object, pace))?;
        let values = drift::digest(&after.value(), &patch.fragment);
        self.record_write(&after, WrittenPart::Fields { wanted: digest, live: values });
        self.started(object, pace, Stage::Patched { version: after.resource_version });
        let change = Change { before: Some(Arc::clone(&live)), after: Some(after) };
        self.wrote(Verb::Change, object, change);
        self.report_disruption("Patched", &live, pace, &patch.reason).await;
        Ok(())
    }

    /// Whether an object has the fields of a patch already; the API server may have rewritten their values.
    fn is_patched(&mut self, live: &Object, patch: &Patch, digest: Digest) -> bool {
        let values = self.undrifted(live, digest, |_| Some(Cow::Borrowed(&patch.fragment)));
        if let Some(live_values) = values {
            self.record_write(live, WrittenPart::Fields { wanted: digest, live: live_values });
        }
        values.is_some()
    }

    async fn apply_patch(&self, live: &Object, patch: &Patch, started: Timestamp) -> Result<Arc<Object>, WriteError> {
        let document = self.patch_document(live, patch, started);
        let manager = self.plugin.patch_manager(&self.subject.reference);
        let apply = Apply { manager: &manager, document: &document, target: Target::Object, force: false };
        self.apply(apply, ConflictPolicy::PaceAnnotation, None).await
    }

    fn patch_document(&self, live: &Object, patch: &Patch, started: Timestamp) -> Value {
        // The API server removes what our manager set earlier and does not name: a null is expressed by leaving it out.
        let mut document = drift::without_nulls(&patch.fragment);
        patch.object.identify(&mut document, &live.uid);
        if let Some(pace) = &patch.pace {
            let annotations = &mut document["metadata"]["annotations"];
            if !annotations.is_object() {
                *annotations = json!({});
            }
            annotations[pace_annotation(self.plugin.name())] = json!(pace_mark(pace, started));
        }
        document
    }

    /// Deletes an object, if its uid is still that of the deletion.
    async fn delete<'p>(&mut self, deletion: &'p Deletion, counts: &mut CountsByPace<'p>) -> Result<(), WriteError> {
        let (object, pace) = (&deletion.object, deletion.pace.as_deref());
        let live = self.live(Scope::All, object)?.filter(|live| *live.uid == *deletion.uid);
        let Some(live) = live else { return Ok(()) };
        if live.deleting {
            if let Some(pace) = pace {
                counts.entry(pace).or_default().wanted += 1;
                let stage = Stage::Deleted { uid: live.uid.clone(), owner: self.controller_of(&live).await };
                let slot = Slot { key: self.key, pace, object };
                self.context.paces().adopt(slot, stage, (self.context.clock)());
            }
            return Ok(());
        }
        if self.admit(object, pace, counts).is_none() {
            return Ok(());
        }
        let owner = if pace.is_some() { self.controller_of(&live).await } else { None };
        self.cluster().delete(object, &deletion.uid, None).await.inspect_err(|_| self.cancel(object, pace))?;
        self.started(object, pace, Stage::Deleted { uid: live.uid.clone(), owner });
        self.wrote(Verb::Delete, object, Change { before: Some(Arc::clone(&live)), after: None });
        self.report_disruption("Deleted", &live, pace, &deletion.reason).await;
        Ok(())
    }

    /// The start time of a disruption; `None`: it may not start yet.
    fn admit<'p>(
        &mut self,
        object: &ObjectRef,
        pace: Option<&'p str>,
        counts: &mut CountsByPace<'p>,
    ) -> Option<Timestamp> {
        let now = (self.context.clock)();
        let Some(pace) = pace else { return Some(now) };
        let counts = counts.entry(pace).or_default();
        counts.wanted += 1;
        let admission = self.context.paces().admit(Slot { key: self.key, pace, object }, now);
        match admission {
            Admission::Admitted => return Some(now),
            Admission::Deferred => counts.deferred += 1,
            Admission::UnknownPace => _ = self.disruptions.unknown.insert(pace.to_owned()),
        }
        None
    }

    fn started(&self, object: &ObjectRef, pace: Option<&str>, stage: Stage) {
        if let Some(pace) = pace {
            self.context.paces().written(Slot { key: self.key, pace, object }, stage, self.cluster());
        }
    }

    fn cancel(&self, object: &ObjectRef, pace: Option<&str>) {
        if let Some(pace) = pace {
            self.context.paces().cancel(Slot { key: self.key, pace, object });
        }
    }

    /// Reports a disruption to the observer, and by an Event about the object.
    async fn report_disruption(&self, reason: &str, live: &Object, pace: Option<&str>, note: &str) {
        let (reconciler, subject, object) = (self.plugin.name(), &self.subject.reference, &live.reference);
        self.context.observer.disrupted(&Disrupted { reconciler, subject, object, pace, reason: note });
        self.send(self.event(object, live.uid.to_string(), Severity::Normal, reason, note)).await;
    }
}
