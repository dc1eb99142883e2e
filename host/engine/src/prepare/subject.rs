//! What an outcome does to the subject itself: its status and its finalizer.

use mizzen_model::{Condition, Outcome};
use serde_json::Value;

use super::desired::Desired;
use super::refusal::Refusal;
use crate::names::is_reserved;
use crate::plugin::Plugin;

/// Checks whether an outcome may have its status written.
///
/// # Errors
/// [`Refusal::Denied`]: the status of the subject is not granted.
pub(super) fn check_status(plugin: &Plugin, outcome: &Outcome) -> Result<(), Refusal> {
    let (name, kind) = (plugin.name(), &plugin.subject().kind);
    let writes_status = !outcome.conditions.is_empty()
        || outcome.status.as_ref().and_then(Value::as_object).is_some_and(|fields| !fields.is_empty());
    if writes_status && !plugin.reconciler.may_write_status() {
        return Err(Refusal::Denied(format!(
            "`{name}` wants to write the status of {kind}, which is not granted: add `status: true` to `spec.grants`"
        )));
    }
    Ok(())
}

/// Returns the conditions of an outcome.
///
/// # Errors
/// [`Refusal::Invalid`]: one is of a type of the host, which states how a reconciler is doing.
pub(super) fn conditions(conditions: Vec<Condition>) -> Result<Vec<Condition>, Refusal> {
    match conditions.iter().find(|condition| is_reserved(&condition.kind)) {
        None => Ok(conditions),
        Some(Condition { kind, .. }) => Err(Refusal::Invalid(format!(
            "the outcome has a condition `{kind}`, which only the host may write: choose a type of another domain"
        ))),
    }
}

/// Checks whether a subject may have the finalizer that desired objects or the plugin need.
///
/// # Errors
/// [`Refusal::Denied`]: the finalizer is needed and not granted.
pub(super) fn check_finalizer(plugin: &Plugin, desired: Option<&Desired>) -> Result<(), Refusal> {
    if plugin.reconciler.may_add_finalizer() {
        return Ok(());
    }
    let (name, kind) = (plugin.name(), &plugin.subject().kind);
    let outliving = desired.and_then(|desired| desired.objects.iter().find(|item| item.outlives_subject));
    let why = match outliving {
        _ if plugin.invoke.description().finalizes => "finalizes".to_owned(),
        Some(item) => format!("wants {}, which is not deleted with its subject", item.reference),
        None => return Ok(()),
    };
    Err(Refusal::Denied(format!(
        "`{name}` {why}: for that its subjects of {kind} need its finalizer, which is not granted: add `finalizer: \
         true` to `spec.grants`"
    )))
}
