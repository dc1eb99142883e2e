//! The request and the outcome of a call. The Rust form of `wit/reconciler.wit`.

use std::time::Duration;

use serde_json::Value;

use crate::kind::ObjectRef;

/// The request of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The subject, as compact JSON, without what the host and the reconcilers themselves write
    /// (`status`, `resourceVersion`, …).
    pub subject: String,
    /// The reconciler's configuration, as compact JSON; `{}` by default.
    pub config: String,
    /// The last outcomes of the reconciler's predecessors.
    pub predecessors: Vec<Predecessor>,
}

/// The last outcome of a predecessor for the same subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Predecessor {
    /// The name of its `Reconciler` object.
    pub name: String,
    /// The readiness in its last outcome.
    pub readiness: Readiness,
}

/// How far the desired state has been reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Readiness {
    /// Completely.
    Ready,
    /// Not yet; the text says what is missing.
    Progressing(String),
    /// Completely, with a problem that a person should look at.
    Warning(String),
    /// It can not be reached.
    Failed(String),
}

/// What a call returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How far the desired state has been reached.
    pub readiness: Readiness,
    /// The objects desired for the subject. `None`: not known now, so nothing is applied and
    /// nothing pruned.
    pub desired: Option<Wanted>,
    /// Patches of objects that other parties own.
    pub patches: Vec<Patch>,
    /// Deletions of objects that other parties own.
    pub deletions: Vec<Deletion>,
    /// Fields of the subject's status that this reconciler owns: a JSON object.
    pub status: Option<Value>,
    /// Conditions of the subject.
    pub conditions: Vec<Condition>,
    /// Events to publish.
    pub events: Vec<Event>,
    /// Requeue the key after this time, even if nothing has changed.
    pub requeue_after: Option<Duration>,
}

/// The objects desired for a subject, in the order in which they are applied.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// The whole set: applied, repaired after drift, and pruned when they leave the set.
    All(Vec<Value>),
    /// What is known at this step: applied and repaired. Objects desired before stay until the next
    /// [`Wanted::All`].
    SoFar(Vec<Value>),
}

/// An apply to fields of an object that another party owns. It never creates the object. A `null`
/// removes what an earlier patch set.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// The object.
    pub object: ObjectRef,
    /// The fields to set: a JSON object without identity.
    pub fragment: Value,
    /// The name of its pace.
    pub pace: Option<String>,
    /// The reason, for people.
    pub reason: String,
}

/// A deletion of an object that another party owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The object.
    pub object: ObjectRef,
    /// The uid it must still have.
    pub uid: String,
    /// The name of its pace.
    pub pace: Option<String>,
    /// The reason, for people.
    pub reason: String,
}

/// A condition of the subject's status, without its times, which the host sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `type`, e.g. `Ready`.
    pub kind: String,
    /// `None` is `Unknown`.
    pub status: Option<bool>,
    /// `CamelCase`, for machines.
    pub reason: String,
    /// A sentence, for people.
    pub message: String,
}

/// The type of an Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// For information.
    Normal,
    /// A problem that a person should look at.
    Warning,
}

/// An Event to publish.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// The object that it is about; `None`: the subject.
    pub regarding: Option<ObjectRef>,
    /// `Normal` or `Warning`.
    pub severity: Severity,
    /// `CamelCase`, for machines.
    pub reason: String,
    /// A sentence, for people.
    pub message: String,
}

/// Why a call has no outcome, in the plugin's own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The subject or the configuration is invalid: called again when either changes.
    #[error("invalid: {0}")]
    Invalid(String),
    /// A transient problem: called again with backoff.
    #[error("will be retried: {0}")]
    Retry(String),
}

// === impl Readiness ===

impl Readiness {
    /// Whether successors (`after`) may run: `Ready` and `Warning`.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready | Self::Warning(_))
    }

    /// The reason in one word, for a condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Progressing(_) => "Progressing",
            Self::Warning(_) => "Warning",
            Self::Failed(_) => "Failed",
        }
    }

    /// The plugin's message; empty for `Ready`.
    pub fn message(&self) -> &str {
        match self {
            Self::Ready => "",
            Self::Progressing(message) | Self::Warning(message) | Self::Failed(message) => message,
        }
    }
}

// === impl Outcome ===

impl Outcome {
    /// An outcome with this readiness and nothing else.
    pub fn new(readiness: Readiness) -> Self {
        Self {
            readiness,
            desired: None,
            patches: Vec::new(),
            deletions: Vec::new(),
            status: None,
            conditions: Vec::new(),
            events: Vec::new(),
            requeue_after: None,
        }
    }
}
