//! Why a call of a reconciler has no outcome.

use crate::access::AccessError;
use crate::http::response::Error as HttpError;
use crate::renderers::renderer::RenderError;

/// Why there is no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The subject or the configuration is wrong: retried when either changes.
    Invalid(String),
    /// A temporary failure: retried with backoff.
    Retry(String),
}

impl Failure {
    /// The subject or the configuration is wrong; with the reason.
    pub fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid(why.into())
    }

    /// A temporary failure; with the reason.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry(why.into())
    }
}

impl From<AccessError> for Failure {
    /// A read that may succeed later is retried; one that was denied or malformed is not.
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unavailable(why) | AccessError::NotServed(why) => Self::Retry(why),
            AccessError::Denied(why) | AccessError::Invalid(why) => Self::Invalid(why),
        }
    }
}

impl From<HttpError> for Failure {
    /// An error status may be temporary, so it is retried; a request that was not granted is not.
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Access(error) => error.into(),
            HttpError::Status(..) | HttpError::Malformed(_) => Self::Retry(error.to_string()),
        }
    }
}

impl From<RenderError> for Failure {
    /// A document that a renderer rejects is rejected again until it changes; a failure of the
    /// renderer is retried.
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Rejected(why) => Self::Invalid(why),
            RenderError::Failed(why) => Self::Retry(why),
            RenderError::Access(error) => error.into(),
        }
    }
}
