//! Why an outcome is refused.

use mizzen_cluster::ReadError;

use super::patches::Contradiction;

/// Why nothing of an outcome is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Something in it is not declared or not granted.
    #[error("{0}")]
    Denied(String),
    /// Something in it is not valid.
    #[error("{0}")]
    Invalid(String),
    /// Two of its patches contradict each other.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// It can't be checked at the moment.
    #[error(transparent)]
    Unknown(#[from] ReadError),
}
