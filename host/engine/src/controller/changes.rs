//! What a change of the cluster means, and to whom: readers are asked, owners look, subjects come and go.

use std::collections::HashSet;

use mizzen_cluster::{Change, OWNER_LABEL, Scope};
use mizzen_model::{Kind, Object, ObjectRef};

use crate::controller::Controller;
use crate::controller::cell::{Phase, Wake};
use crate::controller::nodes::State;
use crate::names::owner_label;
use crate::plugin::{Key, NodeId};

impl Controller {
    /// What an event of the cluster means, and to whom.
    pub(crate) fn changed(&mut self, change: Change) {
        match change {
            Change::Object { scope, before, after } => {
                let Some(object) = after.as_ref().or(before.as_ref()) else { return };
                let cause =
                    Some((object.reference.clone(), after.as_ref().map_or(u64::MAX, |after| after.resource_version)));
                match scope {
                    Scope::All => {
                        let readers = self.index().affected(before.as_deref(), after.as_deref());
                        for key in readers {
                            self.wake(key, Wake { cause: cause.clone(), ask: true });
                        }
                        self.subject_changed(before.as_deref(), after.as_deref());
                        if let Some(after) = &after {
                            self.notice_abandoned(after);
                        }
                        self.came_through(&object.reference);
                    }
                    Scope::Owned => {
                        let concerned = self.concerned(before.as_deref(), after.as_deref(), &object.reference);
                        for key in concerned {
                            self.wake(key, Wake { cause: cause.clone(), ask: false });
                        }
                    }
                }
            }
            Change::Served(kind) => self.served(&kind),
            Change::Watched(object) => {
                let senders = self.index().sent_with(&object);
                for key in senders {
                    self.wake(key, Wake { cause: None, ask: true });
                }
            }
        }
    }

    /// Whose an object was and is, and who waited for it.
    fn concerned(&self, before: Option<&Object>, after: Option<&Object>, object: &ObjectRef) -> HashSet<Key> {
        let [was, is] = [before, after].map(|side| side.and_then(|side| side.labels.get(OWNER_LABEL)));
        let mut claims = self.context.claims();
        let mut concerned: HashSet<_> =
            [was, is].into_iter().flatten().filter_map(|owner| claims.owner(owner)).collect();
        if was != is {
            concerned.extend(claims.released(object));
        }
        concerned
    }

    fn served(&mut self, kind: &Kind) {
        let readers = self.index().asked_whether_served(kind);
        for key in readers {
            self.wake(key, Wake { cause: None, ask: true });
        }
        let of_subject = self.nodes.of_subject(kind);
        let blocked: Vec<_> = of_subject
            .into_iter()
            .filter(|id| self.nodes.get(*id).is_some_and(|n| matches!(n.state, State::Blocked(_))))
            .collect();
        for node in blocked {
            self.start(node);
        }
    }

    fn subject_changed(&mut self, before: Option<&Object>, after: Option<&Object>) {
        let Some(object) = after.or(before) else { return };
        for id in self.nodes.of_subject(&object.reference.kind) {
            let Some(node) = self.nodes.get(id) else { continue };
            let subject =
                after.is_some_and(|after| node.plugin.as_ref().is_some_and(|plugin| plugin.is_subject(after)));
            match (subject, self.subjects.find(&object.reference)) {
                // One that is not running yet meets all of its subjects when it does.
                (true, _) if node.state == State::Running => self.meet(id, object),
                (false, Some(subject)) => self.forget(Key { node: id, subject }),
                _ => {}
            }
        }
    }

    /// Takes in a subject, new or known.
    pub(crate) fn meet(&mut self, id: NodeId, object: &Object) {
        let subject = self.subjects.id(&object.reference);
        let key = Key { node: id, subject };
        let Some(node) = self.nodes.get_mut(id) else { return };
        if node.subjects.insert(subject) {
            let label = owner_label(&node.name, &object.reference);
            self.context.claims().meet(label, key, object.reference.clone());
        }
        let cell = self.cells.entry(key).or_default();
        // The status that was just written comes back as a change of the subject.
        let own =
            cell.memory.last_writes.get(&object.reference).is_some_and(|own| own.version == object.resource_version);
        if !own || cell.phase == Phase::Running {
            let cause = Some((object.reference.clone(), object.resource_version));
            self.wake(key, Wake { cause, ask: false });
        }
    }

    pub(crate) fn forget(&mut self, key: Key) {
        self.end_rest(key);
        if let Some(cell) = self.cells.remove(&key)
            && let Some(timer) = cell.timer
        {
            self.timers.try_remove(&timer);
        }
        self.queue.remove(key);
        self.leaving.remove(&key.subject);
        self.index().remove(key);
        self.paces().forget_key(key);
        let name = self.subjects.name(key.subject).cloned();
        if let Some(node) = self.nodes.get_mut(key.node) {
            node.forget(key.subject);
            if let Some(name) = name {
                self.context.claims().forget(&owner_label(&node.name, &name), key);
            }
        }
        self.wake_successors(key.node, key.subject);
    }
}
