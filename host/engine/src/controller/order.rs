//! The order at run time: which keys may run, what the others wait for, and which keys to requeue
//! when that changes.

mod gate;
mod place;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use mizzen_model::{Predecessor, Readiness};
use tokio::time::Instant;

use self::gate::{Gate, Gated};
use self::place::{GateState, Place};
pub(crate) use self::place::{Participation, Position, Predecessors};
use crate::plugin::{Key, NodeId};

/// All reconcilers with their subjects, and how their predecessors gate them.
#[derive(Default)]
pub(super) struct Order {
    places: BTreeMap<NodeId, Place>,
    ids: HashMap<String, NodeId>,
    /// The keys that may not run yet.
    gated: HashMap<Key, Gated>,
}

/// Whether a key may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Clearance {
    /// It may, with this from its predecessors.
    Run(Vec<Predecessor>),
    /// It may not, and its subject's status says so.
    Report(String),
    /// It may not; check again at this time, or when a predecessor changes.
    Wait(Option<Instant>),
}

// === impl Order ===

impl Order {
    /// Replaces all reconcilers. Those that remain keep their subjects.
    pub(super) fn configure(&mut self, positions: Vec<Position>) {
        let mut before = std::mem::take(&mut self.places);
        self.ids = positions.iter().map(|position| (position.name.clone(), position.id)).collect();
        for position in positions {
            let last = before.remove(&position.id);
            self.places.insert(position.id, Place::new(position, last));
        }
        let edges = self.places.values().flat_map(|place| place.predecessors.names().map(|name| (name, place.id)));
        let edges: Vec<_> = edges.filter_map(|(name, successor)| Some((*self.ids.get(name)?, successor))).collect();
        for (before, successor) in edges {
            if let Some(place) = self.places.get_mut(&before) {
                place.successors.push(successor);
            }
        }
        let places = &self.places;
        self.gated.retain(|key, _| places.contains_key(&key.node));
    }

    /// Sets how far a reconciler takes part.
    pub(super) fn set_participation(&mut self, id: NodeId, participation: Participation) {
        if let Some(place) = self.places.get_mut(&id) {
            place.participation = participation;
        }
    }

    /// Adds a subject; `true`: it is new.
    pub(super) fn track(&mut self, key: Key) -> bool {
        self.places.get_mut(&key.node).is_some_and(|place| place.track(key.subject))
    }

    /// Removes a subject.
    pub(super) fn untrack(&mut self, key: Key) {
        self.gated.remove(&key);
        if let Some(place) = self.places.get_mut(&key.node) {
            place.untrack(key.subject);
        }
    }

    /// Records the readiness of a key; `None`: it has no outcome. Returns whether it has changed.
    pub(super) fn record(&mut self, key: Key, readiness: Option<Readiness>) -> bool {
        self.places.get_mut(&key.node).is_some_and(|place| place.record(key.subject, readiness))
    }

    /// Decides whether a key may run: its predecessors in `after` are ready and those in `afterAny`
    /// have an outcome, and `is_pending` is false of each for the same subject. Statuses report a
    /// closed gate only after a while.
    pub(super) fn clear(&mut self, key: Key, is_pending: impl Fn(Key) -> bool, now: Instant) -> Clearance {
        let gate = match self.gate(key, is_pending) {
            Gate::Open(predecessors) => {
                self.gated.remove(&key);
                return Clearance::Run(predecessors);
            }
            closed => closed,
        };
        let gated = Gated::next(self.gated.get(&key).copied(), &gate, now);
        self.gated.insert(key, gated);
        match (gated, gate) {
            (Gated::Reported, Gate::Closed(reason) | Gate::Unanswered(reason)) => Clearance::Report(reason),
            // Never reported: it lasts only as long as a call does.
            (Gated::Reported, _) => Clearance::Wait(None),
            (Gated::AwaitingPredecessor { report_at } | Gated::Unreported { report_at }, _) => {
                Clearance::Wait(Some(report_at))
            }
        }
    }

    /// What a gated key waits for.
    pub(super) fn waits_for(&self, key: Key, is_pending: impl Fn(Key) -> bool) -> Option<String> {
        self.gated.get(&key)?;
        match self.gate(key, is_pending) {
            Gate::Open(_) => None,
            Gate::Closed(reason) | Gate::Unanswered(reason) | Gate::Pending(reason) => Some(reason),
        }
    }

    /// Whether a key is gated for so short a time that its subject's status does not report it yet.
    pub(super) fn is_unreported(&self, key: Key) -> bool {
        self.gated.get(&key).is_some_and(|gated| *gated != Gated::Reported)
    }

    fn gate(&self, key: Key, is_pending: impl Fn(Key) -> bool) -> Gate {
        let Some(place) = self.places.get(&key.node) else { return Gate::Closed("not configured".into()) };
        let Predecessors { after, after_any } = &place.predecessors;
        let mut predecessors = Vec::new();
        for (name, must_be_ready) in
            after.iter().map(|name| (name, true)).chain(after_any.iter().map(|name| (name, false)))
        {
            let Some(before) = self.ids.get(name).and_then(|id| self.places.get(id)) else {
                return Gate::Closed(format!("predecessor `{name}` is not configured"));
            };
            if before.participation == Participation::Paused {
                continue;
            }
            let Some(readiness) = before.readiness_for(key.subject, place) else {
                return Gate::Unanswered(format!("waits for the first outcome of `{name}`"));
            };
            if must_be_ready && !readiness.is_ready() {
                let why = if readiness.message().is_empty() { readiness.reason() } else { readiness.message() };
                return Gate::Closed(format!("waits for `{name}` to be ready: {why}"));
            }
            if before.has_same_subjects(place) && is_pending(Key { node: before.id, subject: key.subject }) {
                return Gate::Pending(format!("waits for the next outcome of `{name}`"));
            }
            predecessors.push(Predecessor { name: name.clone(), readiness });
        }
        Gate::Open(predecessors)
    }

    /// The successors' keys that a new readiness of a key concerns: their gates may have opened, or
    /// their predecessors say something else.
    pub(super) fn successors_of(&mut self, key: Key) -> Vec<Key> {
        let Some(place) = self.places.get(&key.node) else { return Vec::new() };
        let state = place.gate_state();
        let mut keys = Vec::new();
        for successor in self.successors(place) {
            if successor.has_same_subjects(place) {
                keys.push(Key { node: successor.id, subject: key.subject });
            } else if place.published != state {
                keys.extend(successor.keys());
            }
        }
        self.publish(key.node, state);
        keys
    }

    fn publish(&mut self, id: NodeId, state: GateState) {
        if let Some(place) = self.places.get_mut(&id) {
            place.published = state;
        }
    }

    /// The successors' keys that may have waited only for a key to be neither queued nor active.
    pub(super) fn gated_by(&self, key: Key) -> Vec<Key> {
        let Some(place) = self.places.get(&key.node) else { return Vec::new() };
        let successors = self.successors(place).filter(|successor| successor.has_same_subjects(place));
        let keys = successors.map(|successor| Key { node: successor.id, subject: key.subject });
        keys.filter(|key| self.gated.contains_key(key)).collect()
    }

    /// All keys of all successors of a reconciler: one without subjects opens their gates by having
    /// started.
    pub(super) fn keys_after(&self, id: NodeId) -> Vec<Key> {
        let place = self.places.get(&id);
        place.into_iter().flat_map(|place| self.successors(place)).flat_map(Place::keys).collect()
    }

    fn successors<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = &'a Place> {
        place.successors.iter().filter_map(|id| self.places.get(id))
    }

    /// The reconcilers that name a reconciler as a predecessor.
    pub(super) fn successor_ids(&self, id: NodeId) -> &[NodeId] {
        self.places.get(&id).map_or(&[], |place| &place.successors)
    }

    /// All keys of a reconciler.
    pub(super) fn keys_of(&self, id: NodeId) -> impl Iterator<Item = Key> {
        self.places.get(&id).into_iter().flat_map(Place::keys)
    }

    /// How many subjects a reconciler has, and for how many it is ready.
    pub(super) fn counts(&self, id: NodeId) -> SubjectCounts {
        let place = self.places.get(&id);
        place.map_or_else(SubjectCounts::default, |place| SubjectCounts {
            all: place.subjects.len(),
            ready: place.ready,
        })
    }
}

/// How many subjects a reconciler has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SubjectCounts {
    pub(super) all: usize,
    pub(super) ready: usize,
}
