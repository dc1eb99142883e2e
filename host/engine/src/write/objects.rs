//! The objects a reconciler wants: applied, kept from drifting, pruned when they leave the set.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use mizzen_cluster::{Apply, OWNER_LABEL, ReadError, Scope, Selection, Target, WriteError};
use mizzen_model::{Access, Digest, Event, Object, ObjectRef, Selector, Severity};
use serde_json::Value;
use tokio::time::Instant;

use super::{Claim, Writer, drift};
use crate::memo::{View, Written};
use crate::names::{APPLIED_ANNOTATION, is_never_pruned, owner_label};
use crate::observe::Verb;
use crate::prepare::{Desired, Item, Prepared};
use crate::problem::Problem;

/// How long an API server may take to serve what was defined a moment ago, before that is reported: mostly it is some 100 ms.
const SERVED_WITHIN: Duration = Duration::from_secs(5);

/// The first and the longest pause between two looks whether it does.
const SERVED_SOON: Duration = Duration::from_millis(10);
const SERVED_LATE: Duration = Duration::from_millis(500);

impl Writer<'_> {
    /// Makes the cluster hold what is wanted. Goes on after an error, except when the API server can't be reached; reports all of
    /// them. Prunes only when the plugin named the whole set, all of it was applied, and the view is complete.
    pub(crate) async fn converge(&mut self, prepared: &Prepared, view: View) -> Result<(), Problem> {
        let mut errors = Vec::new();
        if let Some(desired) = &prepared.desired {
            for item in &desired.objects {
                if let Err(error) = self.keep(item, desired).await {
                    let unreachable = matches!(error, WriteError::Unavailable { .. });
                    errors.push(error);
                    if unreachable {
                        return Err(Problem::Write(errors));
                    }
                }
            }
            if desired.complete && errors.is_empty() && view == View::Complete {
                let keep: HashSet<_> = desired.objects.iter().map(|item| &item.reference).collect();
                errors.extend(self.prune(&keep).await.err());
                self.settled
                    .retain(|object, settled| keep.contains(object) || !matches!(settled.what, Written::Object { .. }));
            }
        }
        errors.extend(self.disrupt(prepared).await);
        match (errors.is_empty(), self.disruptions.unknown.is_empty()) {
            (false, _) => Err(Problem::Write(errors)),
            (true, false) => Err(Problem::Pace(self.disruptions.unknown.clone())),
            (true, true) => Ok(()),
        }
    }

    /// Applies one object unless the cluster holds it already.
    async fn keep(&mut self, wanted: &Item, among: &Desired) -> Result<(), WriteError> {
        let object = &wanted.reference;
        if among.defined.contains_key(&object.kind) {
            self.await_served(object).await;
        }
        let live = match self.cluster.get(Scope::Owned, object) {
            Ok(live) => live,
            Err(ReadError::NotServed(_)) => None,
            Err(error) => {
                return Err(WriteError::Unavailable { object: object.to_string(), message: error.to_string() });
            }
        };
        if let Some(live) = &live
            && let Some(shape) = self.holds(wanted, live)
        {
            self.settle(live, Written::Object { wanted: wanted.digest, live: shape });
            return Ok(());
        }
        let owner = owner_label(self.plugin.name(), &self.subject.reference);
        let holder = live.as_ref().and_then(|live| live.labels.get(OWNER_LABEL));
        let claim = if wanted.force {
            Claim::Force
        } else if holder == Some(&*owner) {
            Claim::Ours
        } else {
            Claim::Polite
        };
        let claimed = self.context.claims().claim(self.key, &owner, object, holder);
        claimed.map_err(|by| WriteError::Claimed { object: object.to_string(), by: by.to_string() })?;
        let manager = self.plugin.field_manager();
        let document = wanted.value();
        let mut sent = Cow::Borrowed(&document);
        if let (Some(read), Some(_)) = (wanted.read, &live) {
            // Decided over what was read: whatever somebody has made of it since, unseen here too, is not overwritten.
            sent.to_mut()["metadata"]["resourceVersion"] = read.to_string().into();
        }
        let apply = Apply { manager: &manager, document: &sent, target: Target::Object, force: false };
        let applied = self.claim(apply, claim).await;
        self.context.claims().applied(object);
        let after = applied?;
        let shape = drift::digest(&after.value(), &document);
        let known = self.settle(&after, Written::Object { wanted: wanted.digest, live: shape });
        let was = live.as_ref().map(|live| live.value());
        let drifted = was.as_ref().is_some_and(|was| is_applied(was, wanted));
        let unchanged = live.as_ref().is_some_and(|live| live.json() == after.json());
        if !unchanged {
            self.wrote(if live.is_some() { Verb::Change } else { Verb::Create }, object, live, Some(after));
        }
        let repair = match was {
            Some(was) if drifted && !unchanged => Some(repaired(&drift::changed(&was, &document))),
            None if known => Some("was deleted by somebody else, and is there again".to_owned()),
            _ => None,
        };
        if let Some(repair) = repair {
            let message = format!("{object} {repair}");
            let event = Event { regarding: None, severity: Severity::Normal, reason: "DriftRepaired".into(), message };
            self.publish(&[event]).await;
        }
        Ok(())
    }

    /// Waits for a kind to be served whose definition has only just been applied. When it is not in time, the write says so.
    async fn await_served(&self, object: &ObjectRef) {
        let begun = Instant::now();
        let mut pause = SERVED_SOON;
        while let Err(ReadError::NotServed(_) | ReadError::NotSynced(_)) = self.cluster.get(Scope::Owned, object) {
            if begun.elapsed() >= SERVED_WITHIN {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(SERVED_LATE);
            // Has the cluster look, in case that it has not heard of it.
            drop(self.cluster.facts(&object.kind).await);
        }
    }

    /// Whether a live object is what was wanted: the digest says that nothing else was applied since, the values that nobody
    /// changed them. Gives what has become of those.
    pub(super) fn holds(&self, wanted: &Item, live: &Object) -> Option<Digest> {
        self.kept(live, wanted.digest, |live| is_applied(live, wanted).then(|| Cow::Owned(wanted.value())))
    }

    /// Whether keeping what is wanted would overwrite anything in a later version than the plugin read when it wanted that.
    pub(crate) fn is_overtaken(&self, prepared: &Prepared) -> bool {
        prepared
            .items()
            .filter_map(|item| Some((item, item.read?, self.live(item)?)))
            .any(|(item, read, live)| read < live.resource_version && self.holds(item, &live).is_none())
    }

    /// Whether keeping what is wanted would take something back that somebody else made of it.
    pub(crate) fn would_take_back(&self, prepared: &Prepared) -> bool {
        prepared
            .items()
            .filter_map(|item| Some((item, self.live(item)?)))
            .any(|(item, live)| self.holds(item, &live).is_none() && is_applied(&live.value(), item))
    }

    /// What is wanted, as it is there.
    fn live(&self, item: &Item) -> Option<Arc<Object>> {
        self.cluster.get(Scope::Owned, &item.reference).ok()?
    }

    /// Deletes what this reconciler once applied for this subject and no longer wants, except what is to survive.
    pub(crate) async fn prune(&mut self, keep: &HashSet<&ObjectRef>) -> Result<(), WriteError> {
        for object in self.owned()? {
            if !keep.contains(&object.reference) && !object.deleting && !is_never_pruned(&object) {
                self.delete(&object.reference, &object.uid, Some(Arc::clone(&object))).await?;
            }
        }
        Ok(())
    }

    /// Everything this reconciler once applied for this subject, and that is still there.
    pub(crate) fn owned(&self) -> Result<Vec<Arc<Object>>, WriteError> {
        let label = Selector::equal(OWNER_LABEL, &owner_label(self.plugin.name(), &self.subject.reference));
        let mut owned = Vec::new();
        for kind in self.plugin.invoke.description().kinds(Access::Apply) {
            match self.cluster.list(Scope::Owned, kind, &Selection::labelled(&label)) {
                Ok(objects) => owned.extend(objects),
                Err(ReadError::NotServed(_)) => {}
                Err(error) => {
                    return Err(WriteError::Unavailable { object: kind.to_string(), message: error.to_string() });
                }
            }
        }
        Ok(owned)
    }

    async fn delete(&mut self, object: &ObjectRef, uid: &str, before: Option<Arc<Object>>) -> Result<(), WriteError> {
        self.cluster.delete(object, uid).await?;
        self.settled.remove(object);
        self.wrote(Verb::Delete, object, before, None);
        Ok(())
    }
}

/// That fields were changed, naming the first few.
fn repaired(fields: &[String]) -> String {
    let named: Vec<_> = fields.iter().take(3).map(|field| format!("`{field}`")).collect();
    let more =
        if fields.len() > named.len() { format!(" and {} more", fields.len() - named.len()) } else { String::new() };
    match &named[..] {
        [] => "was changed by somebody else, and is as wanted again".into(),
        named => format!("had {}{more} changed by somebody else, and is as wanted again", named.join(", ")),
    }
}

/// Whether nothing else was applied since.
fn is_applied(live: &Value, wanted: &Item) -> bool {
    live["metadata"]["annotations"][APPLIED_ANNOTATION] == wanted.digest.short()
}
