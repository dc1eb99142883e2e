//! How a rendering can end without objects.

use std::time::Duration;

use mizzen_model::RenderError;

/// Why there are no objects. Each names the renderer when it is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Ended {
    /// It says so itself.
    #[error("{0}")]
    Rejected(String),
    /// It ended with an exit code, and without a word in the way that KRM has for it. A pure function does the same each time.
    #[error("ended with exit code {0}")]
    Exit(i32),
    /// What it wrote is no `ResourceList`.
    #[error("answered with what is no ResourceList: {0}")]
    Answer(String),
    /// Larger than `limits.input`.
    #[error("was given {given} bytes, more than {most}, its limit `input`")]
    Input {
        /// Bytes that were to be given.
        given: u64,
        /// The limit.
        most: u64,
    },
    /// Larger than `limits.output`.
    #[error("wrote more than {0} bytes, its limit `output`")]
    Output(u64),
    /// Longer than `limits.time`.
    #[error("did not answer within {0:?}, its limit `time`")]
    Time(Duration),
    /// More than `limits.memory`.
    #[error("wanted more than {0} bytes of memory, its limit `memory`")]
    Memory(u64),
    /// More elements than the host allows.
    #[error("wanted a table of more than {0} elements")]
    Table(u64),
    /// A trap, or an instance that can't be made.
    #[error("trapped: {0}")]
    Trap(String),
}

// === impl Ended ===

impl Ended {
    /// Whether the same document will always end like this: then asking again is of no use.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::Exit(_))
    }

    /// The sentence for whoever asked: which renderer, how it ended, and what it said.
    pub(crate) fn sentence(&self, renderer: &str, said: &str) -> String {
        let said = if said.is_empty() { String::new() } else { format!("; it said: {said}") };
        match self {
            Self::Rejected(why) => format!("renderer `{renderer}`: {why}"),
            other => format!("renderer `{renderer}` {other}{said}"),
        }
    }

    /// The same for a plugin.
    pub(crate) fn told(&self, sentence: String) -> RenderError {
        match self {
            Self::Rejected(_) => RenderError::Rejected(sentence),
            _ => RenderError::Failed(sentence),
        }
    }
}
