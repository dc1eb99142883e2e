//! What a reconciler answers.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::{AccessError, ObjectRef};

/// How far what is wanted has come true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// All of it.
    Ready,
    /// On its way.
    Progressing(String),
    /// Works, but somebody should look.
    Warning(String),
    /// It can't.
    Failed(String),
}

/// How bad an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// For the record.
    Normal,
    /// Somebody should look.
    Warning,
}

/// A condition of the subject's status. The host keeps its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// E.g. `Ready`.
    pub kind: String,
    /// `None` is `Unknown`.
    pub status: Option<bool>,
    /// `CamelCase`, for machines.
    pub reason: String,
    /// A sentence, for people.
    pub message: String,
}

/// Something that users are told.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Fields to set in somebody else's object.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Which object.
    pub object: ObjectRef,
    /// The fields.
    pub fragment: Value,
    /// The pace it is subject to.
    pub pace: Option<String>,
    /// Why, for people.
    pub reason: String,
}

/// Somebody else's object that is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Which object.
    pub object: ObjectRef,
    /// The uid it must still have.
    pub uid: String,
    /// The pace it is subject to.
    pub pace: Option<String>,
    /// Why, for people.
    pub reason: String,
}

/// Why there is no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The subject or the configuration is wrong: asked again when either changes.
    Invalid(String),
    /// Passing trouble: asked again with backoff.
    Retry(String),
}

/// A complete answer. Begins with how far it has come, goes on with what is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How far it has come.
    pub readiness: Readiness,
    /// The whole set of objects wanted. `None`: not known now, so nothing is applied and nothing pruned.
    pub desired: Option<Vec<Value>>,
    /// Fields of the subject's status.
    pub status: Option<Value>,
    /// Conditions of the subject.
    pub conditions: Vec<Condition>,
    /// Events.
    pub events: Vec<Event>,
    /// Fields of other people's objects.
    pub patches: Vec<Patch>,
    /// Other people's objects that are to go.
    pub deletions: Vec<Deletion>,
    /// Ask again after this long even if nothing changed.
    pub requeue_after: Option<Duration>,
}

impl Failure {
    /// The subject or the configuration is wrong.
    pub fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid(why.into())
    }

    /// Passing trouble.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry(why.into())
    }
}

impl From<AccessError> for Failure {
    /// A read that may be answered later is worth another try; one that was not allowed is not.
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unavailable(why) | AccessError::NotServed(why) => Self::Retry(why),
            AccessError::Denied(why) | AccessError::Invalid(why) => Self::Invalid(why),
        }
    }
}

impl Outcome {
    /// Everything is as wanted.
    pub fn ready() -> Self {
        Self::new(Readiness::Ready)
    }

    /// On its way; says what is awaited.
    pub fn progressing(what: impl Into<String>) -> Self {
        Self::new(Readiness::Progressing(what.into()))
    }

    /// Works, but somebody should look.
    pub fn warning(why: impl Into<String>) -> Self {
        Self::new(Readiness::Warning(why.into()))
    }

    /// It can't.
    pub fn failed(why: impl Into<String>) -> Self {
        Self::new(Readiness::Failed(why.into()))
    }

    /// An answer of this readiness that wants nothing done.
    pub fn new(readiness: Readiness) -> Self {
        Self {
            readiness,
            desired: None,
            status: None,
            conditions: Vec::new(),
            events: Vec::new(),
            patches: Vec::new(),
            deletions: Vec::new(),
            requeue_after: None,
        }
    }

    /// Wants these objects, and no others: what was wanted before and is not among them is pruned.
    #[must_use]
    pub fn desire(mut self, objects: impl IntoIterator<Item = Value>) -> Self {
        self.desired.get_or_insert_default().extend(objects);
        self
    }

    /// Sets the fields of the subject's status that are this reconciler's. What can't be written as JSON is left out.
    #[must_use]
    pub fn status(mut self, status: impl Serialize) -> Self {
        self.status = serde_json::to_value(status).ok();
        self
    }

    /// Adds a condition.
    #[must_use]
    pub fn condition(mut self, kind: &str, status: Option<bool>, reason: &str, message: impl Into<String>) -> Self {
        let (kind, reason) = (kind.to_owned(), reason.to_owned());
        self.conditions.push(Condition { kind, status, reason, message: message.into() });
        self
    }

    /// Adds an event about the subject.
    #[must_use]
    pub fn event(mut self, severity: Severity, reason: &str, message: impl Into<String>) -> Self {
        self.events.push(Event { regarding: None, severity, reason: reason.to_owned(), message: message.into() });
        self
    }

    /// Asks to be asked again after this long even if nothing changed.
    #[must_use]
    pub fn requeue_after(mut self, after: Duration) -> Self {
        self.requeue_after = Some(after);
        self
    }
}
