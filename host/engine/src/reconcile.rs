//! One reconcile, from question to status: the middle of the host, on one screen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mizzen_cluster::{Cluster, Scope};
use mizzen_config::Mode;
use mizzen_model::{Call, Condition, Digest, Event, Object, ObjectRef, Predecessor, Readiness, Request};
use tokio::time::Instant;

use crate::index::ReadIndex;
use crate::node::{Key, Plugin};
use crate::observe::{Called, Intent, Observer, Planned, Reconciled};
use crate::pace::Paces;
use crate::prepare::{Prepared, Refusal, prepare};
use crate::problem::Problem;
use crate::recorder::Recorder;
use crate::renderers::Renderers;
use crate::rest::is_expensive;
use crate::write::disrupt::Disruptions;
use crate::write::objects::View;
use crate::write::status::Report;
use crate::write::subject::wish;
use crate::write::{Settled, Writer};

/// How often a plugin is asked within one reconcile when its own writes change what it read.
const ROUNDS: usize = 3;

/// What every reconcile works with.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) index: Arc<Mutex<ReadIndex>>,
    pub(crate) renderers: Arc<Renderers>,
    pub(crate) paces: Arc<Mutex<Paces>>,
    pub(crate) clock: crate::Clock,
}

/// What a reconcile is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Make it so.
    Reconcile,
    /// The subject is going away.
    Finalize,
    /// Only say that it is held back, and by what.
    Hold(String),
}

/// An answer, with all it depends on.
#[derive(Debug)]
pub(crate) struct Memo {
    pub(crate) prepared: Prepared,
    input: Digest,
    revision: u64,
    view: View,
    timed: bool,
}

/// One reconcile to be done.
pub(crate) struct Job {
    pub(crate) key: Key,
    pub(crate) task: Task,
    pub(crate) plugin: Plugin,
    /// Counts up with every change of component, configuration or grants.
    pub(crate) revision: u64,
    pub(crate) subject: Arc<Object>,
    pub(crate) predecessors: Vec<Predecessor>,
    /// Whether something that was read has changed.
    pub(crate) ask: bool,
    /// What the last call cost; replaced when there is another.
    pub(crate) cost: Option<Duration>,
    /// Whether its own writes changed what it read, and it is to rest before it is asked about them.
    pub(crate) stale: bool,
    /// Events that none of its answers told of before.
    pub(crate) news: Vec<Event>,
    pub(crate) memo: Option<Arc<Memo>>,
    pub(crate) settled: HashMap<ObjectRef, Settled>,
    /// The reason that was last reported, so that an event is told once.
    pub(crate) reported: &'static str,
    /// What it would have written when it was last asked in mode `Plan`; replaced when it is again.
    pub(crate) planned: Vec<Intent>,
}

/// How a reconcile ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The plugin answered and the cluster holds what it wanted.
    Answered(Readiness),
    /// It is held back.
    Held,
    /// The subject has been let go.
    Released,
    /// Something went wrong.
    Wrong(Problem),
}

/// A reconcile that was done.
pub(crate) struct Done {
    pub(crate) key: Key,
    pub(crate) verdict: Verdict,
    /// What the subject's author wanted when it began.
    pub(crate) subject: Arc<Object>,
    pub(crate) memo: Option<Arc<Memo>>,
    pub(crate) settled: HashMap<ObjectRef, Settled>,
    /// Up to which resource version changes have been taken into account.
    pub(crate) seen: HashMap<ObjectRef, u64>,
    pub(crate) reported: &'static str,
    pub(crate) planned: Vec<Intent>,
    /// What its last call cost; `None`: there was none.
    pub(crate) cost: Option<Duration>,
    /// Whether it is to be asked again once it has rested.
    pub(crate) stale: bool,
}

impl Job {
    /// Does it. Never fails: what goes wrong is in the verdict, and in the subject's status.
    pub(crate) async fn run(mut self, context: Context) -> Done {
        let started = Instant::now();
        let known = self.memo.clone();
        let plugin = self.plugin.clone();
        let mut writer =
            Writer::new(&context, self.key, &plugin, Arc::clone(&self.subject), std::mem::take(&mut self.settled));
        let result = match &self.task {
            Task::Reconcile => self.reconcile(&context, &mut writer).await.map(Verdict::Answered),
            Task::Finalize => self.finalize(&context, &mut writer).await,
            Task::Hold(_) => Ok(Verdict::Held),
        };
        let mut verdict = result.unwrap_or_else(Verdict::Wrong);
        let (condition, reason) = self.condition(&verdict, &writer.disruptions);
        self.tell(&mut writer, &verdict, reason).await;
        if let Err(problem) = self.report(&context, &mut writer, &verdict, condition.clone()).await
            && !matches!(verdict, Verdict::Wrong(_))
        {
            verdict = Verdict::Wrong(problem);
        }
        context.observer.reconciled(&Reconciled {
            reconciler: plugin.name(),
            subject: &self.subject.reference,
            reason,
            message: &condition.message,
            failed: matches!(verdict, Verdict::Wrong(_)),
            asked: !same(known.as_ref(), self.memo.as_ref()),
            so_far: self.memo.as_ref().and_then(|memo| memo.prepared.desired.as_ref()).is_some_and(|own| !own.complete),
            writes: writer.writes,
            took: started.elapsed(),
        });
        let (settled, seen) = writer.into_known();
        Done {
            key: self.key,
            verdict,
            subject: self.subject,
            memo: self.memo,
            settled,
            seen,
            reported: reason,
            planned: self.planned,
            cost: self.cost,
            stale: self.stale,
        }
    }

    /// Asks, writes, and asks again where its own writes are what it reads, before anybody is told.
    async fn reconcile(&mut self, context: &Context, writer: &mut Writer<'_>) -> Result<Readiness, Problem> {
        for _ in 0..ROUNDS {
            let memo = self.answer(Call::Reconcile, context).await?;
            if self.plugin.reconciler.mode == Mode::Plan {
                self.plan(context, writer.foresee(&memo.prepared, memo.view)?);
                return Ok(memo.prepared.readiness.clone());
            }
            if memo.prepared.outlives_subject || self.plugin.invoke.description().finalizes {
                writer.hold().await?;
            }
            let written = writer.changes.len();
            writer.converge(&memo.prepared, memo.view).await?;
            if !self.has_read(context, &writer.changes[written..]) {
                break;
            }
            if self.cost.is_some_and(is_expensive) {
                self.stale = true;
                break;
            }
            self.ask = true;
        }
        // There is an answer by now, or `?` has left.
        Ok(self.memo.as_ref().map_or(Readiness::Ready, |memo| memo.prepared.readiness.clone()))
    }

    /// Tells what would be written, if it is different from what it was.
    fn plan(&mut self, context: &Context, intents: Vec<Intent>) {
        if intents != self.planned {
            let (reconciler, subject) = (self.plugin.name(), &self.subject.reference);
            context.observer.planned(&Planned { reconciler, subject, intents: &intents });
            self.planned = intents;
        }
    }

    /// Asks what must still be done, does it, deletes what was applied, and lets the subject go.
    async fn finalize(&mut self, context: &Context, writer: &mut Writer<'_>) -> Result<Verdict, Problem> {
        if self.plugin.reconciler.mode == Mode::Plan {
            self.plan(context, writer.foresee_release()?);
            let waits = "mode is Plan: its objects are deleted, and it is let go, once the reconciler acts";
            return Ok(Verdict::Answered(Readiness::Progressing(waits.into())));
        }
        if self.plugin.invoke.description().finalizes {
            let memo = self.answer(Call::Finalize, context).await?;
            writer.converge(&memo.prepared, memo.view).await?;
            if !memo.prepared.readiness.is_ready() {
                return Ok(Verdict::Answered(memo.prepared.readiness.clone()));
            }
            if writer.disruptions.wait() {
                return Ok(Verdict::Answered(Readiness::Progressing(String::new())));
            }
        }
        if writer.release().await? {
            return Ok(Verdict::Released);
        }
        Ok(Verdict::Answered(Readiness::Progressing("what was applied is still going away".into())))
    }

    /// The plugin's answer: the last one, while nothing it depends on has changed, or a new one.
    async fn answer(&mut self, call: Call, context: &Context) -> Result<Arc<Memo>, Problem> {
        let config = self.plugin.reconciler.config.to_string();
        let request = Request { subject: wish(&self.subject), config, predecessors: self.predecessors.clone() };
        let input = digest(call, &request);
        if let Some(memo) = &self.memo
            && !self.ask
            && !memo.timed
            && (memo.input, memo.revision) == (input, self.revision)
        {
            return Ok(Arc::clone(memo));
        }
        let subject = self.subject.reference.clone();
        let recorder = Arc::new(Recorder::new(self.key, self.plugin.clone(), subject, context));
        let started = Instant::now();
        let answer = self.plugin.invoke.invoke(call, &request, recorder.clone()).await;
        let took = started.elapsed();
        self.cost = Some(took);
        let read = recorder.recorded();
        context.index.lock().unwrap_or_else(PoisonError::into_inner).retain(self.key, &read.reads);
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
        });
        let prepared = prepare(&self.plugin, &self.subject, answer??, &context.cluster).await?;
        let view = if read.failed { View::Partial } else { View::Complete };
        let memo = Arc::new(Memo { prepared, input, revision: self.revision, view, timed: read.timed });
        let told = self.memo.as_ref().map_or(&[][..], |known| &known.prepared.events);
        self.news.extend(memo.prepared.events.iter().filter(|event| !told.contains(event)).cloned());
        self.memo = Some(Arc::clone(&memo));
        Ok(memo)
    }

    /// Whether the plugin has read any of what was just written.
    fn has_read(&self, context: &Context, changes: &[crate::write::Change]) -> bool {
        let index = context.index.lock().unwrap_or_else(PoisonError::into_inner);
        changes.iter().any(|(before, after)| index.affected(before.as_deref(), after.as_deref()).contains(&self.key))
    }

    /// The condition that says how it went, and its reason. A plugin's "ready" stands for those who come after it; the condition is
    /// not true before everything has had its turn.
    fn condition(&self, verdict: &Verdict, disruptions: &Disruptions) -> (Condition, &'static str) {
        let (status, reason, message) = match (verdict, &self.task) {
            (Verdict::Answered(readiness), _) if readiness.is_ready() && disruptions.wait() => {
                (Some(false), "Pacing", readiness.message().to_owned())
            }
            (Verdict::Answered(readiness), _) => {
                (Some(readiness.is_ready()), readiness.reason(), readiness.message().to_owned())
            }
            (Verdict::Held, Task::Hold(why)) => (None, "Held", why.clone()),
            (Verdict::Held | Verdict::Released, _) => (Some(true), "Released", String::new()),
            (Verdict::Wrong(problem), _) => (Some(false), problem.reason(), problem.to_string()),
        };
        let parts = [message, disruptions.message()].into_iter().filter(|part| !part.is_empty());
        let message = parts.collect::<Vec<_>>().join("; ");
        let kind = self.plugin.field_manager();
        (Condition { kind, status, reason: reason.to_owned(), message }, reason)
    }

    /// Publishes events: the plugin's, unless its answer before had the same, and one about what went wrong, unless it went wrong before.
    async fn tell(&mut self, writer: &mut Writer<'_>, verdict: &Verdict, reason: &'static str) {
        if self.plugin.reconciler.mode == Mode::Plan {
            return;
        }
        if let Verdict::Wrong(problem) = verdict
            && reason != self.reported
        {
            writer.warn(reason, &problem.to_string()).await;
        }
        writer.publish(&std::mem::take(&mut self.news)).await;
    }

    /// Tells the subject's status how it went.
    async fn report(
        &self,
        context: &Context,
        writer: &mut Writer<'_>,
        verdict: &Verdict,
        outcome: Condition,
    ) -> Result<(), Problem> {
        let live = context.cluster.get(Scope::All, &self.subject.reference).ok().flatten();
        let there = |live: &Arc<Object>| live.uid == self.subject.uid && !matches!(verdict, Verdict::Released);
        let Some(live) = live.filter(there) else { return Ok(()) };
        if self.plugin.reconciler.mode == Mode::Plan {
            return Ok(());
        }
        let facts = context.cluster.facts(&self.subject.reference.kind).await.map_err(Refusal::from)?;
        // A built-in kind without a status subresource (a ConfigMap) has no status at all; a CRD's may have one all the same.
        if !facts.status_subresource && live.reference.kind.is_built_in() {
            return Ok(());
        }
        let memo = self.memo.as_ref();
        let fields = memo.map(|memo| &memo.prepared.status);
        let conditions = memo.map_or(&[][..], |memo| &memo.prepared.conditions);
        Ok(writer.report(&Report { fields, conditions, outcome }, &facts, &live).await?)
    }
}

fn same(a: Option<&Arc<Memo>>, b: Option<&Arc<Memo>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
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
