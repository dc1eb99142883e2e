//! What a reconcile came to: what is remembered of it, when there is another, and who waited for it.

use std::collections::HashSet;

use mizzen_model::Readiness;
use tokio::time::Instant;

use crate::controller::Controller;
use crate::controller::cell::{Held, Phase, Wake};
use crate::plugin::{Key, SubjectId};
use crate::problem::{Retry, pause};
use crate::reconcile::{Done, Verdict};
use crate::write::subject::wish;

impl Controller {
    /// Takes in what a reconcile came to.
    pub(crate) fn done(&mut self, done: Done) {
        self.queue.done(done.key);
        self.paces().release(done.key);
        if let Some(cost) = done.cost {
            self.end_rest(done.key);
            self.cells.entry(done.key).and_modify(|cell| cell.called(cost));
        }
        let now = self.subject(done.key.subject);
        let Some(cell) = self.cells.get_mut(&done.key) else {
            self.index().remove(done.key);
            return;
        };
        let Done { key, verdict, subject, memory, wrote, cost, stale, consents } = done;
        cell.phase = Phase::Idle;
        cell.memory = memory;
        let before = cell.readiness.clone();
        let mut again = None;
        match verdict {
            Verdict::Answered(readiness) => {
                cell.failures = 0;
                cell.error = None;
                if cost.is_some() {
                    let requeue = cell.memory.memo.as_ref().and_then(|memo| memo.prepared.requeue_after);
                    cell.ask_at = requeue.map(|after| Instant::now() + after);
                }
                again = cell.ask_at;
                cell.readiness = Some(readiness);
            }
            Verdict::Held | Verdict::Released => cell.readiness = None,
            Verdict::Overtaken(ref problem) | Verdict::Wrong(ref problem) => {
                cell.failures += 1;
                cell.ask |= problem.asks_again();
                if let Retry::Backoff(most) = problem.retry() {
                    again = Some(Instant::now() + pause(cell.failures, most, key.subject.0));
                }
                if matches!(verdict, Verdict::Wrong(_)) {
                    cell.readiness = Some(Readiness::Failed(problem.to_string()));
                    cell.error = Some(problem.to_string());
                }
            }
        }
        if let Some(at) = again {
            cell.timer = Some(self.timers.insert_at(key, at));
        }
        let changed = cell.readiness != before;
        let pending: Vec<_> = cell.pending.drain(..).filter(|wake| !wake.is_settled_by(&wrote)).collect();
        let readiness = cell.readiness.clone();
        // A change of the subject's author may hide behind our own write to its status.
        let wants_otherwise = now.is_some_and(|now| {
            now.resource_version != subject.resource_version
                && (now.deleting != subject.deleting || wish(&now) != wish(&subject))
        });
        if wants_otherwise {
            self.look(key);
        }
        if stale {
            self.wake(key, Wake { cause: None, ask: true });
        }
        for wake in pending {
            self.wake(key, wake);
        }
        if let Some(node) = self.nodes.get_mut(key.node) {
            note(&mut node.answered, key, readiness.is_some());
            note(&mut node.ready, key, readiness.is_some_and(|readiness| readiness.is_ready()));
        }
        if let Some(consents) = consents {
            self.consented(key, consents);
        }
        if changed {
            self.wake_successors(key.node, key.subject);
        }
        self.wake_held(key);
    }

    /// The time has come that a key waited for.
    pub(crate) fn expired(&mut self, key: Key) {
        if let Some(cell) = self.cells.get_mut(&key) {
            cell.timer = None;
            cell.ask |= cell.ask_at.take_if(|at| *at <= Instant::now()).is_some();
            if matches!(cell.held, Held::Quietly | Held::Patiently) {
                cell.held = Held::Openly;
            }
            self.look(key);
        }
    }
}

fn note(set: &mut HashSet<SubjectId>, key: Key, is: bool) {
    if is {
        set.insert(key.subject);
    } else {
        set.remove(&key.subject);
    }
}
