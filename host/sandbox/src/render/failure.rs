//! Why a rendering returned no objects.

use std::time::Duration;

use mizzen_model::RenderError;

use crate::metered::Limit;

/// Why there are no objects. Messages name the renderer before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RenderFailure {
    /// The renderer rejects the document, in these words.
    #[error("{0}")]
    Rejected(String),
    /// It ended with an exit code, and without a result as KRM defines it. A pure function does so each time.
    #[error("ended with exit code {0}")]
    Exit(i32),
    /// Its output is not a `ResourceList`.
    #[error("wrote output that is not a ResourceList: {0}")]
    Output(String),
    /// The document is larger than `limits.input`.
    #[error("was given {given} bytes, more than {most}, its limit `input`")]
    InputLimit {
        /// Bytes of the input.
        given: u64,
        /// The limit.
        most: u64,
    },
    /// More output than `limits.output`.
    #[error("wrote more than {0} bytes, its limit `output`")]
    OutputLimit(u64),
    /// Longer than `limits.time`.
    #[error("did not end within {0:?}, its limit `time`")]
    Time(Duration),
    /// More memory than `limits.memory`.
    #[error("requested more than {0} bytes of memory, its limit `memory`")]
    Memory(u64),
    /// A larger table than the host allows.
    #[error("requested a table of more than {0} elements")]
    Table(u64),
    /// A trap, or an instance that can't be made.
    #[error("trapped: {0}")]
    Trap(String),
}

impl RenderFailure {
    /// Whether the same document always fails like this, so that rendering it again is of no use.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::Exit(_))
    }

    /// Returns the message about it: which renderer failed, how, and the last it wrote to standard error.
    pub(super) fn message(&self, renderer: &str, stderr: &str) -> String {
        match self {
            Self::Rejected(why) => format!("renderer `{renderer}`: {why}"),
            other if stderr.is_empty() => format!("renderer `{renderer}` {other}"),
            other => format!("renderer `{renderer}` {other}; its standard error: {stderr}"),
        }
    }

    /// Returns the same message as the error that the plugin gets.
    pub(super) fn to_error(&self, message: String) -> RenderError {
        match self {
            Self::Rejected(_) => RenderError::Rejected(message),
            _ => RenderError::Failed(message),
        }
    }
}

impl From<Limit> for RenderFailure {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Memory(bytes) => Self::Memory(bytes),
            Limit::Table(elements) => Self::Table(elements),
            Limit::HostCalls(calls) => Self::Trap(format!("more than {calls} host calls")),
        }
    }
}
