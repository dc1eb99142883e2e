//! Asking a plugin: what the engine calls, what the sandbox implements, and what goes wrong in between.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Description, Digest, Failure, Outcome, Reads, Request};

/// Which of its functions a plugin is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// What do you want for this subject?
    Reconcile,
    /// This subject is going away: what must still be done?
    Finalize,
}

/// Why a plugin gave no answer. Its instance is gone; the next call gets a fresh one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The guest trapped: a panic, an abort, an unreachable instruction.
    #[error("trapped: {0}")]
    Trap(String),
    /// The guest took longer than `limits.time`.
    #[error("did not answer within {0:?}, its limit `time`")]
    Deadline(Duration),
    /// The guest wanted more memory than `limits.memory`, in bytes.
    #[error("wanted more than {0} bytes of memory, its limit `memory`")]
    Memory(u64),
    /// The guest wanted a table of more elements than the host allows.
    #[error("wanted a table of more than {0} elements")]
    Table(u64),
    /// The guest's stack outgrew what the host allows, in bytes.
    #[error("overflowed its stack of {0} bytes")]
    Stack(u64),
    /// The guest made more host calls than `limits.reads`.
    #[error("made more than {0} host calls, its limit `reads`")]
    HostCalls(u64),
    /// What it handed over was larger than `limits.outcome`, in bytes.
    #[error("handed over more than {0} bytes, its limit `outcome`")]
    Outcome(u64),
    /// What it answered is not an outcome: says which field and why.
    #[error("answered with an invalid outcome: {0}")]
    Invalid(String),
    /// The host itself failed.
    #[error("the host failed: {0}")]
    Host(String),
}

impl CallError {
    /// A word for it, fit for a condition's reason or a metric's label.
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

/// A plugin that can be asked. Implemented by the sandbox, and by closures in the engine's tests.
#[async_trait]
pub trait Invoke: Send + Sync {
    /// What it says of itself.
    fn description(&self) -> &Description;

    /// Digest of its component.
    fn digest(&self) -> Digest;

    /// Asks it, in a fresh instance. `Ok(Err(_))` is the plugin's own "no".
    async fn invoke(
        &self,
        call: Call,
        request: &Request,
        reads: Arc<dyn Reads>,
    ) -> Result<Result<Outcome, Failure>, CallError>;
}
