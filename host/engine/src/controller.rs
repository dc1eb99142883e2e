//! The loop: what changed wakes who read it, whose turn it is runs, what it came to wakes who waits for it.
//!
//! One task owns all of this state, so nothing here is locked but the read index, which running calls write to. Reconciles run
//! beside it, each with a copy of what it needs, and hand back what they learned.

pub(crate) mod cell;
mod changes;
mod cooldown;
mod deletion;
mod dispatch;
mod finish;
pub(crate) mod nodes;
mod order;
mod orphans;
mod paces;
pub(crate) mod queue;
pub(crate) mod snapshot;
mod sync;

use std::collections::{HashMap, HashSet};

use futures::StreamExt;
use mizzen_cluster::Changes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::time::DelayQueue;

use crate::context::Context;
use crate::controller::cell::{Cell, Wake};
use crate::controller::nodes::{NodeSpec, Nodes, Subjects};
use crate::controller::orphans::Abandoned;
use crate::controller::queue::Queue;
use crate::controller::snapshot::Snapshot;
use crate::controller::sync::Synced;
use crate::plugin::{Key, SubjectId};
use crate::reads::renderers::RendererSpec;
use crate::reconcile::Done;

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
    /// Subjects whose deletion has begun.
    pub(crate) leaving: HashSet<SubjectId>,
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
            leaving: HashSet::new(),
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
        let is_new = !self.nodes.are(&specs);
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
        // The order may have changed for everybody; but files are read again whatever happens beside them, be it that a log is written there.
        if is_new {
            let keys: Vec<_> = self.cells.keys().copied().collect();
            for key in keys {
                self.look(key);
            }
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

    /// Has a key looked at again, without asking its plugin.
    pub(crate) fn look(&mut self, key: Key) {
        self.wake(key, Wake::look());
    }

    pub(crate) fn index(&self) -> parking_lot::MutexGuard<'_, crate::reads::index::ReadIndex> {
        self.context.index()
    }
}
