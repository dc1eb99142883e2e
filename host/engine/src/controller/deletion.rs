//! Before anything of a subject's deletion begins, everybody who has a word in it is asked.
//!
//! Deletion walks the order backwards, and whoever comes first in the order is asked last: had it a reason to refuse, everything that
//! stands on it would be gone by then. So each reconciler that finalizes is asked at once, and its answer is told but not done: plugins
//! are pure, so asking does nothing. While one `failed`, or has not answered, nobody lets go.

use mizzen_config::Mode;
use mizzen_model::Object;

use crate::controller::Controller;
use crate::controller::nodes::{Node, State};
use crate::names::has_finalizer;
use crate::plugin::{Key, SubjectId};

/// What a deletion means for a key now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// It lets the subject go.
    Now,
    /// It is asked whether it may.
    Ask,
    /// It waits for others.
    Wait,
}

impl Controller {
    /// What is to be done for a key whose subject is going away, and which holds it.
    pub(crate) fn leave(&mut self, key: Key, subject: &Object) -> Leave {
        if self.leaving.contains(&key.subject) || self.all_consent(key.subject, subject) {
            // From then on there is no way back: somebody may have left.
            self.leaving.insert(key.subject);
            return if self.still_held_by(key.node, subject).is_none() { Leave::Now } else { Leave::Wait };
        }
        // Also where it has answered: while nothing it depends on has changed, its plugin is not asked again.
        if self.nodes.get(key.node).is_some_and(Node::has_a_word) { Leave::Ask } else { Leave::Wait }
    }

    /// Whether nobody who holds a subject, and has a word in it, refuses that it goes, or has yet to be asked.
    fn all_consent(&self, id: SubjectId, subject: &Object) -> bool {
        let holding: Vec<_> = self.nodes.iter().filter(|node| has_finalizer(subject, &node.name)).collect();
        let consents = |node: &Node| {
            match self.cells.get(&Key { node: node.id, subject: id }) {
                Some(cell) => !node.has_a_word() || (cell.consents == Some(true) && !cell.ask),
                // Once it knows all of its subjects, this is none of them.
                None => !node.has_a_word() || node.is_complete(),
            }
        };
        // Whoever holds it alone is asked when it leaves.
        holding.len() < 2 || holding.into_iter().all(consents)
    }

    /// A key has been asked whether its subject may go.
    pub(crate) fn consented(&mut self, key: Key, consents: bool) {
        let Some(cell) = self.cells.get_mut(&key) else { return };
        if cell.consents.replace(consents) != Some(consents) {
            let of_node = |node: &Node| Key { node: node.id, subject: key.subject };
            let concerned: Vec<_> = self.nodes.iter().map(of_node).filter(|own| self.cells.contains_key(own)).collect();
            for key in concerned {
                self.look(key);
            }
        }
    }
}

impl Node {
    /// Whether it is asked before a subject goes. One that could not be loaded may be such a one; one that does not act is not asked.
    fn has_a_word(&self) -> bool {
        match &self.plugin {
            None => true,
            Some(plugin) => {
                self.state != State::Paused
                    && plugin.reconciler.mode == Mode::Enforce
                    && plugin.invoke.description().finalizes
            }
        }
    }
}
