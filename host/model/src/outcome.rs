//! What a reconciler is asked and what it answers. The Rust shape of `wit/reconciler.wit`.

use std::time::Duration;

use serde_json::Value;

use crate::ObjectRef;

/// What a reconciler is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The subject, as compact JSON, without what the host and the reconcilers themselves write (`status`, `resourceVersion`, …).
    pub subject: String,
    /// Its configuration, as compact JSON; `{}` when none is given.
    pub config: String,
    /// What the reconcilers before it in the order last answered.
    pub predecessors: Vec<Predecessor>,
}

/// What a reconciler earlier in the order last answered for the same subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Predecessor {
    /// The name of its `Reconciler` object.
    pub name: String,
    /// Its answer.
    pub readiness: Readiness,
}

/// How far what a reconciler wants has come true.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Readiness {
    /// All of it.
    Ready,
    /// On its way; the text says what is awaited.
    Progressing(String),
    /// Works, but somebody should look.
    Warning(String),
    /// It can't.
    Failed(String),
}

/// A complete answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How far it has come.
    pub readiness: Readiness,
    /// The objects wanted for this subject. `None`: not known now, so nothing is applied and nothing pruned.
    pub desired: Option<Wanted>,
    /// Applies to fields of objects that others own.
    pub patches: Vec<Patch>,
    /// Objects to delete that are not this reconciler's own.
    pub deletions: Vec<Deletion>,
    /// Fields of the subject's status that this reconciler owns: a JSON object.
    pub status: Option<Value>,
    /// Conditions of the subject.
    pub conditions: Vec<Condition>,
    /// Events to tell users of.
    pub events: Vec<Event>,
    /// Ask again after this long even if nothing changed.
    pub requeue_after: Option<Duration>,
}

/// The objects wanted for a subject, in the order in which they are applied.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// The whole set: applied, kept from drifting, pruned when they leave it.
    All(Vec<Value>),
    /// As far as is known at this step: applied and kept. What was wanted before stays until the next [`Wanted::All`].
    SoFar(Vec<Value>),
}

/// An apply to fields of an object that others own. Never creates. A `null` takes back what an earlier patch set.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Which object.
    pub object: ObjectRef,
    /// The fields to set, a JSON object without identity.
    pub fragment: Value,
    /// Name of the pace it is subject to.
    pub pace: Option<String>,
    /// Why, for people.
    pub reason: String,
}

/// A deletion of an object that is not this reconciler's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Which object.
    pub object: ObjectRef,
    /// The uid it must still have.
    pub uid: String,
    /// Name of the pace it is subject to.
    pub pace: Option<String>,
    /// Why, for people.
    pub reason: String,
}

/// A condition of the subject's status, without the times, which the host keeps.
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

/// How bad an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// For the record.
    Normal,
    /// Somebody should look.
    Warning,
}

/// An event to tell users of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// What it is about; `None`: the subject.
    pub regarding: Option<ObjectRef>,
    /// How bad it is.
    pub severity: Severity,
    /// `CamelCase`, for machines.
    pub reason: String,
    /// A sentence, for people.
    pub message: String,
}

/// Why there is no outcome, in the plugin's own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The subject or the configuration is wrong: asked again when either changes.
    #[error("invalid: {0}")]
    Invalid(String),
    /// Passing trouble: asked again with backoff.
    #[error("will be tried again: {0}")]
    Retry(String),
}

// === impl Readiness ===

impl Readiness {
    /// Whether what comes after (`after`) may run: `Ready`, or a `Warning`, which works.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready | Self::Warning(_))
    }

    /// The word for it, fit for a condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Progressing(_) => "Progressing",
            Self::Warning(_) => "Warning",
            Self::Failed(_) => "Failed",
        }
    }

    /// What the plugin says about it; empty for `Ready`.
    pub fn message(&self) -> &str {
        match self {
            Self::Ready => "",
            Self::Progressing(message) | Self::Warning(message) | Self::Failed(message) => message,
        }
    }
}

// === impl Outcome ===

impl Outcome {
    /// An outcome that says this much and wants nothing done.
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
