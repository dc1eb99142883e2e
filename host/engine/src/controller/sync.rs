//! Lists everything that a reconciler needs before it runs, so that it never takes "not listed yet"
//! for "not found".

use std::sync::Arc;
use std::time::Duration;

use mizzen_cluster::{Cluster, ReadError};
use tokio::sync::mpsc;

use super::messages::{Attempt, Synced};
use crate::backoff;
use crate::plugin::{NodeId, Plugin};

/// The longest delay between two attempts to list what a plugin reads.
const CAP: Duration = Duration::from_secs(10);

/// Lists everything that a plugin needs, and reports each attempt until one succeeds.
pub(super) async fn sync(
    node: NodeId,
    revision: u64,
    plugin: Plugin,
    cluster: Arc<dyn Cluster>,
    syncs: mpsc::UnboundedSender<Synced>,
) {
    let mut failures = 0_u32;
    loop {
        let result = watch(&plugin, &*cluster).await;
        let failed = result.is_err();
        let attempt = if failures == 0 { Attempt::First } else { Attempt::Repeated };
        if syncs.send(Synced { node, revision, result, attempt }).is_err() || !failed {
            return;
        }
        failures = failures.saturating_add(1);
        tokio::time::sleep(backoff::delay(failures, CAP, failures)).await;
    }
}

/// Watches everything that a plugin needs. A kind that is read or applied need not be served: reads
/// report it, and the plugin is called again when it is.
async fn watch(plugin: &Plugin, cluster: &dyn Cluster) -> Result<(), ReadError> {
    let subject = plugin.subject().kind.clone();
    for view in plugin.views() {
        let is_subject = view.kind == subject;
        match cluster.watch(view).await {
            Err(ReadError::NotServed(_)) if !is_subject => {}
            other => other?,
        }
    }
    Ok(())
}

// === impl Synced ===

impl Synced {
    pub(super) fn is_first(&self) -> bool {
        self.attempt == Attempt::First
    }
}
