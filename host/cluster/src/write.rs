//! The parameters of writes.

use mizzen_model::{ObjectRef, Severity};
use serde_json::Value;

/// Which part of an object an apply writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Everything, except the status where that is a subresource.
    Object,
    /// The status.
    Status,
}

/// One server-side apply.
#[derive(Clone, Copy, Debug)]
pub struct Apply<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// The document: identity and desired fields. With `metadata.uid` it never creates the object.
    pub document: &'a Value,
    /// Which part of the object it writes.
    pub target: Target,
    /// Whether to take over fields that other field managers own.
    pub force: bool,
}

/// An Event to publish (`events.k8s.io/v1`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// The reporting controller, e.g. `mizzen.dev/mtls`.
    pub reporter: String,
    /// The object that the Event is about.
    pub regarding: ObjectRef,
    /// Its uid; empty when it is not known.
    pub regarding_uid: String,
    /// `Normal` or `Warning`.
    pub severity: Severity,
    /// `CamelCase`, for machines.
    pub reason: String,
    /// The action that was taken, `CamelCase`, e.g. `Reconcile`.
    pub action: String,
    /// A sentence, for people.
    pub note: String,
}
