//! Why nothing is installed, and what is told of it. Nothing that is there is touched then.

use std::time::Duration;

use mizzen_istio_api::reasons;
use mizzen_sdk::renderers::RenderError;
use mizzen_sdk::{AccessError, Failure, Outcome};

use crate::client::NoClient;
use crate::spec::Invalid;

/// When a renderer that failed is asked again.
const AGAIN: Duration = Duration::from_mins(1);

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
    /// Istio's code did not get as far as an answer: that is no fault of the spec's.
    #[error("{0}")]
    Renderer(String),
    /// Not a word about the mesh: the reads themselves went wrong.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Refusal {
    /// What is answered. The readiness is `failed`, so that nothing later in the order acts for such a subject.
    pub(crate) fn into_outcome(self) -> Result<Outcome, Failure> {
        let reason = match &self {
            Self::Invalid(_) | Self::Rejected(_) => reasons::INVALID,
            Self::Client(_) | Self::Renderer(_) => reasons::FAILED,
            Self::Version(..) => reasons::VERSION,
            Self::Access(error) => return Err(error.clone().into()),
        };
        let message = self.to_string();
        let outcome = Outcome::failed(&message).condition(reasons::INSTALLED, Some(false), reason, message);
        // What met a limit may not meet it again on a host that has less to do; nothing that was read would tell.
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
