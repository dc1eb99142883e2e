//! One reconcile, from question to status: the middle of the host, on one screen.

mod call;
mod report;

use std::sync::Arc;
use std::time::Duration;

use mizzen_config::Mode;
use mizzen_model::{Call, CallError, Event, Object, Predecessor, Readiness};
use tokio::time::Instant;

use crate::context::Context;
use crate::cost::is_expensive;
use crate::memo::{Memo, Memory, OwnWrites};
use crate::observe::{Intent, Planned, Reconciled};
use crate::plugin::{Key, Plugin};
use crate::problem::Problem;
use crate::settings::Delays;
use crate::write::Writer;

/// How often a plugin is asked within one reconcile when what it read changes: by its own writes, or meanwhile by somebody else.
pub(crate) const ROUNDS: usize = 3;

/// What a reconcile is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Make it so.
    Reconcile,
    /// The subject is going away.
    Finalize,
    /// The subject is to go: only ask, and tell, whether it may.
    Consult,
    /// Only say that it is held back, and by what.
    Hold(String),
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
    /// Whether something has changed that it is to be asked about once it has rested.
    pub(crate) rests: bool,
    /// What the last call cost; replaced when there is another.
    pub(crate) cost: Option<Duration>,
    /// Whether its own writes changed what it read, and it is to rest before it is asked about them.
    pub(crate) stale: bool,
    /// Events that none of its answers told of before.
    pub(crate) news: Vec<Event>,
    pub(crate) memory: Memory,
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
    /// Somebody else wrote in between: it is done again before anybody is told.
    Overtaken(Problem),
    /// Something went wrong.
    Wrong(Problem),
}

/// A reconcile that was done.
pub(crate) struct Done {
    pub(crate) key: Key,
    pub(crate) verdict: Verdict,
    /// What the subject's author wanted when it began.
    pub(crate) subject: Arc<Object>,
    pub(crate) memory: Memory,
    /// The resource versions that it wrote.
    pub(crate) wrote: OwnWrites,
    /// What its last call cost; `None`: there was none.
    pub(crate) cost: Option<Duration>,
    /// Whether it is to be asked again once it has rested.
    pub(crate) stale: bool,
    /// Whether it lets its subject go; `None`: it was not asked that.
    pub(crate) consents: Option<bool>,
}

// === impl Done ===

impl Done {
    /// A reconcile that panicked: nothing it learned is left.
    pub(crate) fn lost(key: Key, plugin: &Plugin, subject: Arc<Object>) -> Self {
        let problem = Problem::Call(CallError::Host(format!("a reconcile of `{}` panicked", plugin.name())));
        Self {
            key,
            memory: Memory { reported: problem.reason(), ..Memory::default() },
            verdict: Verdict::Wrong(problem),
            subject,
            wrote: OwnWrites::new(),
            cost: None,
            stale: false,
            consents: None,
        }
    }
}

// === impl Job ===

impl Job {
    /// Does it. Never fails: what goes wrong is in the verdict, and in the subject's status.
    pub(crate) async fn run(mut self, context: Context) -> Done {
        let started = Instant::now();
        let known = self.memory.memo.clone();
        let plugin = self.plugin.clone();
        let mut writer = Writer::new(
            &context,
            self.key,
            &plugin,
            Arc::clone(&self.subject),
            std::mem::take(&mut self.memory.last_writes),
        );
        let result = match &self.task {
            Task::Reconcile => self.reconcile(&context, &mut writer).await.map(Verdict::Answered),
            Task::Finalize => self.finalize(&context, &mut writer).await,
            Task::Consult => self.consult(&context).await.map(Verdict::Answered),
            Task::Hold(_) => Ok(Verdict::Held),
        };
        let again = |problem: &Problem| problem.is_race() && self.memory.reported != problem.reason();
        let mut verdict = match result {
            Ok(verdict) => verdict,
            Err(problem) if again(&problem) => Verdict::Overtaken(problem),
            Err(problem) => Verdict::Wrong(problem),
        };
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
            asked: !same(known.as_ref(), self.memory.memo.as_ref()),
            so_far: self
                .memory
                .memo
                .as_ref()
                .and_then(|memo| memo.prepared.desired.as_ref())
                .is_some_and(|own| !own.complete),
            writes: writer.writes,
            took: started.elapsed(),
        });
        let (last_writes, wrote) = writer.into_known();
        let consents = match &verdict {
            Verdict::Answered(readiness) if self.task == Task::Consult => {
                Some(!matches!(readiness, Readiness::Failed(_)))
            }
            _ => None,
        };
        Done {
            key: self.key,
            verdict,
            subject: self.subject,
            memory: Memory { last_writes, reported: reason, ..self.memory },
            wrote,
            cost: self.cost,
            stale: self.stale,
            consents,
        }
    }

    /// Asks, writes, and asks again where its own writes are what it reads, before anybody is told.
    async fn reconcile(&mut self, context: &Context, writer: &mut Writer<'_>) -> Result<Readiness, Problem> {
        for _ in 0..ROUNDS {
            let memo = self.answer_to_keep(context, writer).await?;
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
            // In a rehearsal the outcome must not depend on how fast calls are.
            if context.delays == Delays::Enforced && self.cost.is_some_and(is_expensive) {
                self.stale = true;
                break;
            }
            self.ask = true;
        }
        // There is an answer by now, or `?` has left.
        Ok(self.memory.memo.as_ref().map_or(Readiness::Ready, |memo| memo.prepared.readiness.clone()))
    }

    /// Tells what would be written, if it is different from what it was.
    fn plan(&mut self, context: &Context, intents: Vec<Intent>) {
        if intents != self.memory.planned {
            let (reconciler, subject) = (self.plugin.name(), &self.subject.reference);
            context.observer.planned(&Planned { reconciler, subject, intents: &intents });
            self.memory.planned = intents;
        }
    }

    /// Asks what must still be done, and does nothing of it: a plugin that `failed` refuses to let the subject go.
    async fn consult(&mut self, context: &Context) -> Result<Readiness, Problem> {
        Ok(self.answer(Call::Finalize, context).await?.prepared.readiness.clone())
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

    /// Whether the plugin has read any of what was just written.
    fn has_read(&self, context: &Context, changes: &[crate::write::Change]) -> bool {
        let index = context.index();
        changes.iter().any(|(before, after)| index.affected(before.as_deref(), after.as_deref()).contains(&self.key))
    }
}

fn same(a: Option<&Arc<Memo>>, b: Option<&Arc<Memo>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    }
}
