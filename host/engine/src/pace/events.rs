//! What changes under paces, for the controller.

use std::collections::HashSet;

use mizzen_model::ObjectRef;

use super::disruption::PaceName;
use crate::plugin::Key;

/// A disruption that met its progress deadline, or whose object says that it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimedOut {
    pub(crate) pace: PaceName,
    pub(crate) object: ObjectRef,
    /// What the object says, or how long the deadline was.
    pub(crate) reason: String,
}

/// What changed: the keys to requeue, and the disruptions that block their pace no longer.
#[derive(Debug, Default)]
pub(crate) struct PaceEvents {
    pub(crate) requeue: HashSet<Key>,
    pub(crate) timed_out: Vec<TimedOut>,
}

// === impl PaceEvents ===

impl PaceEvents {
    pub(super) fn is_empty(&self) -> bool {
        self.requeue.is_empty() && self.timed_out.is_empty()
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.requeue.extend(other.requeue);
        self.timed_out.extend(other.timed_out);
    }
}
