//! The result of a reconcile in the words of a condition.

/// The condition of a reconcile, before it has a type.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub(super) status: Option<bool>,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// What of a status is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// The fields and conditions of the outcome, and the condition of the reconcile.
    Whole,
    /// The condition of the reconcile alone.
    Condition,
}
