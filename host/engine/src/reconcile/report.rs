//! How a reconcile is reported: by the subject's status and conditions, by Events, and to the observer.

use mizzen_cluster::{Scope, WriteError};
use mizzen_config::Mode;
use mizzen_model::{Condition, Severity};
use tokio::time::Instant;

use super::job::{Task, Verdict};
use super::run::Run;
use super::summary::{Content, Summary};
use crate::observe::Reconciled;
use crate::prepare::Refusal;
use crate::problem::Problem;
use crate::write::report::Report;

impl Run {
    /// Publishes Events, writes the status, and reports the result to the observer. A status that can't be written
    /// makes a failure of the verdict.
    pub(super) async fn report(&mut self, mut verdict: Verdict, started: Instant) -> Verdict {
        let mut summary = self.summary(&verdict);
        self.publish(&verdict, summary.reason).await;
        self.job.memory.reported = summary.reason;
        if let Err(problem) = self.write_status(&verdict, &summary, Content::Whole).await {
            let is_conflict = matches!(problem, Problem::StatusConflict { .. });
            if !matches!(verdict, Verdict::Failed(_)) {
                verdict = Verdict::Failed(problem);
                summary = self.summary(&verdict);
            }
            if is_conflict {
                // The first problem is the one to report.
                drop(self.write_status(&verdict, &summary, Content::Condition).await);
            }
        }
        self.context.observer.reconciled(&Reconciled {
            reconciler: self.job.plugin.name(),
            subject: &self.job.subject.reference,
            reason: summary.reason,
            message: &summary.message,
            failed: matches!(verdict, Verdict::Failed(_)),
            called: self.cost.is_some(),
            partial: self.memo().is_some_and(|memo| memo.prepared.is_partial()),
            writes: self.writer.writes,
            duration: started.elapsed(),
        });
        verdict
    }

    /// The condition of the reconcile. It is not true before every disruption has started, even if the plugin is ready:
    /// the plugin's readiness is for the successors.
    fn summary(&self, verdict: &Verdict) -> Summary {
        let disruptions = &self.writer.disruptions;
        let (status, reason, message) = match (verdict, &self.job.task) {
            (Verdict::Reconciled(readiness), _) if readiness.is_ready() && disruptions.are_deferred() => {
                (Some(false), "Pacing", readiness.message().to_owned())
            }
            (Verdict::Reconciled(readiness), _) => {
                (Some(readiness.is_ready()), readiness.reason(), readiness.message().to_owned())
            }
            (Verdict::Gated, Task::ReportGate(reason)) => (None, "WaitingForPredecessor", reason.clone()),
            (Verdict::Gated | Verdict::Finalized, _) => (Some(true), "Finalized", String::new()),
            (Verdict::Stale(problem) | Verdict::Failed(problem), _) => {
                (Some(false), problem.reason(), problem.to_string())
            }
        };
        let parts = [message, disruptions.message()].into_iter().filter(|part| !part.is_empty());
        let message = parts.collect::<Vec<_>>().join("; ");
        let message = if message.is_empty() && status == Some(true) { self.up_to_date() } else { message };
        Summary { status, reason, message }
    }

    /// What a reconciler that is ready keeps up to date. It depends on nothing but the outcome: a message that changed
    /// from one reconcile to the next would be a write without a change.
    fn up_to_date(&self) -> String {
        match self.memo().map_or(0, |memo| memo.prepared.items().count()) {
            0 => "up to date".into(),
            1 => "1 object is up to date".into(),
            objects => format!("{objects} objects are up to date"),
        }
    }

    /// Publishes the plugin's Events, except those of its earlier outcome, and one about a failure, unless the
    /// reconcile before failed for the same reason.
    async fn publish(&mut self, verdict: &Verdict, reason: &'static str) {
        if self.mode() == Mode::Plan {
            return;
        }
        if let Verdict::Failed(problem) = verdict
            && reason != self.job.memory.reported
        {
            self.writer.report_event(Severity::Warning, reason, &problem.to_string()).await;
        }
        self.writer.publish(&std::mem::take(&mut self.events)).await;
    }

    /// Removes the reconciler's fields and conditions from the status of a subject that has left its selection. The
    /// status of a subject that is being deleted goes with it.
    pub(super) async fn withdraw_status(&mut self) -> Result<(), Problem> {
        let subject = &self.job.subject;
        let live = self.context.cluster.get(Scope::All, &subject.reference).ok().flatten();
        let Some(live) = live.filter(|live| live.uid == subject.uid && !live.deleting) else { return Ok(()) };
        let facts = self.context.cluster.facts(&subject.reference.kind).await.map_err(Refusal::from)?;
        Ok(self.writer.withdraw_status(&facts, &live).await?)
    }

    /// Writes the subject's status, if the subject still exists and its kind has a status.
    async fn write_status(&mut self, verdict: &Verdict, summary: &Summary, content: Content) -> Result<(), Problem> {
        let is_reported = !matches!(verdict, Verdict::Finalized | Verdict::Stale(_)) && self.mode() != Mode::Plan;
        if !is_reported || !self.job.plugin.reconciler.may_write_status() {
            return Ok(());
        }
        let subject = &self.job.subject;
        let live = self.context.cluster.get(Scope::All, &subject.reference).ok().flatten();
        let Some(live) = live.filter(|live| live.uid == subject.uid) else { return Ok(()) };
        let facts = self.context.cluster.facts(&subject.reference.kind).await.map_err(Refusal::from)?;
        // A built-in kind without a status subresource (a ConfigMap) has no status at all; a CRD's may have one anyway.
        if !facts.status_subresource && live.reference.kind.is_built_in() {
            return Ok(());
        }
        let memo = self.job.memory.memo.as_ref().filter(|_| content == Content::Whole);
        let report = Report {
            fields: memo.map(|memo| memo.prepared.status()),
            conditions: memo.map_or(&[][..], |memo| &memo.prepared.conditions),
            outcome: Condition {
                kind: self.job.plugin.field_manager(),
                status: summary.status,
                reason: summary.reason.to_owned(),
                message: summary.message.clone(),
            },
        };
        self.writer.report(&report, &facts, &live).await.map_err(|error| match error {
            WriteError::Conflict { object: subject, fields, .. } => Problem::StatusConflict { subject, fields },
            error => error.into(),
        })
    }
}
