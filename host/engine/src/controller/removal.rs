//! The removal of an orphaned finalizer, with a report of what remains.

use std::collections::BTreeSet;

use mizzen_cluster::{
    Cluster, EventRecord, OWNER_LABEL, Owner, OwnershipKeys, ReadError, Scope, Selection, WriteError,
};
use mizzen_model::{Kind, Object, Selector, Severity};

use super::orphans::OrphanedFinalizer;
use crate::names::{HOST, finalizer, owner_label};
use crate::observe::{Observer, Verb, Written};

/// Reports what remains, in the log and in an Event, then removes the finalizer.
pub(super) async fn remove(
    cluster: &dyn Cluster,
    observer: &dyn Observer,
    keys: &OwnershipKeys,
    orphan: &OrphanedFinalizer,
    live: &Object,
    applied: &BTreeSet<Kind>,
) -> Result<(), WriteError> {
    let OrphanedFinalizer { subject, reconciler } = orphan;
    let note = note(cluster, keys, orphan, applied);
    tracing::warn!(%subject, reconciler, "{note}");
    let event = EventRecord {
        reporter: HOST.into(),
        regarding: subject.clone(),
        regarding_uid: live.uid.to_string(),
        severity: Severity::Warning,
        reason: "Orphaned".into(),
        action: "RemoveFinalizer".into(),
        note,
    };
    if let Err(error) = cluster.publish(event).await {
        tracing::warn!(%subject, reconciler, %error, "failed to publish an Event");
    }
    cluster.remove_finalizer(subject, &live.uid, &finalizer(reconciler)).await?;
    observer.wrote(&Written { reconciler, subject, verb: Verb::Finalizer, object: subject, before: None, after: None });
    Ok(())
}

/// What happens to the subject, which of the applied objects the host knows to remain, and how to
/// find the others.
fn note(cluster: &dyn Cluster, keys: &OwnershipKeys, orphan: &OrphanedFinalizer, applied: &BTreeSet<Kind>) -> String {
    let OrphanedFinalizer { subject, reconciler } = orphan;
    let label = owner_label(reconciler, subject);
    let owner = Owner { reconciler, label: &label };
    let selector = Selector::equal(OWNER_LABEL, &label);
    let (mut remaining, mut unknown) = (Vec::new(), Vec::new());
    for kind in applied {
        match cluster.list(Scope::Owned, kind, &Selection::labelled(&selector)) {
            Ok(objects) => {
                let marked = objects.iter().filter(|object| keys.recognize(owner, object).is_some());
                remaining.extend(marked.map(|object| object.reference.to_string()));
            }
            Err(ReadError::NotServed(_)) => {}
            Err(_) => unknown.push(kind.to_string()),
        }
    }
    let remaining = if remaining.is_empty() { "none that this host knows of".to_owned() } else { remaining.join(", ") };
    let unknown = if unknown.is_empty() { String::new() } else { format!(", perhaps some {}", unknown.join(", ")) };
    format!(
        "reconciler `{reconciler}` is not configured: its finalizer is removed. Objects that it applied and that are \
         not garbage-collected remain: {remaining}{unknown}; find them by the label {OWNER_LABEL}={label}"
    )
}
