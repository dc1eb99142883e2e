//! What the controller receives, besides changes of the cluster.

use std::collections::HashSet;

use mizzen_cluster::{Changes, ReadError};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::nodes::NodeSpec;
use super::snapshot::Snapshot;
use crate::plugin::NodeId;
use crate::reads::renderers::RendererSpec;

/// What the loop receives from.
pub(crate) struct Inputs {
    pub(crate) changes: Changes,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    pub(crate) synced: mpsc::UnboundedReceiver<Synced>,
    pub(crate) shutdown: CancellationToken,
}

/// A request to the controller.
pub(crate) enum Command {
    /// Replace the reconcilers.
    Configure(Vec<NodeSpec>),
    /// These reconcilers are configured too, but their documents are invalid.
    SetInvalid(HashSet<String>),
    /// Replace the renderers.
    SetRenderers(Vec<RendererSpec>),
    /// Reconcile from now on.
    Lead,
    /// Reply when there is nothing left to do now.
    Settle(oneshot::Sender<()>),
    /// Reply with the current state.
    Snapshot(oneshot::Sender<Snapshot>),
}

/// The result of an attempt to list everything that a reconciler needs.
pub(crate) struct Synced {
    pub(super) node: NodeId,
    pub(super) revision: u64,
    pub(super) result: Result<(), ReadError>,
    pub(super) attempt: Attempt,
}

/// Whether an attempt is the first since the reconciler was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    First,
    Repeated,
}
