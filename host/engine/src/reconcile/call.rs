//! The plugin's answer, and all it depends on: while none of that changes, it is not asked again.

use std::sync::Arc;

use mizzen_model::{Call, Digest, Predecessor, Request};
use tokio::time::Instant;

use crate::context::Context;
use crate::memo::{Memo, View};
use crate::observe::Called;
use crate::prepare::prepare;
use crate::problem::Problem;
use crate::reads::recorder::Recorder;
use crate::reconcile::{Job, ROUNDS};
use crate::write::Writer;
use crate::write::subject::wish;

impl Job {
    /// The answer that the cluster is kept by: a new one where keeping the last would overwrite what the plugin reads and has not seen as it
    /// is now, or take back what somebody changed while the plugin is yet to be asked about something that did. It may be the very thing,
    /// and the next answer leave it alone.
    pub(crate) async fn answer_to_keep(
        &mut self,
        context: &Context,
        writer: &Writer<'_>,
    ) -> Result<Arc<Memo>, Problem> {
        let mut memo = self.answer(Call::Reconcile, context).await?;
        for _ in 1..ROUNDS {
            let rests = self.rests && self.cost.is_none();
            let takes_back = rests && writer.would_take_back(&memo.prepared);
            if !takes_back && !writer.is_overtaken(&memo.prepared) {
                break;
            }
            self.ask = true;
            memo = self.answer(Call::Reconcile, context).await?;
        }
        Ok(memo)
    }

    /// The plugin's answer: the last one, while nothing it depends on has changed, or a new one.
    pub(crate) async fn answer(&mut self, call: Call, context: &Context) -> Result<Arc<Memo>, Problem> {
        let config = self.plugin.reconciler.config.to_string();
        let request = Request { subject: wish(&self.subject), config, predecessors: self.predecessors.clone() };
        let input = digest(call, &request);
        if let Some(memo) = &self.memory.memo
            && !self.ask
            && !memo.timed
            && (memo.input, memo.revision) == (input, self.revision)
        {
            return Ok(Arc::clone(memo));
        }
        let subject = self.subject.reference.clone();
        let recorder = Arc::new(Recorder::new(self.key, self.plugin.clone(), subject, &request.subject, context));
        let started = Instant::now();
        let answer = self.plugin.invoke.invoke(call, &request, recorder.clone()).await;
        let took = started.elapsed();
        self.cost = Some(took);
        let read = recorder.recorded();
        context.index().retain(self.key, &read.reads);
        context.observer.called(&Called {
            reconciler: self.plugin.name(),
            subject: &self.subject.reference,
            call,
            result: match &answer {
                Ok(Ok(_)) => "Answered",
                Ok(Err(_)) => "Refused",
                Err(error) => error.reason(),
            },
            took,
            reads: read.reads.len(),
            bytes: read.bytes,
            requests: read.traffic.0,
            received: read.traffic.1,
        });
        let prepared = prepare(&self.plugin, &self.subject, answer??, &context.cluster).await?;
        let prepared = prepared.after_reading(&read.versions);
        let view = if read.failed { View::Partial } else { View::Complete };
        let memo = Arc::new(Memo { prepared, input, revision: self.revision, view, timed: read.timed });
        let told = self.memory.memo.as_ref().map_or(&[][..], |known| &known.prepared.events);
        self.news.extend(memo.prepared.events.iter().filter(|event| !told.contains(event)).cloned());
        self.memory.memo = Some(Arc::clone(&memo));
        Ok(memo)
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
