//! Checks an outcome against the declarations and grants, once: what writes it asks no more.

mod definitions;
mod desired;
mod fragment;
mod patches;
mod permit;
mod refusal;
mod subject;

use std::collections::HashMap;
use std::time::Duration;

use mizzen_cluster::{Cluster, OwnershipKeys};
use mizzen_model::{Access, Condition, Deletion, Event, Object, ObjectRef, Outcome, Patch, Readiness, canonical};
use serde_json::{Map, Value, json};

use crate::plugin::Plugin;
use permit::permit;

pub(crate) use definitions::defined;
pub(crate) use desired::{Desired, Item};
pub(crate) use patches::PreparedPatch;
pub(crate) use refusal::Refusal;

/// The largest status in bytes: stops a plugin that fills etcd with the status of each subject.
const LARGEST_STATUS: usize = 256 << 10;

/// An outcome that may be written.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) readiness: Readiness,
    /// `None`: the plugin can't tell at the moment.
    pub(crate) desired: Option<Desired>,
    /// One for each patched object.
    pub(crate) patches: Vec<PreparedPatch>,
    pub(crate) deletions: Vec<Deletion>,
    /// The reconciler's own fields of the status, as compact JSON of an object, as documents are.
    pub(crate) status: Box<str>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) events: Vec<Event>,
    pub(crate) requeue_after: Option<Duration>,
}

/// Checks an outcome and prepares it for writing.
///
/// # Errors
/// Something in it is not valid, not declared or not granted: then nothing of it is written.
pub(crate) async fn prepare(
    plugin: &Plugin,
    subject: &Object,
    cluster: &dyn Cluster,
    ownership: &OwnershipKeys,
    outcome: Outcome,
) -> Result<Prepared, Refusal> {
    subject::check_status(plugin, &outcome)?;
    let desired = match outcome.desired {
        Some(wanted) => Some(desired::desired(plugin, subject, cluster, ownership, wanted).await?),
        None => None,
    };
    subject::check_finalizer(plugin, desired.as_ref())?;
    for Patch { object, fragment, .. } in &outcome.patches {
        let namespace = object.namespace.as_deref();
        permit(plugin, Access::Patch, &object.kind, namespace)?;
        let grants = plugin.reconciler.grants.all(Access::Patch, &object.kind, namespace);
        fragment::check(object, fragment, &grants.collect::<Vec<_>>())?;
    }
    for Deletion { object, .. } in &outcome.deletions {
        permit(plugin, Access::Delete, &object.kind, object.namespace.as_deref())?;
    }
    for event in &outcome.events {
        regarding(plugin, subject, desired.as_ref(), event)?;
    }
    Ok(Prepared {
        readiness: outcome.readiness,
        desired,
        patches: patches::merged(outcome.patches)?,
        deletions: outcome.deletions,
        status: status(outcome.status)?,
        conditions: subject::conditions(outcome.conditions)?,
        events: outcome.events,
        requeue_after: outcome.requeue_after,
    })
}

/// Checks what an Event is about.
///
/// # Errors
/// [`Refusal::Denied`]: it is neither about the subject nor about something that is granted.
fn regarding(plugin: &Plugin, subject: &Object, desired: Option<&Desired>, event: &Event) -> Result<(), Refusal> {
    let Some(object) = event.regarding.as_ref().filter(|object| **object != subject.reference) else { return Ok(()) };
    let grants = &plugin.reconciler.grants;
    let is_granted = |access| grants.find(access, &object.kind, object.namespace.as_deref()).is_some();
    let accesses = [Access::Read, Access::Apply, Access::Patch, Access::Delete];
    if accesses.into_iter().any(is_granted)
        || desired.is_some_and(|desired| desired.objects.iter().any(|item| item.reference == *object))
    {
        return Ok(());
    }
    let name = plugin.name();
    Err(Refusal::Denied(format!(
        "`{name}` publishes an Event about {object}, which is neither granted nor its subject"
    )))
}

fn status(status: Option<Value>) -> Result<Box<str>, Refusal> {
    let status = status.unwrap_or_else(|| json!({}));
    match &status {
        Value::Object(fields) if !fields.contains_key("conditions") => {
            let text = canonical::text(&status);
            if text.len() > LARGEST_STATUS {
                let (size, most) = (text.len() >> 10, LARGEST_STATUS >> 10);
                return Err(Refusal::Invalid(format!("the status has {size} KiB; the host writes at most {most} KiB")));
            }
            Ok(text.into())
        }
        Value::Object(_) => {
            Err(Refusal::Invalid("the status has `conditions`: return them as the outcome's conditions".into()))
        }
        other => Err(Refusal::Invalid(format!("the status is not an object but `{other}`"))),
    }
}

// === impl Prepared ===

impl Prepared {
    /// The reconciler's own fields of the status, as a tree.
    pub(crate) fn status(&self) -> Map<String, Value> {
        serde_json::from_str(&self.status).unwrap_or_default()
    }

    /// The desired objects, if known.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.desired.iter().flat_map(|desired| &desired.objects)
    }

    /// Whether a desired object outlives the subject unless the host deletes it.
    pub(crate) fn outlives_subject(&self) -> bool {
        self.items().any(|item| item.outlives_subject)
    }

    /// Whether the plugin returned its desired objects so far, and will want more.
    pub(crate) fn is_partial(&self) -> bool {
        self.desired.as_ref().is_some_and(|desired| !desired.complete)
    }

    /// Records the versions in which the plugin read the objects that it wants.
    pub(crate) fn after_reading(mut self, versions: &HashMap<ObjectRef, u64>) -> Self {
        for item in self.desired.iter_mut().flat_map(|desired| &mut desired.objects) {
            item.read = versions.get(&item.reference).copied();
        }
        self
    }
}
