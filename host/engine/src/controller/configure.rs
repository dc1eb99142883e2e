//! Configuration: replaces reconcilers and renderers, and starts what has changed.

use std::sync::Arc;

use mizzen_cluster::{Scope, Selection};
use mizzen_model::{Access, Kind};
use tokio::time::Instant;

use super::messages::Synced;
use super::nodes::{Node, NodeSpec, Replaced, State};
use super::state::Controller;
use super::sync::sync;
use super::trigger::Trigger;
use crate::plugin::NodeId;
use crate::reads::renderers::RendererSpec;

impl Controller {
    /// Replaces the reconcilers. Those that remain as they are keep their memory.
    pub(super) fn configure(&mut self, specs: Vec<NodeSpec>) {
        self.configured = true;
        let is_same = self.nodes.is_current(&specs);
        let Replaced { changed, gone } = self.nodes.configure(specs);
        self.order.configure(self.nodes.iter().map(Node::position).collect());
        for (id, plugin) in self.nodes.iter().filter_map(|node| Some((node.id, node.plugin.as_ref()?))) {
            self.context.paces().configure(id, &plugin.reconciler.pace);
        }
        for node in gone {
            self.context.paces().forget(node);
            let keys: Vec<_> = self.cells.keys().filter(|key| key.node == node).copied().collect();
            for key in keys {
                self.forget(key);
            }
        }
        for node in changed {
            self.start(node);
        }
        // A new order may concern every key. The same configuration concerns none, and is often
        // read again: the host does so whenever a file in its folder changes.
        if !is_same {
            let keys: Vec<_> = self.cells.keys().copied().collect();
            self.requeue(keys);
        }
        self.find_orphans();
    }

    /// Replaces the renderers, and enqueues every key whose last call used one that has changed.
    pub(super) fn set_renderers(&mut self, specs: Vec<RendererSpec>) {
        let replaced = self.context.renderers.replace(specs);
        let readers = self.context.index().readers_of_renderers(&replaced);
        for key in readers {
            self.enqueue(key, Trigger::Input);
        }
    }

    /// Finds orphaned finalizers under a new configuration.
    fn find_orphans(&mut self) {
        for plugin in self.nodes.iter().filter_map(|node| node.plugin.as_ref()) {
            let applied = plugin.invoke.description().kinds(Access::Apply);
            self.orphans.note_kinds(plugin.subject().kind.clone(), applied);
        }
        self.orphans.configure(self.nodes.iter().map(|node| node.name.clone()).collect());
        for kind in self.orphans.subject_kinds() {
            self.find_orphans_among(&kind);
        }
    }

    /// Finds orphaned finalizers on the objects of a kind, if the kind is watched.
    fn find_orphans_among(&mut self, kind: &Kind) {
        let now = Instant::now();
        for object in self.context.cluster.list(Scope::All, kind, &Selection::default()).unwrap_or_default() {
            self.orphans.observe(&object, now);
        }
    }

    /// Starts a reconciler, or starts it again: it runs when everything it needs is listed.
    pub(super) fn start(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get(id) else { return };
        let Some(plugin) = node.plugin.clone().filter(|_| node.state != State::Paused) else { return };
        let revision = node.revision;
        self.set_state(id, State::Syncing);
        self.syncing += 1;
        tokio::spawn(sync(id, revision, plugin, Arc::clone(&self.context.cluster), self.syncs.clone()));
    }

    /// Runs a reconciler for which everything is listed, or records why it can't run yet.
    pub(super) fn synced(&mut self, synced: Synced) {
        if synced.is_first() {
            self.syncing -= 1;
        }
        let Synced { node: id, revision, result, .. } = synced;
        let Some(node) = self.nodes.get(id) else { return };
        if node.revision != revision || !matches!(node.state, State::Syncing | State::Blocked(_)) {
            return;
        }
        if let Err(error) = result {
            tracing::warn!(reconciler = node.name, %error, "not started yet: what the plugin reads can't be listed");
            self.set_state(id, State::Blocked(error.to_string()));
            return;
        }
        let Some(plugin) = node.plugin.clone() else { return };
        self.set_state(id, State::Running);
        // Before any call: disruptions that an earlier run of the host started count.
        let now = (self.context.clock)();
        self.context.paces().resume(id, &plugin, &*self.context.cluster, now);
        self.select(id, &plugin);
        let successors = self.order.keys_after(id);
        self.requeue(successors);
        self.find_orphans_among(&plugin.subject().kind);
    }
}
