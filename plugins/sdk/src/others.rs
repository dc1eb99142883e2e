//! Disruptions: patches and deletions of another party's objects.

use serde_json::Value;

use crate::identity::ObjectRef;

/// Fields to set in an object of another party. They stay when the outcome no longer names the
/// object: set them to `null` to remove them.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// The object.
    pub object: ObjectRef,
    /// The fields. A `null` removes what was set for this subject; a value that another field
    /// manager set instead stays. The host merges several patches of one object in an outcome, and
    /// refuses patches that contradict each other.
    pub fragment: Value,
    /// The pace that applies to it.
    pub pace: Option<String>,
    /// The reason, for people.
    pub reason: String,
}

/// An object of another party to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The object.
    pub object: ObjectRef,
    /// The uid that it must still have.
    pub uid: String,
    /// The pace that applies to it.
    pub pace: Option<String>,
    /// The reason, for people.
    pub reason: String,
}

impl Patch {
    /// Sets the fields of `fragment` in `object`, without a pace.
    pub fn new(object: ObjectRef, fragment: Value, reason: impl Into<String>) -> Self {
        Self { object, fragment, pace: None, reason: reason.into() }
    }

    /// Limits it to this pace of the configuration.
    #[must_use]
    pub fn paced_by(mut self, pace: &str) -> Self {
        self.pace = Some(pace.to_owned());
        self
    }
}

impl Deletion {
    /// Deletes `object`, without a pace, if it still has this uid: a later object of the same name
    /// stays.
    pub fn new(object: ObjectRef, uid: &str, reason: impl Into<String>) -> Self {
        Self { object, uid: uid.to_owned(), pace: None, reason: reason.into() }
    }

    /// Limits it to this pace of the configuration.
    #[must_use]
    pub fn paced_by(mut self, pace: &str) -> Self {
        self.pace = Some(pace.to_owned());
        self
    }
}
