//! Starting a node: everything it reads, owns and is asked about is listed first, so that it never takes "not yet" for "none".

use std::sync::Arc;
use std::time::Duration;

use mizzen_cluster::{Cluster, ReadError, Scope, Selection};

use crate::controller::Controller;
use crate::controller::nodes::State;
use crate::plugin::{Key, NodeId, Plugin};
use crate::problem::pause;

/// The longest pause between two tries to list what a plugin reads.
const LONGEST: Duration = Duration::from_secs(10);

/// How far the listing for a node has come.
pub(crate) struct Synced {
    node: NodeId,
    revision: u64,
    result: Result<(), ReadError>,
    /// Whether it is the first news of this start.
    first: bool,
}

impl Controller {
    /// Starts a node, or starts it anew.
    pub(crate) fn start(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get_mut(id) else { return };
        let Some(plugin) = node.plugin.clone().filter(|_| node.state != State::Paused) else { return };
        node.state = State::Syncing;
        let (revision, syncs, cluster) = (node.revision, self.syncs.clone(), Arc::clone(&self.context.cluster));
        self.syncing += 1;
        tokio::spawn(async move {
            let mut failures = 0_u32;
            loop {
                let result = watch(&plugin, &*cluster).await;
                let again = result.is_err();
                let first = failures == 0;
                if syncs.send(Synced { node: id, revision, result, first }).is_err() || !again {
                    return;
                }
                failures += 1;
                tokio::time::sleep(pause(failures, LONGEST, failures)).await;
            }
        });
    }

    /// What a node needs is listed, or can't be.
    pub(crate) fn synced(&mut self, synced: Synced) {
        let Synced { node: id, revision, result, first } = synced;
        if first {
            self.syncing -= 1;
        }
        let Some(node) = self.nodes.get_mut(id) else { return };
        if node.revision != revision || !matches!(node.state, State::Syncing | State::Blocked(_)) {
            return;
        }
        if let Err(error) = result {
            tracing::warn!(reconciler = node.name, %error, "can't start yet");
            node.state = State::Blocked(error.to_string());
            return;
        }
        node.state = State::Running;
        let Some(plugin) = node.plugin.clone() else { return };
        // Before anybody is asked: what an earlier life of the host began counts.
        self.paces().resume(id, &plugin, &*self.context.cluster);
        let subject = plugin.subject();
        let found = self
            .context
            .cluster
            .list(Scope::All, &subject.kind, &Selection::labelled(&subject.labels))
            .unwrap_or_default();
        let known: Vec<_> = self.nodes.get(id).map(|node| node.subjects.iter().copied().collect()).unwrap_or_default();
        for object in found.iter().filter(|object| plugin.is_subject(object)) {
            self.meet(id, object);
        }
        for subject in known {
            self.look(Key { node: id, subject });
        }
        self.wake_everybody_after(id);
        self.seek_abandoned_among(&subject.kind);
    }

    /// A node without subjects opens its successors' gates by having started.
    fn wake_everybody_after(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get(id) else { return };
        let successors = node.successors.clone();
        let keys: Vec<_> = self.cells.keys().filter(|key| successors.contains(&key.node)).copied().collect();
        for key in keys {
            self.look(key);
        }
    }
}

/// Watches everything a plugin needs. A kind that is read or applied but not served is no obstacle: reads say so, and the plugin is
/// asked again when it appears.
async fn watch(plugin: &Plugin, cluster: &dyn Cluster) -> Result<(), ReadError> {
    let subject = plugin.subject().kind;
    for view in plugin.views() {
        let is_subject = view.kind == subject;
        match cluster.watch(view).await {
            Err(ReadError::NotServed(_)) if !is_subject => {}
            other => other?,
        }
    }
    Ok(())
}
