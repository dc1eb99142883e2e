//! One disruption: which object, for which key, and how far it has come.

use std::sync::Arc;

use jiff::Timestamp;
use mizzen_model::ObjectRef;

use crate::plugin::{Key, NodeId};

/// One pace of one reconciler.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PaceName {
    pub(crate) node: NodeId,
    pub(crate) name: Arc<str>,
}

/// The place of one disruption under a pace: the object that is patched or deleted, and the key
/// that wants it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot<'a> {
    pub(crate) key: Key,
    pub(crate) pace: &'a str,
    pub(crate) object: &'a ObjectRef,
}

/// Whether a disruption may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may, and counts as in progress.
    Admitted,
    /// Not yet: its key is requeued when it may.
    Deferred,
    /// The configuration has no such pace.
    UnknownPace,
}

/// A disruption in progress.
#[derive(Clone, Debug)]
pub(super) struct Disruption {
    pub(super) started: Timestamp,
    /// The key that wants it; `None`: an earlier run of the host started it, and no key has wanted
    /// it since.
    pub(super) key: Option<Key>,
    pub(super) stage: Stage,
}

/// A disruption that does not block its pace although its object never rolled out.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) key: Option<Key>,
    pub(super) stage: Stage,
    pub(super) reason: String,
}

/// How far the host is with a disruption.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// It is admitted and being written: what the store has of the object is from before.
    Admitted,
    /// The object was patched; `version` is its resource version after that.
    Patched { version: u64 },
    /// The object with this uid was deleted. `owner` is its controller, with the controller's
    /// resource version then.
    Deleted { uid: Box<str>, owner: Option<(ObjectRef, u64)> },
}

// === impl Slot ===

impl Slot<'_> {
    pub(super) fn name(&self) -> PaceName {
        PaceName { node: self.key.node, name: self.pace.into() }
    }
}

// === impl Stage ===

impl Stage {
    /// The controller of a deleted object, which is to replace it.
    pub(super) fn owner(&self) -> Option<&ObjectRef> {
        match self {
            Self::Deleted { owner: Some((owner, _)), .. } => Some(owner),
            _ => None,
        }
    }
}
