//! The outcome of a call: the desired state, and what to report.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::identity::ObjectRef;
use crate::others::{Deletion, Patch};
use crate::readiness::Readiness;

/// The severity of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Normal operation.
    Normal,
    /// Something that needs attention.
    Warning,
}

/// A condition of the subject's status. The host sets its times.
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

/// A Kubernetes Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The object that it is about; `None`: the subject.
    pub regarding: Option<ObjectRef>,
    /// The severity.
    pub severity: Severity,
    /// `CamelCase`, for machines.
    pub reason: String,
    /// A sentence, for people.
    pub message: String,
}

/// The complete result of a call. Built from a readiness, to which desired objects and reports are
/// added.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How far the desired state has been reached.
    pub readiness: Readiness,
    /// The desired objects, in the order in which they are applied. `None`: not known at present,
    /// so nothing is applied and nothing pruned.
    pub desired: Option<Vec<Value>>,
    /// Whether [`desired`](Self::desired) is only a part of the set, so that nothing is pruned yet.
    pub so_far: bool,
    /// Fields of the subject's status.
    pub status: Option<Value>,
    /// Conditions of the subject.
    pub conditions: Vec<Condition>,
    /// Events.
    pub events: Vec<Event>,
    /// Patches of another party's objects.
    pub patches: Vec<Patch>,
    /// Another party's objects to delete.
    pub deletions: Vec<Deletion>,
    /// Call again after this long even if nothing changed.
    pub requeue_after: Option<Duration>,
    /// Why it can't be returned: something in it can't be serialized as JSON.
    unwritable: Option<String>,
}

impl Outcome {
    /// The desired state is reached.
    pub fn ready() -> Self {
        Self::new(Readiness::Ready)
    }

    /// Not reached yet; `what` names what is awaited.
    pub fn progressing(what: impl Into<String>) -> Self {
        Self::new(Readiness::Progressing(what.into()))
    }

    /// Reached, but something needs attention.
    pub fn warning(why: impl Into<String>) -> Self {
        Self::new(Readiness::Warning(why.into()))
    }

    /// It can't be reached; `why` is the reason.
    pub fn failed(why: impl Into<String>) -> Self {
        Self::new(Readiness::Failed(why.into()))
    }

    /// An outcome of this readiness that changes nothing.
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

    /// Adds desired objects. Objects of an earlier outcome that are not among them are pruned.
    #[must_use]
    pub fn desire(mut self, objects: impl IntoIterator<Item = Value>) -> Self {
        self.desired.get_or_insert_default().extend(objects);
        self
    }

    /// Adds desired objects of a set that is not complete yet: they are applied and their drift is
    /// repaired, and all objects of earlier outcomes stay until an outcome returns the complete set
    /// with [`desire`](Self::desire) alone. For installations in steps: definitions first, and
    /// their objects once the definitions are served; the new version first, and the old one's
    /// remains are pruned at the end.
    #[must_use]
    pub fn desire_so_far(mut self, objects: impl IntoIterator<Item = Value>) -> Self {
        self.so_far = true;
        self.desire(objects)
    }

    /// Sets the fields of the subject's status that this reconciler owns. A status that can't be
    /// serialized as JSON makes the whole outcome [`Failure::Invalid`]: leaving it out would remove
    /// the fields of an earlier status.
    #[must_use]
    pub fn status(mut self, status: impl Serialize) -> Self {
        match serde_json::to_value(status) {
            Ok(status) => self.status = Some(status),
            Err(error) => self.unwritable = Some(format!("the status can't be serialized as JSON: {error}")),
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

    /// Adds an event about another object.
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

    /// Patches an object of another party. The description must declare the patched kind.
    #[must_use]
    pub fn patch(mut self, patch: Patch) -> Self {
        self.patches.push(patch);
        self
    }

    /// Deletes an object of another party. The description must declare the deleted kind.
    #[must_use]
    pub fn delete(mut self, deletion: Deletion) -> Self {
        self.deletions.push(deletion);
        self
    }

    /// Requests another call after this long even if nothing changed.
    #[must_use]
    pub fn requeue_after(mut self, after: Duration) -> Self {
        self.requeue_after = Some(after);
        self
    }

    /// Returns the outcome, or a failure if something in it can't be serialized.
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
    fn a_status_that_can_not_be_serialized_makes_the_outcome_invalid() {
        let outcome = Outcome::ready().status(BTreeMap::from([((1, 2), "a pair is not a key")]));
        let Err(Failure::Invalid(why)) = outcome.checked() else { panic!() };
        assert!(why.starts_with("the status can't be serialized as JSON: "), "{why}");
    }

    #[test]
    fn an_empty_desired_set_differs_from_an_unknown_one() {
        assert_eq!(Outcome::ready().desired, None);
        assert_eq!(Outcome::ready().desire([]).desired, Some(Vec::new()));
    }

    #[test]
    fn a_set_with_a_partial_step_is_partial_in_any_order() {
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
