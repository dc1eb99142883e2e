//! Dispatch: starts a reconcile for each key that the workqueue yields, unless the key can't run
//! now.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use mizzen_config::Mode;
use mizzen_model::Object;
use tokio::time::Instant;
use tracing::Instrument;

use super::deletion::{Consent, DeletionStep, Finalizing};
use super::nodes::Node;
use super::order::Clearance;
use super::state::Controller;
use super::step::{Start, Step};
use super::workqueue::Work;
use crate::names::finalizing_reconcilers;
use crate::observe::Queued;
use crate::plugin::{Key, SubjectId};
use crate::reconcile::{Done, Job, Task};

impl Controller {
    /// Starts reconciles, as far as the limits allow.
    pub(super) fn dispatch(&mut self) {
        let now = Instant::now();
        while let Some(work) = self.workqueue.get(now) {
            match self.next_step(&work, now) {
                Step::Run(start) => self.start_job(&work, start),
                Step::Wait(until) => self.skip(&work, until, now),
            }
        }
    }

    /// Decides what is to be done for a key.
    fn next_step(&mut self, work: &Work, now: Instant) -> Step {
        let Some(subject) = self.live(work.key.subject) else { return Step::Wait(None) };
        let node = self.nodes.get(work.key.node).filter(|node| node.is_started());
        let Some((plugin, revision)) = node.and_then(|node| Some((node.plugin.clone()?, node.revision))) else {
            return Step::Wait(None);
        };
        let is_selected = plugin.is_subject(&subject);
        let run = |task, predecessors, subject| Step::Run(Start { task, predecessors, plugin, revision, subject });
        if subject.deleting {
            return match self.deletion_step(work, &subject) {
                DeletionStep::Finalize => run(Task::Finalize, Vec::new(), subject),
                DeletionStep::Preflight => run(Task::PreflightFinalize, Vec::new(), subject),
                DeletionStep::Wait => Step::Wait(None),
            };
        }
        if !is_selected {
            // A change of the selection may be known before the key has begun to leave.
            let may_leave = self.cells.get(&work.key).is_some_and(|cell| cell.leaving) && self.may_leave(work.key);
            return if may_leave { run(Task::Finalize, Vec::new(), subject) } else { Step::Wait(None) };
        }
        let Self { order, workqueue, .. } = self;
        match order.clear(work.key, |key| workqueue.is_pending(key), now) {
            Clearance::Run(predecessors) => run(Task::Reconcile, predecessors, subject),
            Clearance::Report(reason) => run(Task::ReportGate(reason), Vec::new(), subject),
            Clearance::Wait(until) => Step::Wait(until),
        }
    }

    /// The next step of a subject's deletion; a key whose finalizer is removed has none.
    fn deletion_step(&mut self, work: &Work, subject: &Object) -> DeletionStep {
        let Key { node, subject: id } = work.key;
        let names = finalizing_reconcilers(subject);
        let finalizing: Vec<_> = self
            .nodes
            .iter()
            .filter(|own| names.contains(&own.name))
            .map(|own| Finalizing { node: own.id, consent: self.consent(own, id, work) })
            .collect();
        if !finalizing.iter().any(|own| own.node == node) {
            return DeletionStep::Wait;
        }
        self.deletion.step(work.key, &finalizing, self.order.successor_ids(node))
    }

    /// Whether a reconciler must approve the deletion of a subject.
    fn consent(&self, node: &Node, subject: SubjectId, work: &Work) -> Consent {
        let key = Key { node: node.id, subject };
        if !node.can_refuse_deletion() {
            return Consent::NotNeeded;
        }
        if !self.cells.contains_key(&key) {
            // A reconciler that has started knows all of its subjects, and this is none of them.
            return if node.is_started() { Consent::NotNeeded } else { Consent::Outdated };
        }
        let is_invalidated = self.workqueue.is_invalidated(key) || (key == work.key && work.invalidated);
        if is_invalidated { Consent::Outdated } else { Consent::Recorded }
    }

    /// Puts a key back that can't run now.
    fn skip(&mut self, work: &Work, until: Option<Instant>, now: Instant) {
        let key = work.key;
        self.workqueue.skip(work, now);
        if let Some(until) = until {
            self.workqueue.add_after(key, until);
        }
        self.context.paces().release(key);
        let gated = self.order.gated_by(key);
        self.requeue(gated);
    }

    /// Starts a reconcile in a task and a span of its own.
    fn start_job(&mut self, work: &Work, start: Start) {
        let (key, plugin, subject) = (work.key, start.plugin.clone(), Arc::clone(&start.subject));
        let reconciler = plugin.name();
        self.context.observer.queued(&Queued { reconciler, waited: work.waited, retry: work.is_retry() });
        let span = tracing::info_span!("reconcile", reconciler, subject = %subject.reference, trigger = %work.trigger);
        let (job, context) = (self.job(work, start), self.context.clone());
        let run = async move {
            let lost = |_| Done::lost(key, &plugin, subject);
            AssertUnwindSafe(job.run(context)).catch_unwind().await.unwrap_or_else(lost)
        };
        self.jobs.spawn(run.instrument(span));
    }

    /// The reconcile of a key, which takes the key's memory with it.
    fn job(&mut self, work: &Work, start: Start) -> Job {
        let Start { task, predecessors, plugin, revision, subject } = start;
        let mut memory = self.cells.get_mut(&work.key).map(|cell| std::mem::take(&mut cell.memory)).unwrap_or_default();
        if plugin.reconciler.mode != Mode::Plan {
            memory.planned = Vec::new();
        }
        Job {
            key: work.key,
            task,
            plugin,
            revision,
            subject,
            predecessors,
            invalidated: work.invalidated,
            cooling_down: work.cooling,
            memory,
        }
    }
}
