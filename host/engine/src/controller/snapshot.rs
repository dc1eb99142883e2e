//! How everything stands, for statuses, metrics and the terminal.

use mizzen_config::Mode;
use mizzen_model::Digest;

use crate::controller::Controller;
use crate::controller::cell::Held;
use crate::controller::nodes::{Node, State};
use crate::observe::Verb;
use crate::pace::PaceSnapshot;
use crate::plugin::Key;

/// How the engine stands.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Whether there has been a configuration, be it an empty one.
    pub configured: bool,
    /// Every node, in the order of their numbers.
    pub nodes: Vec<NodeSnapshot>,
    /// Keys that wait for their turn.
    pub waiting: usize,
    /// Keys that run.
    pub running: usize,
    /// Keys that are asked again about what has changed once they have rested from a call that cost much.
    pub resting: usize,
    /// Distinct reads that are held in the index.
    pub reads: usize,
}

/// How one node stands.
#[derive(Clone, Debug)]
pub struct NodeSnapshot {
    /// Its name.
    pub name: String,
    /// How far it has come.
    pub state: State,
    /// The digest of the component that runs.
    pub digest: Option<Digest>,
    /// How many subjects it has.
    pub subjects: usize,
    /// How many of them are ready.
    pub ready: usize,
    /// How many ended in an error.
    pub failed: usize,
    /// One of those errors.
    pub last_error: Option<String>,
    /// What holds back one of its subjects.
    pub held: Option<String>,
    /// Whether that has lasted for so short a while that nobody is told yet.
    pub held_quietly: bool,
    /// What it would write, in mode `Plan`; `None`: it is in another mode.
    pub planned: Option<PlanCounts>,
    /// How its paces stand.
    pub paces: Vec<PaceSnapshot>,
    /// Whether nothing of it waits or runs.
    pub idle: bool,
}

/// How many objects a reconciler in mode `Plan` would write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanCounts {
    /// Those that are not there.
    pub create: usize,
    /// Those that are another way.
    pub change: usize,
    /// Those that it would delete.
    pub delete: usize,
}

impl Controller {
    pub(crate) fn snapshot(&self) -> Snapshot {
        let nodes = self.nodes.iter().map(|node| {
            let cells =
                node.subjects.iter().filter_map(|subject| self.cells.get(&Key { node: node.id, subject: *subject }));
            let mut errors: Vec<_> = cells.filter_map(|cell| cell.error.as_deref()).collect();
            errors.sort_unstable();
            NodeSnapshot {
                name: node.name.clone(),
                state: node.state.clone(),
                digest: node.plugin.as_ref().map(|plugin| plugin.invoke.digest()),
                subjects: node.subjects.len(),
                ready: node.ready.len(),
                failed: errors.len(),
                last_error: errors.first().map(|error| (*error).to_owned()),
                held: node.subjects.iter().find_map(|subject| self.held_back(Key { node: node.id, subject: *subject })),
                held_quietly: self.is_held_quietly(node),
                planned: self.planned(node),
                paces: self.paces().snapshot(node.id),
                idle: self.queue.is_idle_for(node.id),
            }
        });
        let nodes = nodes.collect();
        let reads = self.context.index().len();
        let (waiting, running, resting) = (self.queue.waiting(), self.queue.running(), self.rests.len());
        Snapshot { configured: self.configured, nodes, waiting, running, resting, reads }
    }

    fn is_held_quietly(&self, node: &Node) -> bool {
        let mut cells =
            node.subjects.iter().filter_map(|subject| self.cells.get(&Key { node: node.id, subject: *subject }));
        cells.any(|cell| matches!(cell.held, Held::Quietly | Held::Patiently))
    }

    fn planned(&self, node: &Node) -> Option<PlanCounts> {
        node.plugin.as_ref().filter(|plugin| plugin.reconciler.mode == Mode::Plan)?;
        let cells =
            node.subjects.iter().filter_map(|subject| self.cells.get(&Key { node: node.id, subject: *subject }));
        let mut counts = PlanCounts::default();
        for intent in cells.flat_map(|cell| &cell.memory.planned) {
            match intent.verb {
                Verb::Create => counts.create += 1,
                Verb::Delete => counts.delete += 1,
                Verb::Change | Verb::Status | Verb::Finalizer => counts.change += 1,
            }
        }
        Some(counts)
    }
}
