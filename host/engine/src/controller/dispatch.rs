//! From a key whose turn it is to a reconcile of its own: what is to be done for it now, or what holds it back.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use mizzen_config::Mode;

use crate::controller::Controller;
use crate::controller::cell::{Held, Phase};
use crate::controller::deletion::Leave;
use crate::controller::nodes::State;
use crate::controller::order::Gate;
use crate::memo::Memory;
use crate::names::has_finalizer;
use crate::plugin::Key;
use crate::reconcile::{Done, Job, Task};

/// How long a key is held back before its subject's status says so: at a start all are, for a moment.
const HELD_QUIETLY: Duration = Duration::from_secs(5);

/// The same where somebody's first answer is awaited, which may have 160 MB mapped and run: nothing is wrong with that.
const UNANSWERED_QUIETLY: Duration = Duration::from_secs(30);

impl Controller {
    /// Gives everybody whose turn it is a task of its own.
    pub(crate) fn dispatch(&mut self) {
        while let Some(key) = self.queue.pop() {
            let Some(job) = self.job(key) else {
                self.queue.done(key);
                self.paces().release(key);
                self.wake_held(key);
                continue;
            };
            let context = self.context.clone();
            let (plugin, subject) = (job.plugin.clone(), Arc::clone(&job.subject));
            self.jobs.spawn(async move {
                let lost = |_| Done::lost(key, &plugin, subject);
                AssertUnwindSafe(job.run(context)).catch_unwind().await.unwrap_or_else(lost)
            });
        }
    }

    /// What is to be done for a key now; `None`: nothing.
    fn job(&mut self, key: Key) -> Option<Job> {
        let subject = self.subject(key.subject)?;
        let node = self.nodes.get(key.node)?;
        let plugin = node.plugin.clone().filter(|_| node.state == State::Running)?;
        let revision = node.revision;
        let plans = plugin.reconciler.mode == Mode::Plan;
        let (task, predecessors) = if subject.deleting {
            if !has_finalizer(&subject, plugin.name()) {
                return None;
            }
            let task = match self.leave(key, &subject) {
                Leave::Now => Task::Finalize,
                Leave::Ask => Task::Consult,
                Leave::Wait => return None,
            };
            (task, Vec::new())
        } else {
            match self.gate(key) {
                Gate::Open(predecessors) => (Task::Reconcile, predecessors),
                Gate::Closed(why) => (self.hold(key, why, Held::Quietly)?, Vec::new()),
                Gate::Busy(why) => {
                    // Said of nobody: it takes as long as a call does.
                    let told = self.cells.get(&key).is_some_and(|cell| cell.held == Held::Openly);
                    let task = if told { None } else { self.hold(key, why, Held::Patiently) };
                    (task?, Vec::new())
                }
                Gate::Unanswered(why) => (self.hold(key, why, Held::Patiently)?, Vec::new()),
            }
        };
        let cell = self.cells.get_mut(&key)?;
        if task == Task::Reconcile {
            cell.held = Held::No;
        }
        if let Some(timer) = cell.timer.take() {
            self.timers.try_remove(&timer);
        }
        cell.phase = Phase::Running;
        Some(Job {
            key,
            task,
            plugin,
            revision,
            subject,
            predecessors,
            ask: std::mem::take(&mut cell.ask),
            rests: cell.rest.is_some(),
            cost: None,
            stale: false,
            news: Vec::new(),
            memory: Memory {
                memo: cell.memory.memo.clone(),
                last_writes: std::mem::take(&mut cell.memory.last_writes),
                reported: cell.memory.reported,
                planned: if plans { cell.memory.planned.clone() } else { Vec::new() },
            },
        })
    }

    /// What holds a key back, if something does.
    pub(crate) fn held_back(&self, key: Key) -> Option<String> {
        let held = self.cells.get(&key).is_some_and(|cell| cell.held != Held::No);
        match held.then(|| self.gate(key))? {
            Gate::Open(_) => None,
            Gate::Closed(why) | Gate::Unanswered(why) | Gate::Busy(why) => Some(why),
        }
    }

    /// A key is held back: quietly at first, then its subject's status says so.
    fn hold(&mut self, key: Key, why: String, held: Held) -> Option<Task> {
        let cell = self.cells.get_mut(&key)?;
        match (cell.held, held) {
            (Held::Openly, _) => return Some(Task::Hold(why)),
            (Held::Quietly, _) | (Held::Patiently, Held::Patiently) => {}
            (Held::No | Held::Patiently, _) => {
                cell.held = held;
                if let Some(timer) = cell.timer.take() {
                    self.timers.try_remove(&timer);
                }
                let quietly = if held == Held::Patiently { UNANSWERED_QUIETLY } else { HELD_QUIETLY };
                cell.timer = Some(self.timers.insert(key, quietly));
            }
        }
        None
    }
}
