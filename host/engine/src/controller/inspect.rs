//! Takes snapshots of the state.

use mizzen_config::Mode;

use super::nodes::Node;
use super::snapshot::{NodeSnapshot, PlanCounts, Snapshot};
use super::state::{Cell, Controller};
use crate::plugin::Key;

impl Controller {
    /// The current state.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            configured: self.configured,
            role: self.role,
            nodes: self.nodes.iter().map(|node| self.inspect(node)).collect(),
            queued: self.workqueue.queued(),
            active: self.workqueue.active(),
            cooling_down: self.workqueue.cooling_down(),
            reads: self.context.index().len(),
        }
    }

    fn inspect(&self, node: &Node) -> NodeSnapshot {
        let mut errors: Vec<_> = self.cells_of(node).filter_map(|cell| cell.error.as_deref()).collect();
        errors.sort_unstable();
        let counts = self.order.counts(node.id);
        let is_pending = |key: Key| self.workqueue.is_pending(key);
        NodeSnapshot {
            name: node.name.clone(),
            state: node.state.clone(),
            digest: node.plugin.as_ref().map(|plugin| plugin.invoke.digest()),
            subjects: counts.all,
            ready: counts.ready,
            failed: errors.len(),
            last_error: errors.first().map(|error| (*error).to_owned()),
            gated: self.order.keys_of(node.id).find_map(|key| self.order.waits_for(key, is_pending)),
            gated_unreported: self.order.keys_of(node.id).any(|key| self.order.is_unreported(key)),
            planned: self.planned(node),
            paces: self.context.paces().snapshot(node.id),
            queued: self.workqueue.queued_of(node.id),
            idle: self.workqueue.is_idle_for(node.id),
        }
    }

    fn cells_of(&self, node: &Node) -> impl Iterator<Item = &Cell> {
        self.order.keys_of(node.id).filter_map(|key| self.cells.get(&key))
    }

    fn planned(&self, node: &Node) -> Option<PlanCounts> {
        node.plugin.as_ref().filter(|plugin| plugin.reconciler.mode == Mode::Plan)?;
        Some(self.cells_of(node).map(|cell| cell.plan).sum())
    }
}
