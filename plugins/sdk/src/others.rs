//! What a reconciler wants done to objects of others.

use serde_json::Value;

use crate::ObjectRef;

/// Fields to set in somebody else's object. They stay when the outcome no longer names it: give them as `null` to take them back.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Which object.
    pub object: ObjectRef,
    /// The fields. A `null` takes back what was set for this subject; what others set in its place stays. Of several patches of one
    /// object in an outcome the host makes one, and refuses those that contradict each other.
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

impl Patch {
    /// Sets the fields of `fragment` in `object`, at once.
    pub fn new(object: ObjectRef, fragment: Value, reason: impl Into<String>) -> Self {
        Self { object, fragment, pace: None, reason: reason.into() }
    }

    /// Only as fast as this pace of the configuration allows.
    #[must_use]
    pub fn paced_by(mut self, pace: &str) -> Self {
        self.pace = Some(pace.to_owned());
        self
    }
}

impl Deletion {
    /// Deletes `object` at once, if it is still the one with this uid: one that took its name since stays.
    pub fn new(object: ObjectRef, uid: &str, reason: impl Into<String>) -> Self {
        Self { object, uid: uid.to_owned(), pace: None, reason: reason.into() }
    }

    /// Only as fast as this pace of the configuration allows.
    #[must_use]
    pub fn paced_by(mut self, pace: &str) -> Self {
        self.pace = Some(pace.to_owned());
        self
    }
}
