//! The objects that a key owns, among those with its owner label.

use std::sync::Arc;

use mizzen_cluster::{Ownership, WriteError};
use mizzen_model::{Object, ObjectRef};

use crate::unconfirmed::IN_FLIGHT;

/// The most objects that are not owned that a report names.
const NAMED: usize = 5;

/// An object that a key owns.
pub(super) struct Owned {
    pub(super) object: Arc<Object>,
    pub(super) ownership: Ownership,
}

/// The live objects with the owner label of a key.
#[derive(Default)]
pub(super) struct Labelled {
    /// Those that carry the mark of the key, where the reconciler may apply objects.
    pub(super) owned: Vec<Owned>,
    /// The first of the others. Anyone can compute the owner label and label an object of their own, and some
    /// controllers copy labels: such an object is ignored.
    pub(super) ignored: Vec<ObjectRef>,
    /// How many of the others there are.
    pub(super) ignored_count: usize,
}

impl Labelled {
    /// Counts an object, and names it if it is among the first.
    pub(super) fn ignore(&mut self, object: &ObjectRef) {
        self.ignored_count += 1;
        if self.ignored.len() < NAMED {
            self.ignored.push(object.clone());
        }
    }
}

/// What applies without a response have led to.
#[derive(Default)]
pub(super) struct Confirmed {
    /// The objects that exist, and are owned.
    pub(super) owned: Vec<Owned>,
    /// The first object that does not exist, and may do so yet.
    pub(super) open: Option<ObjectRef>,
}

impl Confirmed {
    /// # Errors
    /// An object may exist, and it is not known yet whether it does.
    pub(super) fn refuse_open(&self) -> Result<(), WriteError> {
        let Some(object) = &self.open else { return Ok(()) };
        let message = format!(
            "the response to an apply was lost; the finalizer stays until it is known whether the object exists, at \
             most {} s",
            IN_FLIGHT.as_secs()
        );
        Err(WriteError::Unknown { object: object.to_string(), message })
    }

    /// Its owned objects and those that views have, each once.
    pub(super) fn joined(self, mut owned: Vec<Owned>) -> Vec<Owned> {
        for found in self.owned {
            if owned.iter().all(|own| own.object.uid != found.object.uid) {
                owned.push(found);
            }
        }
        owned
    }
}
