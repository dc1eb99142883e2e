//! The call of the plugin, which is only repeated if something that it depends on has changed.

use std::sync::Arc;

use mizzen_model::{Call, Digest, Outcome, Predecessor, Request};
use tokio::time::Instant;
use tracing::Instrument;

use super::job::{Job, Task};
use super::run::{ROUNDS, Run};
use crate::memo::{Memo, View, authored, given};
use crate::observe::Called;
use crate::prepare::prepare;
use crate::problem::Problem;
use crate::reads::{Recorded, Recorder};

impl Run {
    /// The outcome to write: the last one, unless writing it would overwrite a version that the plugin has not read, or
    /// repair drift while the plugin has yet to see a change: its next outcome may accept the drift.
    pub(super) async fn outcome_to_write(&mut self) -> Result<Arc<Memo>, Problem> {
        let mut memo = self.outcome(Call::Reconcile).await?;
        for _ in 1..ROUNDS {
            let unseen_change = self.job.cooling_down && self.cost.is_none();
            let premature = unseen_change && self.writer.would_repair_drift(&memo.prepared);
            if !premature && !self.writer.would_overwrite_unread(&memo.prepared) {
                break;
            }
            self.job.invalidated = true;
            memo = self.outcome(Call::Reconcile).await?;
        }
        Ok(memo)
    }

    /// The last outcome if nothing that it depends on has changed, or that of a new call.
    pub(super) async fn outcome(&mut self, call: Call) -> Result<Arc<Memo>, Problem> {
        let job = &self.job;
        let request = Request {
            subject: given(&job.subject, &job.plugin.subject().fields),
            config: job.plugin.reconciler.config.to_string(),
            predecessors: job.predecessors.clone(),
        };
        let input = digest(call, &request);
        if let Some(memo) = self.memo()
            && !job.invalidated
            && !memo.timed
            && (memo.input, memo.revision) == (input, job.revision)
        {
            return Ok(Arc::clone(memo));
        }
        let (outcome, recorded) = self.call(call, &request).await;
        let job = &mut self.job;
        let prepared =
            prepare(&job.plugin, &job.subject, &*self.context.cluster, &self.context.ownership, outcome?).await?;
        let prepared = prepared.after_reading(&recorded.versions);
        let view = if recorded.failed { View::Partial } else { View::Complete };
        let memo = Arc::new(Memo { prepared, input, revision: job.revision, view, timed: recorded.timed });
        let published = job.memory.memo.as_ref().map_or(&[][..], |earlier| &earlier.prepared.events);
        self.events.extend(memo.prepared.events.iter().filter(|event| !published.contains(event)).cloned());
        job.memory.memo = Some(Arc::clone(&memo));
        Ok(memo)
    }

    /// Calls the plugin, records what it read, and reports the call.
    async fn call(&mut self, call: Call, request: &Request) -> (Result<Outcome, Problem>, Recorded) {
        let Job { key, plugin, subject, .. } = &self.job;
        let subject = &subject.reference;
        // Templates of the configuration may use fields that the plugin is not given.
        let whole = authored(&self.job.subject);
        let recorder = Recorder::new(*key, plugin.clone(), subject.clone(), &whole, &self.context);
        let is_preflight = self.job.task == Task::PreflightFinalize;
        let recorder = Arc::new(if is_preflight { recorder.preflight() } else { recorder });
        let started = Instant::now();
        let span = tracing::debug_span!("call", function = ?call);
        let response = plugin.invoke.invoke(call, request, recorder.clone()).instrument(span).await;
        let duration = started.elapsed();
        let made = recorder.recorded();
        self.context.index().retain(*key, &made.reads);
        self.context.observer.called(&Called {
            reconciler: plugin.name(),
            subject,
            call,
            result: match &response {
                Ok(Ok(_)) => "Answered",
                Ok(Err(_)) => "Refused",
                Err(error) => error.reason(),
            },
            duration,
            reads: made.reads.len(),
            bytes: made.bytes,
            traffic: made.traffic,
        });
        self.cost = Some(duration);
        self.withheld = made.withheld;
        let outcome = match response {
            Ok(outcome) => outcome.map_err(Problem::from),
            Err(error) => Err(error.into()),
        };
        (outcome, made)
    }
}

fn digest(call: Call, request: &Request) -> Digest {
    let call = format!("{call:?}");
    let mut parts = vec![call.as_bytes(), request.subject.as_bytes(), request.config.as_bytes()];
    for Predecessor { name, readiness } in &request.predecessors {
        parts.extend([name.as_bytes(), readiness.reason().as_bytes(), readiness.message().as_bytes()]);
    }
    Digest::of_parts(parts)
}
