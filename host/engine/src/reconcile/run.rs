//! A running reconcile.

use std::sync::Arc;
use std::time::Duration;

use mizzen_config::Mode;
use mizzen_model::{Call, Event, Readiness};
use tokio::time::Instant;

use super::job::{Done, Job, Task, Verdict};
use crate::context::Context;
use crate::cost::is_expensive;
use crate::memo::Memo;
use crate::observe::Planned;
use crate::problem::Problem;
use crate::settings::Delays;
use crate::write::{Cleanup, Plan, Writer};

/// How often a plugin is called within one reconcile because what it read has changed: by its own writes, or by another
/// party.
pub(super) const ROUNDS: usize = 3;

/// A reconcile with its writer.
pub(super) struct Run {
    pub(super) context: Context,
    pub(super) writer: Writer,
    pub(super) job: Job,
    /// How long the last call took; `None`: there was none.
    pub(super) cost: Option<Duration>,
    /// Whether the reconcile's own writes changed what the plugin read, and the plugin has yet to see that.
    stale: bool,
    /// Whether the last call was a preflight, and a request of it was withheld.
    pub(super) withheld: bool,
    /// Events that the outcome before did not have.
    pub(super) events: Vec<Event>,
}

// === impl Job ===

impl Job {
    /// Does the reconcile. Never fails: errors are in the verdict, and in the subject's status.
    pub(crate) async fn run(mut self, context: Context) -> Done {
        let started = Instant::now();
        let (plugin, subject) = (self.plugin.clone(), Arc::clone(&self.subject));
        let writer = Writer::new(context.clone(), self.key, plugin, subject, &mut self.memory);
        let mut run = Run { context, writer, job: self, cost: None, stale: false, withheld: false, events: Vec::new() };
        let verdict = run.perform().await;
        let verdict = run.report(verdict, started).await;
        run.finish(verdict)
    }
}

// === impl Run ===

impl Run {
    async fn perform(&mut self) -> Verdict {
        let result = match self.job.task {
            Task::Reconcile => self.reconcile().await,
            Task::Finalize => self.finalize().await,
            Task::PreflightFinalize => self.preflight_finalize().await,
            Task::ReportGate(_) => Ok(Verdict::Gated),
        };
        match result {
            Ok(verdict) => verdict,
            // One lost race is no failure; a second in a row is reported.
            Err(problem) if problem.is_race() && self.job.memory.reported != problem.reason() => {
                Verdict::Stale(problem)
            }
            Err(problem) => Verdict::Failed(problem),
        }
    }

    /// Calls the plugin and writes its outcome, and repeats that if the plugin reads what was written.
    async fn reconcile(&mut self) -> Result<Verdict, Problem> {
        let mut memo = self.outcome_to_write().await?;
        for round in 1.. {
            if self.mode() == Mode::Plan {
                let plan = self.writer.plan(&memo.prepared, memo.view).await;
                self.report_plan(plan)?;
                break;
            }
            if memo.prepared.outlives_subject() || self.finalizes() {
                self.writer.ensure_finalizer().await?;
            }
            let earlier = self.writer.changes.len();
            self.writer.converge(&memo.prepared, memo.view).await?;
            if round == ROUNDS || !self.has_read_changes_since(earlier) {
                break;
            }
            // In a rehearsal the outcome must not depend on how fast calls are.
            if self.context.delays == Delays::Enforced && self.cost.is_some_and(is_expensive) {
                self.stale = true;
                break;
            }
            self.job.invalidated = true;
            memo = self.outcome_to_write().await?;
        }
        Ok(Verdict::Reconciled(memo.prepared.readiness.clone()))
    }

    /// Calls the plugin, and does nothing with its outcome: one that `failed` refuses the deletion of the subject.
    async fn preflight_finalize(&mut self) -> Result<Verdict, Problem> {
        match self.outcome(Call::Finalize).await {
            Ok(memo) => Ok(Verdict::Reconciled(memo.prepared.readiness.clone())),
            // It began to clean up, so it does not refuse: what it needs for that fails only in a preflight.
            Err(Problem::Plugin(_)) if self.withheld => {
                Ok(Verdict::Reconciled(Readiness::Progressing("cleans up once every reconciler agrees".into())))
            }
            Err(problem) => Err(problem),
        }
    }

    /// Calls a plugin that finalizes and writes its outcome; once that is ready, deletes the owned objects and removes
    /// the finalizer.
    async fn finalize(&mut self) -> Result<Verdict, Problem> {
        if self.mode() == Mode::Plan {
            let plan = self.writer.plan_cleanup().await;
            self.report_plan(plan)?;
            let reason = "mode is Plan: nothing is deleted and the finalizer stays until `spec.mode` is `Enforce`";
            return Ok(Verdict::Reconciled(Readiness::Progressing(reason.into())));
        }
        if self.finalizes() {
            let memo = self.outcome(Call::Finalize).await?;
            self.writer.converge(&memo.prepared, memo.view).await?;
            if !memo.prepared.readiness.is_ready() {
                return Ok(Verdict::Reconciled(memo.prepared.readiness.clone()));
            }
            if self.writer.disruptions.are_deferred() {
                return Ok(Verdict::Reconciled(Readiness::Progressing(String::new())));
            }
        }
        Ok(match self.writer.clean_up().await? {
            Cleanup::Done => {
                self.withdraw_status().await?;
                Verdict::Finalized
            }
            Cleanup::InProgress(objects) => Verdict::Reconciled(Readiness::Progressing(objects)),
        })
    }

    /// Reports a plan if it differs from the last one.
    fn report_plan(&mut self, Plan { intents, errors }: Plan) -> Result<(), Problem> {
        let problem = (!errors.is_empty()).then_some(Problem::Write(errors));
        // An API server that is unavailable says nothing about what would be written.
        let is_known = problem.as_ref().is_none_or(|problem| !problem.is_unavailable());
        if is_known && intents != self.job.memory.planned {
            let (reconciler, subject) = (self.job.plugin.name(), &self.job.subject.reference);
            self.context.observer.planned(&Planned { reconciler, subject, intents: &intents });
            self.job.memory.planned = intents;
        }
        problem.map_or(Ok(()), Err)
    }

    /// Whether the plugin has read any of what was written after the first `earlier` changes.
    fn has_read_changes_since(&self, earlier: usize) -> bool {
        let index = self.context.index();
        self.writer.changes[earlier..]
            .iter()
            .any(|change| index.affected(change.before.as_deref(), change.after.as_deref()).contains(&self.job.key))
    }

    pub(super) fn mode(&self) -> Mode {
        self.job.plugin.reconciler.mode
    }

    fn finalizes(&self) -> bool {
        self.job.plugin.invoke.description().finalizes
    }

    pub(super) fn memo(&self) -> Option<&Arc<Memo>> {
        self.job.memory.memo.as_ref()
    }

    fn finish(self, verdict: Verdict) -> Done {
        let Self { writer, job, cost, stale, .. } = self;
        let mut memory = job.memory;
        let wrote = writer.finish(&mut memory);
        let approves_deletion = match &verdict {
            Verdict::Reconciled(readiness) if job.task == Task::PreflightFinalize => {
                Some(!matches!(readiness, Readiness::Failed(_)))
            }
            _ => None,
        };
        Done { key: job.key, verdict, subject: job.subject, memory, wrote, cost, stale, approves_deletion }
    }
}
