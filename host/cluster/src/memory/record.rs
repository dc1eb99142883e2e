//! The record of a write, for tests.

use mizzen_model::ObjectRef;

/// One write that was requested and done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteRecord {
    /// The field manager; empty for deletions.
    pub manager: String,
    /// `apply`, `status`, `delete` or `finalizer`.
    pub verb: &'static str,
    /// The object.
    pub object: ObjectRef,
}
