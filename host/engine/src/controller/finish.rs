//! Finish: stores the result of a reconcile, schedules the next one, and requeues the keys that the
//! result concerns.

use std::sync::Arc;

use mizzen_model::{Object, Readiness};
use tokio::time::Instant;

use super::deletion::Approval;
use super::snapshot::PlanCounts;
use super::state::Controller;
use super::trigger::Trigger;
use super::workqueue::CallMade;
use crate::memo::{Memory, OwnWrites, authored};
use crate::plugin::Key;
use crate::problem::{Problem, Retry};
use crate::reconcile::{Done, Verdict};

impl Controller {
    /// Applies a finished reconcile to the state.
    pub(super) fn finish(&mut self, done: Done) {
        let (key, now) = (done.key, Instant::now());
        self.context.paces().release(key);
        let Some(meanwhile) = self.workqueue.done(key, call_made(&done), now) else {
            self.context.index().remove(key);
            return;
        };
        let Done { verdict, subject, memory, wrote, stale, approves_deletion, .. } = done;
        self.store(key, memory, &verdict);
        self.schedule(key, &verdict, now);
        self.requeue_changed(key, &subject);
        if stale {
            self.enqueue(key, Trigger::OwnWrites);
        }
        self.requeue_uncovered(key, meanwhile, &wrote);
        self.record_approval(key, approves_deletion);
        let is_finalized = matches!(verdict, Verdict::Finalized);
        self.record_readiness(key, verdict);
        if is_finalized {
            self.left(key);
        }
    }

    /// Stores what the reconcile learned.
    fn store(&mut self, key: Key, memory: Memory, verdict: &Verdict) {
        let Some(cell) = self.cells.get_mut(&key) else { return };
        cell.plan = PlanCounts::of(&memory.planned);
        cell.memory = memory;
        match verdict {
            Verdict::Reconciled(_) => cell.error = None,
            Verdict::Failed(problem) => cell.error = Some(problem.to_string()),
            Verdict::Gated | Verdict::Finalized | Verdict::Stale(_) => {}
        }
    }

    /// Schedules the next reconcile, if it is due without a change.
    fn schedule(&mut self, key: Key, verdict: &Verdict, now: Instant) {
        match verdict {
            Verdict::Reconciled(_) => self.workqueue.forget(key),
            Verdict::Gated | Verdict::Finalized => {}
            Verdict::Stale(problem) | Verdict::Failed(problem) => self.schedule_retry(key, problem, now),
        }
    }

    fn schedule_retry(&mut self, key: Key, problem: &Problem, now: Instant) {
        if problem.asks_again() {
            self.workqueue.invalidate(key);
        }
        if let Retry::Backoff(cap) = problem.retry() {
            self.workqueue.retry(key, cap, now);
        }
    }

    /// Requeues the key if the subject's author has changed it since the reconcile began: that may
    /// hide behind the status that the reconcile wrote.
    fn requeue_changed(&mut self, key: Key, subject: &Arc<Object>) {
        let is_changed = |live: Arc<Object>| {
            live.resource_version != subject.resource_version
                && (live.deleting != subject.deleting || authored(&live) != authored(subject))
        };
        if self.live(key.subject).is_some_and(is_changed) {
            self.enqueue(key, Trigger::Requeue);
        }
    }

    /// Requeues the key for what happened while it was active, except for the reconcile's own
    /// writes.
    fn requeue_uncovered(&mut self, key: Key, meanwhile: Vec<Trigger>, wrote: &OwnWrites) {
        for trigger in meanwhile.into_iter().filter(|trigger| !trigger.is_covered_by(wrote)) {
            self.enqueue(key, trigger);
        }
    }

    /// Records whether the plugin approves a deletion, and requeues the subject's other keys if
    /// that has changed.
    fn record_approval(&mut self, key: Key, approves: Option<bool>) {
        let Some(approves) = approves else { return };
        let approval = if approves { Approval::Approved } else { Approval::Refused };
        if self.deletion.record(key, approval) {
            self.requeue_keys_of(key.subject);
        }
    }

    /// Records the readiness, and requeues the successors that it concerns.
    fn record_readiness(&mut self, key: Key, verdict: Verdict) {
        let readiness = match verdict {
            Verdict::Reconciled(readiness) => Some(Some(readiness)),
            Verdict::Gated | Verdict::Finalized => Some(None),
            Verdict::Failed(problem) => Some(Some(Readiness::Failed(problem.to_string()))),
            // Retried before it is reported: the last readiness stands.
            Verdict::Stale(_) => None,
        };
        if readiness.is_some_and(|readiness| self.order.record(key, readiness)) {
            let successors = self.order.successors_of(key);
            self.requeue(successors);
        }
        let gated = self.order.gated_by(key);
        self.requeue(gated);
    }
}

/// The call that a reconcile made, if it made one.
fn call_made(done: &Done) -> Option<CallMade> {
    let requeue_after = done.memory.memo.as_ref().and_then(|memo| memo.prepared.requeue_after);
    done.cost.map(|cost| CallMade { cost, requeue_after })
}
