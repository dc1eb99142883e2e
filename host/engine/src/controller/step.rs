//! What dispatch decides for a key.

use std::sync::Arc;

use mizzen_model::{Object, Predecessor};
use tokio::time::Instant;

use crate::plugin::Plugin;
use crate::reconcile::Task;

/// What is to be done for a key now.
pub(super) enum Step {
    Run(Start),
    /// The key waits until this time, or for a change; `None`: for a change alone.
    Wait(Option<Instant>),
}

/// A reconcile to be started.
pub(super) struct Start {
    pub(super) task: Task,
    pub(super) predecessors: Vec<Predecessor>,
    pub(super) plugin: Plugin,
    pub(super) revision: u64,
    pub(super) subject: Arc<Object>,
}
