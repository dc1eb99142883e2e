//! What is asked of a cluster when it is written to.

use mizzen_model::{ObjectRef, Severity};
use serde_json::Value;

/// Which part of an object an apply is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Everything but the status, where the status is a subresource.
    Object,
    /// The status.
    Status,
}

/// One server-side apply.
#[derive(Clone, Copy, Debug)]
pub struct Apply<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// The document: identity and the fields wanted. With `metadata.uid` set it never creates.
    pub document: &'a Value,
    /// Which part of the object it is for.
    pub target: Target,
    /// Whether to take over fields that other managers own.
    pub force: bool,
}

/// An Event to publish (`events.k8s.io/v1`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// The reporting controller, e.g. `mizzen.dev/mtls`.
    pub reporter: String,
    /// What it is about.
    pub regarding: ObjectRef,
    /// Its uid; empty when not known.
    pub regarding_uid: String,
    /// How bad it is.
    pub severity: Severity,
    /// `CamelCase`, for machines.
    pub reason: String,
    /// What was being done, `CamelCase`, e.g. `Reconcile`.
    pub action: String,
    /// A sentence, for people.
    pub note: String,
}
