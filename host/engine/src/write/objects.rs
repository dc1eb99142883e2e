//! The desired objects: applied, and kept from drifting.

use std::borrow::Cow;
use std::sync::Arc;

use mizzen_cluster::{Apply, OWNER_LABEL, Ownership, ReadError, Scope, Target, WriteError};
use mizzen_k8s::Listed;
use mizzen_model::{Digest, Object, ObjectRef, Severity};

use super::change::{Applied, Change};
use super::conflict::ConflictPolicy;
use super::drift;
use super::existing::Existing;
use super::writer::Writer;
use crate::memo::{View, WrittenPart};
use crate::observe::Verb;
use crate::prepare::{Desired, Item, Prepared, defined};
use crate::problem::Problem;

/// After so many writes in a row without a response, each of which takes its timeout, the rest is left for the retry.
const MOST_WITHOUT_RESPONSE: usize = 3;

/// The most fields that an Event about drift names.
const NAMED: usize = 3;

impl Writer {
    /// Makes the cluster match an outcome. An error stops its object and those that need it, and all only if the API
    /// server is unavailable; all errors are reported.
    ///
    /// Prunes only if the outcome is complete, all of it was applied, and every read was answered.
    pub(crate) async fn converge(&mut self, prepared: &Prepared, view: View) -> Result<(), Problem> {
        let mut errors = Vec::new();
        if let Some(desired) = &prepared.desired {
            let mut failed: Vec<&Item> = Vec::new();
            for item in &desired.objects {
                if failed.iter().any(|failed| self.needs(item, failed)) {
                    continue;
                }
                if let Err(error) = self.ensure(item, desired).await {
                    errors.push(error);
                    failed.push(item);
                }
                if is_unavailable(&errors) {
                    return Err(Problem::Write(errors));
                }
            }
            if desired.complete && errors.is_empty() && view == View::Complete {
                errors.extend(self.prune(&desired.identities()).await.err());
            }
        }
        errors.extend(self.disrupt(prepared).await);
        match (errors.is_empty(), self.disruptions.unknown.is_empty()) {
            (false, _) => Err(Problem::Write(errors)),
            (true, false) => Err(Problem::Pace(self.disruptions.unknown.clone())),
            (true, true) => Ok(()),
        }
    }

    /// Whether an object can't be applied without another one: its definition, while its kind is not served, or its
    /// namespace, while that is not there.
    fn needs(&self, item: &Item, other: &Item) -> bool {
        let object = &item.reference;
        let is_not_served = || matches!(self.cluster().get(Scope::Owned, object), Err(ReadError::NotServed(_)));
        let is_absent = || !matches!(self.cluster().get(Scope::Owned, &other.reference), Ok(Some(_)));
        match &*other.reference.kind.name {
            "CustomResourceDefinition" => defined(&[other.value()]).contains_key(&object.kind) && is_not_served(),
            "Namespace" => object.namespace.as_deref() == Some(&*other.reference.name) && is_absent(),
            _ => false,
        }
    }

    /// Applies an object unless it is live already.
    async fn ensure(&mut self, item: &Item, desired: &Desired) -> Result<(), WriteError> {
        let object = &item.reference;
        if desired.defined.contains_key(&object.kind) {
            self.await_served(object).await;
        }
        let live = self.live(Scope::Owned, object)?;
        if let Some(live) = &live
            && let Some((values, ownership)) = self.matches(item, live)
        {
            self.record_write(live, WrittenPart::Object { wanted: item.digest, live: values, ownership });
            return self.ensure_release(ownership).await;
        }
        let holder = live.as_ref().filter(|live| self.context.ownership.recognize_labelled(live).is_some());
        let holder = holder.and_then(|live| live.labels.get(OWNER_LABEL));
        let claimed = self.context.claims().claim(self.key, &self.owner, object, holder);
        claimed.map_err(|by| WriteError::Claimed { object: object.to_string(), by: by.to_string() })?;
        let applied = self.apply_item(item, live).await;
        self.context.claims().applied(object);
        self.unconfirmed.note(object, &applied);
        self.applied(item, applied?).await;
        Ok(())
    }

    #[tracing::instrument(name = "apply", level = "debug", skip_all, fields(object = %item.reference))]
    async fn apply_item(&mut self, item: &Item, owned: Option<Arc<Object>>) -> Result<Applied, WriteError> {
        let existing = self.existing(item, owned).await?;
        let policy = match &existing {
            _ if item.force => ConflictPolicy::Force,
            Existing::Owned(..) => ConflictPolicy::RepairDrift,
            Existing::Absent | Existing::Inherited(..) | Existing::Foreign(_) => ConflictPolicy::Yield,
        };
        let adopted = matches!(existing, Existing::Foreign(_));
        let (before, ownership) = existing.after_apply(item);
        self.ensure_release(ownership).await?;
        let wanted = self.marked(item, ownership);
        let mut document = Cow::Borrowed(&wanted);
        if let (Some(read), Some(_)) = (item.read, &before) {
            // The plugin decided over the version that it read: a later one must not be overwritten, seen or unseen.
            document.to_mut()["metadata"]["resourceVersion"] = read.to_string().into();
        }
        let manager = self.plugin.field_manager();
        let apply = Apply { manager: &manager, document: &document, target: Target::Object, force: false };
        let seen = before.as_ref().map(|before| before.resource_version);
        let after = self.apply(apply, policy, seen).await?;
        Ok(Applied { wanted, ownership, adopted, before, after })
    }

    /// Makes sure that an adopted object is released when its subject is deleted, if the finalizer is granted.
    /// Otherwise it keeps its labels then, which harms nothing.
    async fn ensure_release(&mut self, ownership: Ownership) -> Result<(), WriteError> {
        match ownership {
            Ownership::Adopted if self.plugin.reconciler.may_add_finalizer() => self.ensure_finalizer().await,
            Ownership::Adopted | Ownership::Created | Ownership::NeverPruned => Ok(()),
        }
    }

    /// Records an applied object, and reports whether that repaired drift.
    async fn applied(&mut self, item: &Item, applied: Applied) {
        let Applied { wanted, ownership, adopted, before, after } = applied;
        let object = &item.reference;
        let live = drift::digest(&after.value(), &wanted);
        let written = WrittenPart::Object { wanted: item.digest, live, ownership };
        let was_known = self.record_write(&after, written);
        if before.as_ref().is_some_and(|before| before.json() == after.json()) {
            return;
        }
        let was = before.as_ref().map(|before| before.value());
        let verb = match &before {
            None => Verb::Create,
            Some(_) if adopted => Verb::Adopt,
            Some(_) => Verb::Change,
        };
        self.wrote(verb, object, Change { before, after: Some(after) });
        let repair = match was {
            Some(was) if self.applied_as(&was, item).is_some() => {
                describe_drift(object, &drift::changed(&was, &wanted))
            }
            None if was_known => format!("{object} was deleted by another party and is created again"),
            _ => return,
        };
        self.report_event(Severity::Normal, "DriftRepaired", &repair).await;
    }

    /// Digest of the live values of a desired object, and how the object is owned, if nothing else was applied since
    /// and no value has drifted.
    pub(super) fn matches(&self, item: &Item, live: &Object) -> Option<(Digest, Ownership)> {
        let mut ownership = self.last_ownership(live);
        let values = self.undrifted(live, item.digest, |live| {
            ownership = self.applied_as(live, item);
            Some(Cow::Owned(self.marked(item, ownership?)))
        });
        Some((values?, ownership?))
    }

    /// Whether an apply would overwrite a later version of an object than the plugin read when it wanted it.
    pub(crate) fn would_overwrite_unread(&self, prepared: &Prepared) -> bool {
        self.live_items(prepared).any(|(item, live)| {
            item.read.is_some_and(|read| read < live.resource_version) && self.matches(item, &live).is_none()
        })
    }

    /// Whether an apply would repair drift.
    pub(crate) fn would_repair_drift(&self, prepared: &Prepared) -> bool {
        self.live_items(prepared)
            .any(|(item, live)| self.matches(item, &live).is_none() && self.applied_as(&live.value(), item).is_some())
    }

    fn live_items<'p>(&self, prepared: &'p Prepared) -> impl Iterator<Item = (&'p Item, Arc<Object>)> {
        prepared.items().filter_map(|item| Some((item, self.live(Scope::Owned, &item.reference).ok()??)))
    }
}

/// Whether the last of these errors leaves no sense in going on: no write can be sent, or none gets a response.
pub(super) fn is_unavailable(errors: &[WriteError]) -> bool {
    let without_response = errors.iter().rev().take_while(|error| matches!(error, WriteError::Unknown { .. })).count();
    matches!(errors.last(), Some(WriteError::Unavailable { .. })) || without_response >= MOST_WITHOUT_RESPONSE
}

fn describe_drift(object: &ObjectRef, fields: &[String]) -> String {
    if fields.is_empty() {
        return format!("{object} was changed by another party and is set again");
    }
    let fields: Vec<_> = fields.iter().map(|field| format!("`{field}`")).collect();
    let fields = Listed::first(NAMED, &fields);
    format!("{object} was changed by another party and is set again: {fields}")
}
