//! The order at run time: who waits for whom, and for what.

use mizzen_cluster::Scope;
use mizzen_model::{Object, Predecessor, Readiness};

use crate::controller::Controller;
use crate::controller::cell::{Held, Phase};
use crate::controller::nodes::{Node, State};
use crate::names::has_finalizer;
use crate::plugin::{Key, NodeId, SubjectId};

/// Whether a key may run.
pub(crate) enum Gate {
    /// It may; its predecessors said this.
    Open(Vec<Predecessor>),
    /// It waits; says for what.
    Closed(String),
    /// It waits for one that has not answered since the host was started; says for which.
    Unanswered(String),
    /// It waits for one that is about to answer anew: what that one writes meanwhile is no ground yet for whoever comes after it.
    Busy(String),
}

impl Controller {
    /// Whether all that must come before a key is ready (`after`) or has answered (`afterAny`).
    pub(crate) fn gate(&self, key: Key) -> Gate {
        let Some(node) = self.nodes.get(key.node) else { return Gate::Closed("is not configured".into()) };
        let mut predecessors = Vec::new();
        let edges = node.after.iter().map(|name| (name, true)).chain(node.after_any.iter().map(|name| (name, false)));
        for (name, must_be_ready) in edges {
            let Some(before) = self.nodes.named(name) else {
                return Gate::Closed(format!("`{name}` is not configured"));
            };
            if before.state == State::Paused {
                continue;
            }
            let readiness = match self.answer_of(before, key.subject, node) {
                None => return Gate::Unanswered(format!("waits for `{name}` to answer")),
                Some(readiness) if must_be_ready && !readiness.is_ready() => {
                    let why = if readiness.message().is_empty() { readiness.reason() } else { readiness.message() };
                    return Gate::Closed(format!("waits for `{name}` to be ready: {why}"));
                }
                Some(readiness) => readiness,
            };
            if self.is_busy(before, key.subject, node) {
                return Gate::Busy(format!("waits for `{name}` to answer again"));
            }
            predecessors.push(Predecessor { name: name.clone(), readiness });
        }
        Gate::Open(predecessors)
    }

    /// Whether a predecessor with the same subjects has yet to look at what changed, or is doing so.
    fn is_busy(&self, before: &Node, subject: SubjectId, node: &Node) -> bool {
        let key = Key { node: before.id, subject };
        let runs = || self.cells.get(&key).is_some_and(|cell| cell.phase == Phase::Running);
        before.same_subjects(node) && (self.queue.waits(key) || runs())
    }

    /// Wakes those that waited only for a predecessor not to be busy any more.
    pub(crate) fn wake_held(&mut self, of: Key) {
        let Some(node) = self.nodes.get(of.node) else { return };
        let after = node.successors.iter().filter_map(|id| self.nodes.get(*id)).filter(|own| own.same_subjects(node));
        let after: Vec<_> = after.map(|own| Key { node: own.id, subject: of.subject }).collect();
        for key in after {
            if self.cells.get(&key).is_some_and(|cell| cell.held != Held::No) {
                self.look(key);
            }
        }
    }

    /// What a predecessor came to: for the same subject, or, when it is asked about another kind, for all of its own.
    fn answer_of(&self, before: &Node, subject: SubjectId, node: &Node) -> Option<Readiness> {
        if before.same_subjects(node) {
            return match self.cells.get(&Key { node: before.id, subject }) {
                Some(cell) => cell.readiness.clone(),
                // Not one of its subjects: it has nothing to say here.
                None if before.is_complete() => Some(Readiness::Ready),
                None => None,
            };
        }
        if !before.is_complete() || before.answered.len() < before.subjects.len() {
            return None;
        }
        // No count: the successor's input must not change with each of them.
        let waiting = || Readiness::Progressing("not ready for all of its subjects".into());
        Some(if before.is_all_ready() { Readiness::Ready } else { waiting() })
    }

    /// Who must let a subject go before this node may: deletion walks the order backwards.
    pub(crate) fn still_held_by(&self, node: NodeId, subject: &Object) -> Option<String> {
        let own = self.nodes.get(node)?;
        let later = own.successors.iter().filter_map(|id| self.nodes.get(*id));
        later.map(|node| &node.name).find(|name| has_finalizer(subject, name)).cloned()
    }

    /// Wakes those whose gate may have opened, or whose predecessors now say something else.
    pub(crate) fn wake_successors(&mut self, of: NodeId, subject: SubjectId) {
        let Some(node) = self.nodes.get(of) else { return };
        let mut woken = Vec::new();
        for successor in node.successors.iter().filter_map(|id| self.nodes.get(*id)) {
            if successor.same_subjects(node) {
                woken.push(Key { node: successor.id, subject });
            } else if node.was_open != node.openness() {
                woken.extend(successor.subjects.iter().map(|subject| Key { node: successor.id, subject: *subject }));
            }
        }
        let openness = node.openness();
        if let Some(node) = self.nodes.get_mut(of) {
            node.was_open = openness;
        }
        for key in woken {
            if self.cells.contains_key(&key) {
                self.look(key);
            }
        }
    }

    /// The subject of a key as the cluster has it now.
    pub(crate) fn subject(&self, id: SubjectId) -> Option<std::sync::Arc<Object>> {
        self.context.cluster.get(Scope::All, self.subjects.name(id)?).ok().flatten()
    }
}
