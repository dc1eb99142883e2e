//! The result of a reconcile in the words of a condition.

/// The condition of a reconcile, before it has a type.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub(super) status: Option<bool>,
    pub(super) reason: &'static str,
    pub(super) message: String,
}
