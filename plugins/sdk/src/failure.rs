//! Why a reconciler has no answer.

use crate::AccessError;

/// Why there is no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The subject or the configuration is wrong: asked again when either changes.
    Invalid(String),
    /// Passing trouble: asked again with backoff.
    Retry(String),
}

impl Failure {
    /// The subject or the configuration is wrong.
    pub fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid(why.into())
    }

    /// Passing trouble.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry(why.into())
    }
}

impl From<AccessError> for Failure {
    /// A read that may be answered later is worth another try; one that was not allowed is not.
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unavailable(why) | AccessError::NotServed(why) => Self::Retry(why),
            AccessError::Denied(why) | AccessError::Invalid(why) => Self::Invalid(why),
        }
    }
}
