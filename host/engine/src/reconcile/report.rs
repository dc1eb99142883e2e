//! Who is told how a reconcile went: the subject's status and conditions, and whoever reads Events.

use std::sync::Arc;

use mizzen_cluster::Scope;
use mizzen_config::Mode;
use mizzen_model::{Condition, Object};

use crate::context::Context;
use crate::prepare::Refusal;
use crate::problem::Problem;
use crate::reconcile::{Job, Task, Verdict};
use crate::write::Writer;
use crate::write::disrupt::Disruptions;
use crate::write::status::Report;

impl Job {
    /// The condition that says how it went, and its reason. A plugin's "ready" stands for those who come after it; the condition is
    /// not true before everything has had its turn.
    pub(crate) fn condition(&self, verdict: &Verdict, disruptions: &Disruptions) -> (Condition, &'static str) {
        let (status, reason, message) = match (verdict, &self.task) {
            (Verdict::Answered(readiness), _) if readiness.is_ready() && disruptions.wait() => {
                (Some(false), "Pacing", readiness.message().to_owned())
            }
            (Verdict::Answered(readiness), _) => {
                (Some(readiness.is_ready()), readiness.reason(), readiness.message().to_owned())
            }
            (Verdict::Held, Task::Hold(why)) => (None, "Held", why.clone()),
            (Verdict::Held | Verdict::Released, _) => (Some(true), "Released", String::new()),
            (Verdict::Overtaken(problem) | Verdict::Wrong(problem), _) => {
                (Some(false), problem.reason(), problem.to_string())
            }
        };
        let parts = [message, disruptions.message()].into_iter().filter(|part| !part.is_empty());
        let message = parts.collect::<Vec<_>>().join("; ");
        let kind = self.plugin.field_manager();
        (Condition { kind, status, reason: reason.to_owned(), message }, reason)
    }

    /// Publishes events: the plugin's, unless its answer before had the same, and one about what went wrong, unless it went wrong before.
    pub(crate) async fn tell(&mut self, writer: &mut Writer<'_>, verdict: &Verdict, reason: &'static str) {
        if self.plugin.reconciler.mode == Mode::Plan {
            return;
        }
        if let Verdict::Wrong(problem) = verdict
            && reason != self.memory.reported
        {
            writer.warn(reason, &problem.to_string()).await;
        }
        writer.publish(&std::mem::take(&mut self.news)).await;
    }

    /// Tells the subject's status how it went.
    pub(crate) async fn report(
        &self,
        context: &Context,
        writer: &mut Writer<'_>,
        verdict: &Verdict,
        outcome: Condition,
    ) -> Result<(), Problem> {
        let live = context.cluster.get(Scope::All, &self.subject.reference).ok().flatten();
        let silent = matches!(verdict, Verdict::Released | Verdict::Overtaken(_));
        let there = |live: &Arc<Object>| live.uid == self.subject.uid && !silent;
        let Some(live) = live.filter(there) else { return Ok(()) };
        if self.plugin.reconciler.mode == Mode::Plan {
            return Ok(());
        }
        let facts = context.cluster.facts(&self.subject.reference.kind).await.map_err(Refusal::from)?;
        // A built-in kind without a status subresource (a ConfigMap) has no status at all; a CRD's may have one all the same.
        if !facts.status_subresource && live.reference.kind.is_built_in() {
            return Ok(());
        }
        let memo = self.memory.memo.as_ref();
        let fields = memo.map(|memo| memo.prepared.status());
        let conditions = memo.map_or(&[][..], |memo| &memo.prepared.conditions);
        Ok(writer.report(&Report { fields, conditions, outcome }, &facts, &live).await?)
    }
}
