//! Why nothing is installed, and what is told of it. Nothing that is there is touched then.

use mizzen_istio_api::reasons;
use mizzen_sdk::renderers::RenderError;
use mizzen_sdk::{AccessError, Failure, Outcome};

use crate::client::NoClient;
use crate::spec::Invalid;

/// Why nothing is installed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Client(#[from] NoClient),
    #[error("{0}: {1}")]
    Version(String, mizzen_istio_api::Refusal),
    #[error("Istio rejects what is wanted: {0}")]
    Rejected(String),
    /// Not a word about the mesh: the reads themselves went wrong.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Refusal {
    /// What is answered. The readiness is `failed`, so that nothing later in the order acts for such a subject.
    pub(crate) fn into_outcome(self) -> Result<Outcome, Failure> {
        let reason = match &self {
            Self::Invalid(_) | Self::Rejected(_) => reasons::INVALID,
            Self::Client(_) => reasons::FAILED,
            Self::Version(..) => reasons::VERSION,
            Self::Access(error) => return Err(error.clone().into()),
        };
        let message = self.to_string();
        Ok(Outcome::failed(&message).condition(reasons::INSTALLED, Some(false), reason, message))
    }
}

impl From<RenderError> for Refusal {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Rejected(why) => Self::Rejected(why),
            RenderError::Access(error) => Self::Access(error),
        }
    }
}
