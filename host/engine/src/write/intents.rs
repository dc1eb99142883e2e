//! The intents of a plan.

use mizzen_cluster::WriteError;
use mizzen_model::ObjectRef;

use crate::observe::{Intent, Verb};

/// What a reconcile would write, and what would fail.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) intents: Vec<Intent>,
    pub(crate) errors: Vec<WriteError>,
}

// === impl Plan ===

impl Plan {
    pub(super) fn add(&mut self, verb: Option<Verb>, object: &ObjectRef) {
        self.intents.extend(verb.map(|verb| Intent { verb, object: object.clone() }));
    }
}
