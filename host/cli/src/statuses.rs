//! Writes the statuses of Reconciler and Renderer objects. A status is written only if it differs
//! and its reconciler is idle, so that neither a restart nor each subject leads to a write.

mod condition;
mod reconciler;
mod renderer;

use std::collections::HashMap;
use std::sync::Arc;

use mizzen_catalog::RendererEntry;
use mizzen_cluster::{Apply, Cluster, Scope, Selection, Target, WriteError};
use mizzen_config::{Problem, RECONCILER, RENDERER};
use mizzen_engine::{NodeSnapshot, Snapshots, State};
use mizzen_model::{Object, canonical};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::assemble;
use crate::components::Loaded;

/// The field manager of these statuses.
const MANAGER: &str = "mizzen.dev/host";

/// Writes the statuses of one host's configuration.
pub(crate) struct Statuses {
    cluster: Arc<dyn Cluster>,
    snapshots: Snapshots,
    /// The problems of each reconciler's newest revision, by name.
    load: HashMap<String, Vec<String>>,
    /// The renderers, by name.
    renderers: HashMap<String, RendererEntry>,
    /// The problems of documents.
    configuration: Vec<Problem>,
}

// === impl Statuses ===

impl Statuses {
    pub(crate) fn new(cluster: Arc<dyn Cluster>, snapshots: Snapshots) -> Self {
        Self { cluster, snapshots, load: HashMap::new(), renderers: HashMap::new(), configuration: Vec::new() }
    }

    /// Sets what was loaded, and the problems of documents.
    pub(crate) fn expect(&mut self, loaded: &Loaded, configuration: Vec<Problem>) {
        let entries = loaded.entries.iter();
        self.load = entries.map(|entry| (entry.reconciler.name.clone(), assemble::lines(&entry.problems))).collect();
        let renderers = loaded.renderers.iter();
        self.renderers = renderers.map(|entry| (entry.renderer.name.clone(), entry.clone())).collect();
        self.configuration = configuration;
    }

    /// Writes every status that differs.
    pub(crate) async fn write(&self) {
        self.write_renderers().await;
        self.write_reconcilers().await;
    }

    async fn write_renderers(&self) {
        let Ok(objects) = self.cluster.list(Scope::All, &RENDERER, &Selection::default()) else { return };
        for object in objects {
            let entry = self.renderers.get(&*object.reference.name);
            let invalid = self.problems_of(&object);
            self.write_one(&object, |before| renderer::status(&object, entry, &invalid, before)).await;
        }
    }

    async fn write_reconcilers(&self) {
        let Some(snapshot) = self.snapshots.now().await else { return };
        let Ok(objects) = self.cluster.list(Scope::All, &RECONCILER, &Selection::default()) else { return };
        for object in objects {
            let node = snapshot.nodes.iter().find(|node| *node.name == *object.reference.name);
            if node.is_some_and(is_changing) {
                continue;
            }
            let (invalid, load) = (self.problems_of(&object), &self.load);
            self.write_one(&object, |before| reconciler::status(&object, node, &invalid, load, before)).await;
        }
    }

    async fn write_one<S>(&self, object: &Object, status: impl FnOnce(&S) -> S)
    where
        S: Default + DeserializeOwned + PartialEq + Serialize,
    {
        let before: S = serde_json::from_value(canonical::part(object.json(), "status")).unwrap_or_default();
        let wanted = status(&before);
        if wanted != before
            && let Err(error) = self.apply(object, &wanted).await
        {
            tracing::warn!(object = %object.reference, %error, "failed to write the status");
        }
    }

    async fn apply(&self, object: &Object, status: &impl Serialize) -> Result<(), WriteError> {
        let mut document = object.reference.document(&object.uid);
        document["status"] = json!(status);
        let apply = Apply { manager: MANAGER, document: &document, target: Target::Status, force: true };
        self.cluster.apply(apply).await.map(drop)
    }

    /// The problems of an object's document; empty: it is valid.
    fn problems_of(&self, object: &Object) -> String {
        let (kind, name) = (&*object.reference.kind.name, &*object.reference.name);
        let own = |problem: &&Problem| problem.kind == *kind && problem.name == *name;
        self.configuration.iter().filter(own).map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

/// Whether a reconciler's status is about to change.
fn is_changing(node: &NodeSnapshot) -> bool {
    !node.idle || node.gated_unreported || node.state == State::Syncing
}
