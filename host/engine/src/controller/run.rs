//! The controller loop.

use std::sync::Arc;

use mizzen_cluster::Scope;
use tokio::time::Instant;

use super::messages::{Command, Inputs};
use super::orphans::OrphanedFinalizer;
use super::removal::remove;
use super::state::Controller;
use crate::settings::Role;

impl Controller {
    /// Runs until the shutdown, and then until the running reconciles have ended.
    pub(crate) async fn run(mut self, inputs: Inputs) {
        let Inputs { mut changes, mut commands, mut synced, shutdown } = inputs;
        loop {
            let deadline = self.advance();
            if self.is_idle() && changes.is_empty() && commands.is_empty() {
                self.settled();
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                // Changes before results: a change that a reconcile made arrives before the
                // reconcile ends.
                Some(change) = changes.recv() => self.changed(change),
                Some(done) = self.jobs.join_next() => if let Ok(done) = done { self.finish(done) },
                Some(command) = commands.recv() => self.command(command),
                Some(synced) = synced.recv() => self.synced(synced),
                Some(removed) = self.removals.join_next() => self.removed(removed.unwrap_or(Ok(()))),
                () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {}
            }
        }
        while self.jobs.join_next().await.is_some() {}
        while self.removals.join_next().await.is_some() {}
    }

    /// Starts what is due, and returns when something else will be. A follower starts nothing.
    fn advance(&mut self) -> Option<Instant> {
        if self.role == Role::Follower {
            return None;
        }
        let paces_due = self.tick_paces();
        self.remove_orphans(Instant::now());
        self.dispatch();
        let deadlines = [self.workqueue.next_deadline(), self.orphans.next_deadline(), paces_due];
        deadlines.into_iter().flatten().min()
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Lead => self.role = Role::Leader,
            Command::Configure(specs) => self.configure(specs),
            Command::SetInvalid(reconcilers) => self.orphans.set_invalid(reconcilers),
            Command::SetRenderers(specs) => self.set_renderers(specs),
            Command::Settle(reply) => self.settling.push(reply),
            Command::Snapshot(reply) => drop(reply.send(self.snapshot())),
        }
    }

    /// Whether there is nothing left to do now.
    fn is_idle(&self) -> bool {
        self.workqueue.is_idle() && self.syncing == 0 && self.removals.is_empty()
    }

    fn settled(&mut self) {
        for caller in self.settling.drain(..) {
            // A caller that no longer waits needs no reply.
            let _ = caller.send(());
        }
    }

    /// Removes the orphaned finalizers whose grace period is over.
    fn remove_orphans(&mut self, now: Instant) {
        while let Some(orphan) = self.orphans.expire(now) {
            let Ok(Some(live)) = self.context.cluster.get(Scope::All, &orphan.subject) else { continue };
            if !self.orphans.is_orphaned(&orphan, &live) {
                continue;
            }
            let (cluster, observer) = (Arc::clone(&self.context.cluster), Arc::clone(&self.context.observer));
            let applied = self.orphans.applied_kinds();
            let keys = self.context.ownership.clone();
            self.removals.spawn(async move {
                remove(&*cluster, &*observer, &keys, &orphan, &live, &applied).await.map_err(|error| {
                    let OrphanedFinalizer { subject, reconciler } = &orphan;
                    tracing::warn!(%subject, reconciler, %error, "failed to remove an orphaned finalizer");
                    orphan
                })
            });
        }
    }

    /// Tries a failed removal again later.
    fn removed(&mut self, removed: Result<(), OrphanedFinalizer>) {
        if let Err(orphan) = removed {
            self.orphans.start_grace(orphan, Instant::now());
        }
    }
}
