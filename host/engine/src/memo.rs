//! What is remembered of a key between two reconciles: its last outcome, and what it last wrote.

use std::collections::HashMap;
use std::sync::Arc;

use mizzen_cluster::Ownership;
use mizzen_model::{Digest, Fields, Object, ObjectRef, canonical};

use crate::observe::Intent;
use crate::prepare::Prepared;
use crate::unconfirmed::Unconfirmed;

/// What is remembered of a key from one reconcile to the next. It moves as one value: into the
/// reconcile, and back with its result.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The last outcome; `None`: the plugin has not been called, or its last call failed.
    pub(crate) memo: Option<Arc<Memo>>,
    pub(crate) last_writes: LastWrites,
    /// Objects of applies without a response.
    pub(crate) unconfirmed: Unconfirmed,
    /// Whether it was reported that objects carry the owner label of the key and are not owned.
    pub(crate) reported_ignored: bool,
    /// The reason that was last reported, so that an Event about a problem is published once.
    pub(crate) reported: &'static str,
    /// What the reconciler would write, in mode `Plan`.
    pub(crate) planned: Vec<Intent>,
}

/// The last outcome, with all it depends on.
#[derive(Debug)]
pub(crate) struct Memo {
    pub(crate) prepared: Prepared,
    /// Digest of the request.
    pub(crate) input: Digest,
    /// Counts up with every change of component, configuration or grants.
    pub(crate) revision: u64,
    pub(crate) view: View,
    /// Whether it depends on time.
    pub(crate) timed: bool,
}

/// Whether every read of a call was answered; only then may what is missing from its outcome be
/// pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// Every read was answered.
    Complete,
    /// One was not.
    Partial,
}

/// The resource versions that a reconcile wrote, by object.
pub(crate) type OwnWrites = HashMap<ObjectRef, Vec<u64>>;

/// What was last written, by object.
pub(crate) type LastWrites = HashMap<ObjectRef, LastWrite>;

/// What is known of an object after it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastWrite {
    /// The object's uid: an object with it is the one that was written.
    pub(crate) uid: Box<str>,
    /// Its resource version then: a change up to it is our own.
    pub(crate) version: u64,
    pub(crate) what: WrittenPart,
}

/// The part of an object that was written. `wanted` is the digest of what the plugin wants, `live` that of the same
/// fields as the API server stored them: it may rewrite values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrittenPart {
    /// An object of the reconciler's own.
    Object { wanted: Digest, live: Digest, ownership: Ownership },
    /// Some fields of another party's object.
    Fields { wanted: Digest, live: Digest },
    /// The subject's status.
    Status,
}

/// The part of a subject that its author writes, which is the part that a plugin is given: without status, generation
/// and finalizers.
pub(crate) fn authored(subject: &Object) -> String {
    canonical::without(subject.json(), &[&["status"], &["metadata", "generation"], &["metadata", "finalizers"]])
}

/// The fields of that part that a plugin is given.
pub(crate) fn given(subject: &Object, fields: &Fields) -> String {
    fields.project_text(&authored(subject)).into_owned()
}
