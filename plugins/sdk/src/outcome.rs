//! What a reconciler answers.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::{Deletion, Failure, ObjectRef, Patch};

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

/// A complete answer. Begins with how far it has come, goes on with what is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How far it has come.
    pub readiness: Readiness,
    /// The objects wanted, in the order in which they are applied. `None`: not known now, so nothing is applied and nothing pruned.
    pub desired: Option<Vec<Value>>,
    /// Whether [`desired`](Self::desired) is only a part, with more to come: then nothing is pruned yet.
    pub so_far: bool,
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
    /// Why it is no outcome after all: something in it can't be written as JSON.
    unwritable: Option<String>,
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
            so_far: false,
            status: None,
            conditions: Vec::new(),
            events: Vec::new(),
            patches: Vec::new(),
            deletions: Vec::new(),
            requeue_after: None,
            unwritable: None,
        }
    }

    /// Wants these objects, and no others: what was wanted before and is not among them is pruned.
    #[must_use]
    pub fn desire(mut self, objects: impl IntoIterator<Item = Value>) -> Self {
        self.desired.get_or_insert_default().extend(objects);
        self
    }

    /// Wants these objects, and others that are not known yet: they are applied and kept from drifting, and whatever was wanted before
    /// stays until an outcome says with [`desire`](Self::desire) alone what the whole set is. For what works in steps: first the
    /// definitions, and what they define once they are served; first the new version, and the old one's remains go at the end.
    #[must_use]
    pub fn desire_so_far(mut self, objects: impl IntoIterator<Item = Value>) -> Self {
        self.so_far = true;
        self.desire(objects)
    }

    /// Sets the fields of the subject's status that are this reconciler's. A status that can't be written as JSON makes the whole
    /// outcome [`Failure::Invalid`]: without one, the fields of an earlier status would be taken back.
    #[must_use]
    pub fn status(mut self, status: impl Serialize) -> Self {
        match serde_json::to_value(status) {
            Ok(status) => self.status = Some(status),
            Err(error) => self.unwritable = Some(format!("the status can't be written as JSON: {error}")),
        }
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

    /// Adds an event about another object than the subject.
    #[must_use]
    pub fn event_about(
        mut self,
        object: ObjectRef,
        severity: Severity,
        reason: &str,
        message: impl Into<String>,
    ) -> Self {
        let (regarding, reason) = (Some(object), reason.to_owned());
        self.events.push(Event { regarding, severity, reason, message: message.into() });
        self
    }

    /// Sets fields of somebody else's object. The description must say that the kind is patched.
    #[must_use]
    pub fn patch(mut self, patch: Patch) -> Self {
        self.patches.push(patch);
        self
    }

    /// Wants somebody else's object gone. The description must say that the kind is deleted.
    #[must_use]
    pub fn delete(mut self, deletion: Deletion) -> Self {
        self.deletions.push(deletion);
        self
    }

    /// Asks to be asked again after this long even if nothing changed.
    #[must_use]
    pub fn requeue_after(mut self, after: Duration) -> Self {
        self.requeue_after = Some(after);
        self
    }

    /// The outcome, unless something in it was lost.
    pub(crate) fn checked(self) -> Result<Self, Failure> {
        match self.unwritable {
            None => Ok(self),
            Some(why) => Err(Failure::Invalid(why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_status_that_can_not_be_written_is_not_left_out_but_said() {
        let outcome = Outcome::ready().status(BTreeMap::from([((1, 2), "a pair is no key")]));
        let Err(Failure::Invalid(why)) = outcome.checked() else { panic!() };
        assert!(why.starts_with("the status can't be written as JSON: "), "{why}");
    }

    #[test]
    fn wanting_nothing_is_not_the_same_as_not_knowing_what_is_wanted() {
        assert_eq!(Outcome::ready().desired, None);
        assert_eq!(Outcome::ready().desire([]).desired, Some(Vec::new()));
    }

    #[test]
    fn what_is_wanted_so_far_is_a_part_whatever_is_said_before_or_after() {
        let (a, b) = (Value::from("a"), Value::from("b"));
        for outcome in [
            Outcome::ready().desire([a.clone()]).desire_so_far([b.clone()]),
            Outcome::ready().desire_so_far([a.clone()]).desire([b.clone()]),
        ] {
            assert_eq!((outcome.desired, outcome.so_far), (Some(vec![a.clone(), b.clone()]), true));
        }
        assert!(!Outcome::ready().desire([a]).so_far);
    }
}
