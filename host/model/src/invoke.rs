//! Calling a plugin: the trait that the engine calls and the sandbox implements, and the errors of
//! a call.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::describe::Description;
use crate::digest::Digest;
use crate::outcome::{Failure, Outcome, Request};
use crate::read::Reads;

/// The function of the plugin that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Returns what is desired for the subject.
    Reconcile,
    /// Cleans up before the subject is deleted.
    Finalize,
}

/// Why a call failed. Its instance is dropped; the next call gets a fresh one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The guest trapped: a panic, an abort, an unreachable instruction.
    #[error("trapped: {0}")]
    Trap(String),
    /// The guest took longer than `limits.time`.
    #[error("did not return within {0:?}, its limit `time`")]
    Deadline(Duration),
    /// The guest tried to grow its memory beyond `limits.memory`, in bytes.
    #[error("needs more than {0} bytes of memory, its limit `memory`")]
    Memory(u64),
    /// The guest tried to grow a table beyond the elements that the host allows.
    #[error("needs a table of more than {0} elements")]
    Table(u64),
    /// The guest overflowed the stack that the host allows, in bytes.
    #[error("overflowed its stack of {0} bytes")]
    Stack(u64),
    /// The guest made more host calls than `limits.reads`.
    #[error("made more than {0} host calls, its limit `reads`")]
    HostCalls(u64),
    /// The outcome was larger than `limits.outcome`, in bytes.
    #[error("returned more than {0} bytes, its limit `outcome`")]
    Outcome(u64),
    /// The outcome is not valid: which field, and why.
    #[error("returned an invalid outcome: {0}")]
    Invalid(String),
    /// The host itself failed.
    #[error("the host failed: {0}")]
    Host(String),
}

impl CallError {
    /// The reason in one word, for a condition or the label of a metric.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Trap(_) => "Trapped",
            Self::Deadline(_) => "DeadlineExceeded",
            Self::Memory(_) => "MemoryLimit",
            Self::Table(_) => "TableLimit",
            Self::Stack(_) => "StackOverflow",
            Self::HostCalls(_) => "HostCallLimit",
            Self::Outcome(_) => "OutcomeLimit",
            Self::Invalid(_) => "InvalidOutcome",
            Self::Host(_) => "HostFailure",
        }
    }
}

/// A plugin that can be called. Implemented by the sandbox, and by closures in the engine's tests.
#[async_trait]
pub trait Invoke: Send + Sync {
    /// The plugin's description of itself.
    fn description(&self) -> &Description;

    /// The digest of its component.
    fn digest(&self) -> Digest;

    /// Calls the plugin in a fresh instance. `Ok(Err(_))` is the plugin's own failure.
    ///
    /// # Errors
    /// When the call trapped, met a limit, or did not return a valid outcome.
    async fn invoke(
        &self,
        call: Call,
        request: &Request,
        reads: Arc<dyn Reads>,
    ) -> Result<Result<Outcome, Failure>, CallError>;
}
