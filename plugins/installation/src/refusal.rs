//! Why an installation is refused, and how that is reported. Existing objects stay unchanged.

use std::time::Duration;

use mizzen_istio_api::reasons;
use mizzen_sdk::renderers::RenderError;
use mizzen_sdk::{AccessError, Failure, Outcome};

use crate::client::NoClient;
use crate::spec::Invalid;

/// The delay before a failed renderer is called again.
const AGAIN: Duration = Duration::from_mins(1);

/// Why an installation is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Client(#[from] NoClient),
    #[error("{0}: {1}")]
    Version(String, mizzen_istio_api::Refusal),
    #[error("Istio rejects the configuration: {0}")]
    Rejected(String),
    /// The renderer failed, which does not mean that the spec is invalid.
    #[error("{0}")]
    Renderer(String),
    /// A read failed.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Refusal {
    /// The outcome of a refusal. Its readiness is `failed`, so that no successor acts for the
    /// subject.
    pub(crate) fn into_outcome(self) -> Result<Outcome, Failure> {
        let reason = match &self {
            Self::Invalid(_) | Self::Rejected(_) => reasons::INVALID,
            Self::Client(_) | Self::Renderer(_) => reasons::FAILED,
            Self::Version(..) => reasons::VERSION,
            Self::Access(error) => return Err(error.clone().into()),
        };
        let message = self.to_string();
        let outcome = Outcome::failed(&message).condition(reasons::INSTALLED, Some(false), reason, message);
        // A renderer that met a limit may succeed when the host is less busy; no read would cause
        // another call.
        Ok(if matches!(self, Self::Renderer(_)) { outcome.requeue_after(AGAIN) } else { outcome })
    }
}

impl From<RenderError> for Refusal {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Rejected(why) => Self::Rejected(why),
            RenderError::Failed(why) => Self::Renderer(why),
            RenderError::Access(error) => Self::Access(error),
        }
    }
}
