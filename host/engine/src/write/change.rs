//! What a write changed.

use std::sync::Arc;

use mizzen_cluster::Ownership;
use mizzen_model::Object;
use serde_json::Value;

/// An object before and after a write.
pub(crate) struct Change {
    /// `None`: it did not exist.
    pub(crate) before: Option<Arc<Object>>,
    /// `None`: it was deleted.
    pub(crate) after: Option<Arc<Object>>,
}

/// A desired object before and after its apply.
pub(super) struct Applied {
    /// What was wanted of it.
    pub(super) wanted: Value,
    pub(super) ownership: Ownership,
    /// Whether it was another party's before.
    pub(super) adopted: bool,
    pub(super) before: Option<Arc<Object>>,
    pub(super) after: Arc<Object>,
}
