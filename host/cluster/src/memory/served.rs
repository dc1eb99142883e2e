//! One kind as the cluster serves it.

use mizzen_model::Kind;

use super::schema::Schema;
use crate::view::KindFacts;

/// A served kind.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) facts: KindFacts,
    /// The kind as which its objects are stored; it may be another version.
    pub(super) storage: Kind,
    /// Whether `metadata.generation` is counted.
    pub(super) generation: bool,
    /// The schema of its documents; `None` for built-in kinds.
    pub(super) schema: Option<Schema>,
}
