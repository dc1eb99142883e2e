//! One reconciler in the order, with the readiness of its subjects.

use std::collections::HashMap;

use mizzen_model::{Kind, Readiness};

use crate::plugin::{Key, NodeId, SubjectId};

/// The reconcilers that come before one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Predecessors {
    /// Those that must be ready.
    pub(crate) after: Vec<String>,
    /// Those that must have an outcome, of whatever kind.
    pub(crate) after_any: Vec<String>,
}

/// How far a reconciler takes part in the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Participation {
    /// It has not started: not all of its subjects are known.
    #[default]
    NotStarted,
    /// All of its subjects are known.
    Started,
    /// The configuration pauses it: its successors don't wait for it.
    Paused,
}

/// A reconciler as configured.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    pub(crate) id: NodeId,
    pub(crate) name: String,
    /// The kind of its subjects; `None`: its plugin is not loaded.
    pub(crate) kind: Option<Kind>,
    pub(crate) predecessors: Predecessors,
    pub(crate) participation: Participation,
}

/// A reconciler in the order.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) id: NodeId,
    kind: Option<Kind>,
    pub(super) predecessors: Predecessors,
    pub(super) participation: Participation,
    pub(super) successors: Vec<NodeId>,
    /// The readiness of each subject; `None`: there is no outcome.
    pub(super) subjects: HashMap<SubjectId, Option<Readiness>>,
    answered: usize,
    pub(super) ready: usize,
    /// The state for which successors were last requeued.
    pub(super) published: GateState,
}

/// What successors with subjects of another kind wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GateState {
    all_answered: bool,
    all_ready: bool,
}

// === impl Predecessors ===

impl Predecessors {
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.after.iter().chain(&self.after_any)
    }
}

// === impl Place ===

impl Place {
    /// A reconciler as configured, with the subjects of the place that it had before.
    pub(super) fn new(position: Position, last: Option<Self>) -> Self {
        let Position { id, kind, predecessors, participation, .. } = position;
        let (subjects, answered, ready, published) =
            last.map(|last| (last.subjects, last.answered, last.ready, last.published)).unwrap_or_default();
        Self { id, kind, predecessors, participation, successors: Vec::new(), subjects, answered, ready, published }
    }

    /// Whether two reconcilers have subjects of the same kind.
    pub(super) fn has_same_subjects(&self, other: &Self) -> bool {
        self.kind == other.kind
    }

    pub(super) fn track(&mut self, subject: SubjectId) -> bool {
        let is_new = !self.subjects.contains_key(&subject);
        self.subjects.entry(subject).or_default();
        is_new
    }

    pub(super) fn untrack(&mut self, subject: SubjectId) {
        self.record(subject, None);
        self.subjects.remove(&subject);
    }

    pub(super) fn record(&mut self, subject: SubjectId, readiness: Option<Readiness>) -> bool {
        let Some(own) = self.subjects.get_mut(&subject) else { return false };
        let is_ready = |readiness: &Option<Readiness>| readiness.as_ref().is_some_and(Readiness::is_ready);
        self.answered = self.answered + usize::from(readiness.is_some()) - usize::from(own.is_some());
        self.ready = self.ready + usize::from(is_ready(&readiness)) - usize::from(is_ready(own));
        let changed = *own != readiness;
        *own = readiness;
        changed
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        self.subjects.keys().map(|subject| Key { node: self.id, subject: *subject })
    }

    pub(super) fn gate_state(&self) -> GateState {
        let started = self.participation == Participation::Started;
        GateState {
            all_answered: started && self.answered == self.subjects.len(),
            all_ready: started && self.ready == self.subjects.len(),
        }
    }

    /// What this predecessor says to a key of `successor`: its readiness for the same subject, or,
    /// when their kinds differ, for all of its own subjects.
    pub(super) fn readiness_for(&self, subject: SubjectId, successor: &Self) -> Option<Readiness> {
        if self.has_same_subjects(successor) {
            return match self.subjects.get(&subject) {
                Some(readiness) => readiness.clone(),
                // Not one of its subjects, so it has nothing to say.
                None => (self.participation == Participation::Started).then_some(Readiness::Ready),
            };
        }
        let GateState { all_answered, all_ready } = self.gate_state();
        // Without a count: the successor's input must not change with each of them.
        let waiting = || Readiness::Progressing("not ready for all of its subjects".into());
        all_answered.then(|| if all_ready { Readiness::Ready } else { waiting() })
    }
}
