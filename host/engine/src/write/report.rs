//! What is reported in the subject's status.

use mizzen_model::Condition;
use serde_json::{Map, Value};

/// What a status is to say.
pub(crate) struct Report<'a> {
    /// The reconciler's own fields; `None`: not known, so that they stay as they are.
    pub(crate) fields: Option<Map<String, Value>>,
    /// The reconciler's own conditions.
    pub(crate) conditions: &'a [Condition],
    /// The result of the reconcile, under the type `mizzen.dev/<reconciler>`.
    pub(crate) outcome: Condition,
}
