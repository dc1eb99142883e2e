//! The state of the controller. One task owns it; what it shares with running reconciles is in
//! [`Context`], behind locks.

use std::collections::HashMap;
use std::sync::Arc;

use mizzen_cluster::Scope;
use mizzen_model::Object;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::deletion::Deletion;
use super::messages::Synced;
use super::nodes::{Nodes, State, Subjects};
use super::order::Order;
use super::orphans::{OrphanedFinalizer, Orphans};
use super::snapshot::PlanCounts;
use super::trigger::Trigger;
use super::workqueue::Workqueue;
use crate::context::Context;
use crate::memo::Memory;
use crate::plugin::{Key, NodeId, SubjectId};
use crate::reconcile::Done;
use crate::settings::{Concurrency, Delays, Role};

/// The state of the controller.
pub(crate) struct Controller {
    pub(super) context: Context,
    pub(super) nodes: Nodes,
    pub(super) subjects: Subjects,
    pub(super) cells: HashMap<Key, Cell>,
    pub(super) workqueue: Workqueue,
    pub(super) order: Order,
    pub(super) deletion: Deletion,
    pub(super) orphans: Orphans,
    /// Running reconciles.
    pub(super) jobs: JoinSet<Done>,
    /// Running removals of orphaned finalizers; one that failed returns its finalizer.
    pub(super) removals: JoinSet<Result<(), OrphanedFinalizer>>,
    /// Where the listings of reconcilers report to.
    pub(super) syncs: mpsc::UnboundedSender<Synced>,
    /// How many listings have not reported yet.
    pub(super) syncing: usize,
    pub(super) configured: bool,
    pub(super) role: Role,
    /// Callers that wait for the engine to settle.
    pub(super) settling: Vec<oneshot::Sender<()>>,
}

/// What is remembered of one key between two reconciles.
#[derive(Default)]
pub(super) struct Cell {
    pub(super) memory: Memory,
    /// The error that its last reconcile ended with.
    pub(super) error: Option<String>,
    /// What it would write, in mode `Plan`.
    pub(super) plan: PlanCounts,
    /// Whether its subject has left the selection, and is being cleaned up for.
    pub(super) leaving: bool,
}

// === impl Controller ===

impl Controller {
    pub(crate) fn new(
        context: Context,
        limits: Concurrency,
        delays: Delays,
        role: Role,
        syncs: mpsc::UnboundedSender<Synced>,
    ) -> Self {
        Self {
            context,
            nodes: Nodes::default(),
            subjects: Subjects::default(),
            cells: HashMap::new(),
            workqueue: Workqueue::new(limits, delays),
            order: Order::default(),
            deletion: Deletion::default(),
            orphans: Orphans::default(),
            jobs: JoinSet::new(),
            removals: JoinSet::new(),
            syncs,
            syncing: 0,
            configured: false,
            role,
            settling: Vec::new(),
        }
    }

    /// Enqueues a key, if it is known.
    pub(super) fn enqueue(&mut self, key: Key, trigger: Trigger) {
        if self.cells.contains_key(&key) {
            self.workqueue.add(key, trigger, Instant::now());
        }
    }

    /// Enqueues keys whose plugins need not be called for it.
    pub(super) fn requeue(&mut self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            self.enqueue(key, Trigger::Requeue);
        }
    }

    /// The live subject.
    pub(super) fn live(&self, subject: SubjectId) -> Option<Arc<Object>> {
        self.context.cluster.get(Scope::All, self.subjects.name(subject)?).ok().flatten()
    }

    /// Sets the state of a reconciler.
    pub(super) fn set_state(&mut self, id: NodeId, state: State) {
        self.order.set_participation(id, state.participation());
        if let Some(node) = self.nodes.get_mut(id) {
            node.state = state;
        }
    }
}
