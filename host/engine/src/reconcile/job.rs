//! What a reconcile is given, and what it returns.

use std::sync::Arc;
use std::time::Duration;

use mizzen_model::{CallError, Object, Predecessor, Readiness};

use crate::memo::{Memory, OwnWrites};
use crate::plugin::{Key, Plugin};
use crate::problem::Problem;

/// What a reconcile is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Make the cluster match the outcome.
    Reconcile,
    /// Clean up: the subject is being deleted.
    Finalize,
    /// Find out whether the plugin refuses the deletion of the subject. Nothing is changed.
    PreflightFinalize,
    /// Report that the key is gated, with the reason.
    ReportGate(String),
}

/// One reconcile to be done.
pub(crate) struct Job {
    pub(crate) key: Key,
    pub(crate) task: Task,
    pub(crate) plugin: Plugin,
    /// Increases with every change of component, configuration or grants.
    pub(crate) revision: u64,
    pub(crate) subject: Arc<Object>,
    pub(crate) predecessors: Vec<Predecessor>,
    /// Whether an object that the last call read has changed, so that the plugin must be called.
    pub(crate) invalidated: bool,
    /// Whether such a change waits for the cooldown of the key.
    pub(crate) cooling_down: bool,
    pub(crate) memory: Memory,
}

/// How a reconcile ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// There is an outcome, and what it wants is written.
    Reconciled(Readiness),
    /// The key is gated: nothing was done.
    Gated,
    /// Everything is cleaned up, and the finalizer is removed.
    Finalized,
    /// An object changed in between. This is retried before it is reported.
    Stale(Problem),
    /// An error that is reported.
    Failed(Problem),
}

/// The result of a reconcile.
pub(crate) struct Done {
    pub(crate) key: Key,
    pub(crate) verdict: Verdict,
    /// The subject as it was when the reconcile started.
    pub(crate) subject: Arc<Object>,
    pub(crate) memory: Memory,
    /// The resource versions that the reconcile wrote.
    pub(crate) wrote: OwnWrites,
    /// How long its last call took; `None`: it made none.
    pub(crate) cost: Option<Duration>,
    /// Whether its own writes changed what the plugin read, so that the plugin must be called after the cooldown.
    pub(crate) stale: bool,
    /// Whether the plugin approves the deletion of the subject; `None`: this was not its task.
    pub(crate) approves_deletion: Option<bool>,
}

// === impl Done ===

impl Done {
    /// The result of a reconcile that panicked: what it learned is lost.
    pub(crate) fn lost(key: Key, plugin: &Plugin, subject: Arc<Object>) -> Self {
        let problem = Problem::Call(CallError::Host(format!("a reconcile of `{}` panicked", plugin.name())));
        Self {
            key,
            memory: Memory { reported: problem.reason(), ..Memory::default() },
            verdict: Verdict::Failed(problem),
            subject,
            wrote: OwnWrites::new(),
            cost: None,
            stale: false,
            approves_deletion: None,
        }
    }
}
