//! The loop: what changed wakes who read it, whose turn it is runs, what it came to wakes who waits for it.
//!
//! One task owns all of this state, so nothing here is locked but the read index, which running calls write to. Reconciles run
//! beside it, each with a copy of what it needs, and hand back what they learned.

use std::collections::{HashMap, HashSet};

use futures::StreamExt;
use mizzen_cluster::{Change, Changes, OWNER_LABEL, Scope};
use mizzen_model::{Kind, Object, Readiness};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::time::DelayQueue;

use crate::abandoned::Abandoned;
use crate::cell::{Cell, Held, Phase, Wake};
use crate::node::{Key, NodeId};
use crate::nodes::{NodeSpec, Nodes, State, Subjects};
use crate::prepare::owner_label;
use crate::problem::{Retry, pause};
use crate::queue::Queue;
use crate::reconcile::{Context, Done, Verdict};
use crate::renderers::RendererSpec;
use crate::snapshot::Snapshot;
use crate::sync::Synced;
use crate::write::subject::wish;

/// What the loop is told from outside.
pub(crate) enum Command {
    Configure(Vec<NodeSpec>),
    AlsoNamed(HashSet<String>),
    Renderers(Vec<RendererSpec>),
    Settled(oneshot::Sender<()>),
    Snapshot(oneshot::Sender<Snapshot>),
}

/// The state of the loop.
pub(crate) struct Controller {
    pub(crate) context: Context,
    pub(crate) nodes: Nodes,
    pub(crate) subjects: Subjects,
    pub(crate) cells: HashMap<Key, Cell>,
    pub(crate) queue: Queue,
    pub(crate) jobs: JoinSet<Done>,
    pub(crate) syncs: mpsc::UnboundedSender<Synced>,
    pub(crate) syncing: usize,
    pub(crate) configured: bool,
    pub(crate) abandoned: Abandoned,
    /// Whose an owned object is, by its [`OWNER_LABEL`].
    owners: HashMap<String, Key>,
    pub(crate) timers: DelayQueue<Key>,
    /// Keys that are to be asked once they have rested.
    pub(crate) rests: DelayQueue<Key>,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Controller {
    pub(crate) fn new(context: Context, queue: Queue, syncs: mpsc::UnboundedSender<Synced>) -> Self {
        Self {
            context,
            nodes: Nodes::default(),
            subjects: Subjects::default(),
            cells: HashMap::new(),
            queue,
            jobs: JoinSet::new(),
            syncs,
            syncing: 0,
            configured: false,
            abandoned: Abandoned::default(),
            owners: HashMap::new(),
            timers: DelayQueue::new(),
            rests: DelayQueue::new(),
            waiting: Vec::new(),
        }
    }

    /// Runs until it is told to stop; then lets what is running come to its end.
    pub(crate) async fn run(
        mut self,
        mut changes: Changes,
        mut commands: mpsc::UnboundedReceiver<Command>,
        mut synced: mpsc::UnboundedReceiver<Synced>,
        stop: CancellationToken,
    ) {
        loop {
            let turn = self.turns();
            self.dispatch();
            let idle = self.queue.is_idle() && self.syncing == 0 && self.abandoned.releases.is_empty();
            if idle && changes.is_empty() && commands.is_empty() {
                for waiting in self.waiting.drain(..) {
                    // Whoever has stopped waiting need not be told.
                    let _ = waiting.send(());
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                // Changes before what was done: what a reconcile wrote arrives before it is done.
                Some(change) = changes.recv() => self.changed(change),
                Some(done) = self.jobs.join_next() => if let Ok(done) = done { self.done(done) },
                Some(command) = commands.recv() => self.command(command),
                Some(synced) = synced.recv() => self.synced(synced),
                Some(expired) = self.timers.next(), if !self.timers.is_empty() => self.expired(expired.into_inner()),
                Some(rested) = self.rests.next(), if !self.rests.is_empty() => self.rested(rested.into_inner()),
                Some(hold) = self.abandoned.timers.next(), if !self.abandoned.timers.is_empty() => self.abandon(hold.into_inner()),
                Some(released) = self.abandoned.releases.join_next() => if let Ok(released) = released { self.released(released) },
                () = tokio::time::sleep(turn.unwrap_or_default()), if turn.is_some() => {}
            }
        }
        while self.jobs.join_next().await.is_some() {}
        while self.abandoned.releases.join_next().await.is_some() {}
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Configure(specs) => self.configure(specs),
            Command::AlsoNamed(reconcilers) => self.abandoned.also_named = reconcilers,
            Command::Renderers(specs) => self.replace_renderers(specs),
            Command::Settled(reply) => self.waiting.push(reply),
            Command::Snapshot(reply) => drop(reply.send(self.snapshot())),
        }
    }

    fn configure(&mut self, specs: Vec<NodeSpec>) {
        self.configured = true;
        let (changed, gone) = self.nodes.configure(specs);
        for plugin in self.nodes.iter().filter_map(|node| Some((node.id, node.plugin.as_ref()?))) {
            self.paces().configure(plugin.0, &plugin.1.reconciler.pace);
        }
        for node in gone {
            self.paces().forget(node);
            let keys: Vec<_> = self.cells.keys().filter(|key| key.node == node).copied().collect();
            for key in keys {
                self.forget(key);
            }
        }
        for node in changed {
            self.start(node);
        }
        // The order may have changed for everybody.
        let keys: Vec<_> = self.cells.keys().copied().collect();
        for key in keys {
            self.look(key);
        }
        self.seek_abandoned();
    }

    /// Whoever asks from now on asks the new ones; whoever asked before is asked again if it concerns him.
    fn replace_renderers(&mut self, specs: Vec<RendererSpec>) {
        let replaced = self.context.renderers.replace(specs);
        let readers = self.index().asked_of_renderers(&replaced);
        for key in readers {
            self.wake(key, Wake { cause: None, ask: true });
        }
    }

    /// What an event of the cluster means, and to whom.
    fn changed(&mut self, change: Change) {
        match change {
            Change::Object { scope, before, after } => {
                let Some(object) = after.as_ref().or(before.as_ref()) else { return };
                let cause =
                    Some((object.reference.clone(), after.as_ref().map_or(u64::MAX, |after| after.resource_version)));
                match scope {
                    Scope::All => {
                        let readers = self.index().affected(before.as_deref(), after.as_deref());
                        for key in readers {
                            self.wake(key, Wake { cause: cause.clone(), ask: true });
                        }
                        self.subject_changed(before.as_deref(), after.as_deref());
                        if let Some(after) = &after {
                            self.notice_abandoned(after);
                        }
                        self.came_through(&object.reference);
                    }
                    Scope::Owned => {
                        let owner = object.labels.get(OWNER_LABEL).or_else(|| before.as_ref()?.labels.get(OWNER_LABEL));
                        if let Some(key) = owner.and_then(|owner| self.owners.get(owner)).copied() {
                            self.wake(key, Wake { cause, ask: false });
                        }
                    }
                }
            }
            Change::Served(kind) => self.served(&kind),
        }
    }

    fn served(&mut self, kind: &Kind) {
        let readers = self.index().asked_whether_served(kind);
        for key in readers {
            self.wake(key, Wake { cause: None, ask: true });
        }
        let of_subject = self.nodes.of_subject(kind);
        let blocked: Vec<_> = of_subject
            .into_iter()
            .filter(|id| self.nodes.get(*id).is_some_and(|n| matches!(n.state, State::Blocked(_))))
            .collect();
        for node in blocked {
            self.start(node);
        }
    }

    fn subject_changed(&mut self, before: Option<&Object>, after: Option<&Object>) {
        let Some(object) = after.or(before) else { return };
        for id in self.nodes.of_subject(&object.reference.kind) {
            let Some(node) = self.nodes.get(id) else { continue };
            let subject =
                after.is_some_and(|after| node.plugin.as_ref().is_some_and(|plugin| plugin.is_subject(after)));
            match (subject, self.subjects.find(&object.reference)) {
                // One that is not running yet meets all of its subjects when it does.
                (true, _) if node.state == State::Running => self.meet(id, object),
                (false, Some(subject)) => self.forget(Key { node: id, subject }),
                _ => {}
            }
        }
    }

    /// Takes in a subject, new or known.
    pub(crate) fn meet(&mut self, id: NodeId, object: &Object) {
        let subject = self.subjects.id(&object.reference);
        let key = Key { node: id, subject };
        let Some(node) = self.nodes.get_mut(id) else { return };
        if node.subjects.insert(subject) {
            self.owners.insert(owner_label(&node.name, &object.reference), key);
        }
        let cell = self.cells.entry(key).or_default();
        // The status that was just written comes back as a change of the subject.
        let own = cell.settled.get(&object.reference).is_some_and(|own| own.version == object.resource_version);
        if !own || cell.phase == Phase::Running {
            let cause = Some((object.reference.clone(), object.resource_version));
            self.wake(key, Wake { cause, ask: false });
        }
    }

    fn forget(&mut self, key: Key) {
        self.end_rest(key);
        if let Some(cell) = self.cells.remove(&key)
            && let Some(timer) = cell.timer
        {
            self.timers.try_remove(&timer);
        }
        self.queue.remove(key);
        self.index().remove(key);
        self.paces().forget_key(key);
        let name = self.subjects.name(key.subject).cloned();
        if let Some(node) = self.nodes.get_mut(key.node) {
            node.forget(key.subject);
            if let Some(name) = name {
                self.owners.remove(&owner_label(&node.name, &name));
            }
        }
        self.wake_successors(key.node, key.subject);
    }

    /// Has a key looked at again, without asking its plugin.
    pub(crate) fn look(&mut self, key: Key) {
        self.wake(key, Wake::look());
    }

    fn expired(&mut self, key: Key) {
        if let Some(cell) = self.cells.get_mut(&key) {
            cell.timer = None;
            if cell.held == Held::Quietly {
                cell.held = Held::Openly;
            }
            self.look(key);
        }
    }

    /// Takes in what a reconcile came to.
    fn done(&mut self, done: Done) {
        self.queue.done(done.key);
        self.paces().dismiss(done.key);
        if let Some(cost) = done.cost {
            self.end_rest(done.key);
            self.cells.entry(done.key).and_modify(|cell| cell.called(cost));
        }
        let now = self.subject(done.key.subject);
        let Some(cell) = self.cells.get_mut(&done.key) else {
            self.index().remove(done.key);
            return;
        };
        let Done { key, verdict, subject, memo, settled, seen, reported, planned, stale, .. } = done;
        cell.phase = Phase::Idle;
        cell.memo = memo;
        cell.settled = settled;
        cell.reported = reported;
        cell.planned = planned;
        let before = cell.readiness.clone();
        let mut again = None;
        match verdict {
            Verdict::Answered(readiness) => {
                cell.failures = 0;
                cell.error = None;
                again = cell.memo.as_ref().and_then(|memo| memo.prepared.requeue_after).map(|after| (after, true));
                cell.readiness = Some(readiness);
            }
            Verdict::Held | Verdict::Released => cell.readiness = None,
            Verdict::Wrong(problem) => {
                cell.failures += 1;
                cell.ask |= problem.asks_again();
                cell.readiness = Some(Readiness::Failed(problem.to_string()));
                if let Retry::Backoff(most) = problem.retry() {
                    again = Some((pause(cell.failures, most, key.subject.0), false));
                }
                cell.error = Some(problem.to_string());
            }
        }
        if let Some((after, ask)) = again {
            cell.ask |= ask;
            cell.timer = Some(self.timers.insert(key, after));
        }
        let changed = cell.readiness != before;
        let pending: Vec<_> = cell.pending.drain(..).filter(|wake| !wake.is_settled_by(&seen)).collect();
        let readiness = cell.readiness.clone();
        // A change of the subject's author may hide behind our own write to its status.
        let wants_otherwise = now.is_some_and(|now| {
            now.resource_version != subject.resource_version
                && (now.deleting != subject.deleting || wish(&now) != wish(&subject))
        });
        if wants_otherwise {
            self.look(key);
        }
        if stale {
            self.wake(key, Wake { cause: None, ask: true });
        }
        for wake in pending {
            self.wake(key, wake);
        }
        if let Some(node) = self.nodes.get_mut(key.node) {
            note(&mut node.answered, key, readiness.is_some());
            note(&mut node.ready, key, readiness.is_some_and(|readiness| readiness.is_ready()));
        }
        if changed {
            self.wake_successors(key.node, key.subject);
        }
    }

    fn index(&self) -> std::sync::MutexGuard<'_, crate::index::ReadIndex> {
        self.context.index.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn note(set: &mut HashSet<crate::node::SubjectId>, key: Key, is: bool) {
    if is {
        set.insert(key.subject);
    } else {
        set.remove(&key.subject);
    }
}
