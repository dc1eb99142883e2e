//! The statuses of Reconciler and Renderer objects: what runs, and how it does. Written when it is different and has come to rest, so
//! that neither a restart nor every single subject is a write.

mod renderers;

use std::collections::HashMap;
use std::sync::Arc;

use mizzen_catalog::RendererEntry;
use mizzen_cluster::{Apply, Cluster, Scope, Selection, Target, WriteError};
use mizzen_config::document::{ReconcilerStatus, StatusCondition, SubjectCounts};
use mizzen_config::{Problem, RECONCILER};
use mizzen_engine::{NodeSnapshot, PlanCounts, Snapshots, State};
use mizzen_model::{Kind, Object, canonical};
use serde::Serialize;
use serde_json::json;

use crate::assemble;
use crate::components::Loaded;

const MANAGER: &str = "mizzen.dev/host";

/// Keeps the statuses.
pub(crate) struct Statuses {
    cluster: Arc<dyn Cluster>,
    snapshots: Snapshots,
    /// What is wrong with a reconciler's newest revision, by name.
    load: HashMap<String, Vec<String>>,
    /// The renderers, by name.
    renderers: HashMap<String, RendererEntry>,
    /// What is wrong with documents.
    configuration: Vec<Problem>,
}

impl Statuses {
    pub(crate) fn new(cluster: Arc<dyn Cluster>, snapshots: Snapshots) -> Self {
        Self { cluster, snapshots, load: HashMap::new(), renderers: HashMap::new(), configuration: Vec::new() }
    }

    /// Takes note of what was loaded and what was not.
    pub(crate) fn expect(&mut self, loaded: &Loaded, configuration: Vec<Problem>) {
        let entries = loaded.entries.iter();
        self.load = entries.map(|entry| (entry.reconciler.name.clone(), assemble::lines(&entry.problems))).collect();
        let renderers = loaded.renderers.iter();
        self.renderers = renderers.map(|entry| (entry.renderer.name.clone(), entry.clone())).collect();
        self.configuration = configuration;
    }

    /// Writes every status that is different from what it should be.
    pub(crate) async fn write(&mut self) {
        self.write_renderers().await;
        let Some(snapshot) = self.snapshots.now().await else { return };
        let Ok(objects) = self.cluster.list(Scope::All, &RECONCILER, &Selection::default()) else { return };
        for object in objects {
            let node = snapshot.nodes.iter().find(|node| *node.name == *object.reference.name);
            if node.is_some_and(|node| !node.idle || node.gated_unreported || node.state == State::Syncing) {
                continue;
            }
            if let Err(error) = self.write_one(&object, node).await {
                tracing::warn!(reconciler = %object.reference.name, %error, "its status could not be written");
            }
        }
    }

    async fn write_one(&self, object: &Object, node: Option<&NodeSnapshot>) -> Result<(), WriteError> {
        let was: ReconcilerStatus =
            serde_json::from_value(canonical::part(object.json(), "status")).unwrap_or_default();
        let wanted = self.status(object, node, &was);
        if wanted == was {
            return Ok(());
        }
        self.apply(object, &wanted).await
    }

    /// Writes the status of one of our own objects.
    async fn apply(&self, object: &Object, status: &impl Serialize) -> Result<(), WriteError> {
        let kind = &object.reference.kind;
        let document = json!({
            "apiVersion": kind.api_version, "kind": kind.name,
            "metadata": {"name": object.reference.name, "uid": object.uid}, "status": status,
        });
        self.cluster
            .apply(Apply { manager: MANAGER, document: &document, target: Target::Status, force: true })
            .await?;
        Ok(())
    }

    /// What is wrong with a document.
    fn wrong(&self, kind: &Kind, name: &str) -> String {
        let own = |problem: &&Problem| problem.kind == *kind.name && problem.name == name;
        self.configuration.iter().filter(own).map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    fn status(&self, object: &Object, node: Option<&NodeSnapshot>, was: &ReconcilerStatus) -> ReconcilerStatus {
        let name = &*object.reference.name;
        let wrong = self.wrong(&RECONCILER, name);
        let load = self.load.get(name);
        let ordered = if !wrong.is_empty() {
            (false, "Invalid", wrong)
        } else if load.is_none() {
            (false, "Waiting", "something that comes before it is wrong".to_owned())
        } else {
            (true, "Ordered", String::new())
        };
        let loaded = match load {
            Some(problems) if problems.is_empty() => (true, "Loaded", String::new()),
            Some(problems) => (false, "LoadFailed", problems.join("; ")),
            None => (false, "NotOrdered", String::new()),
        };
        let conditions = [("Loaded", loaded), ("Ordered", ordered), ("Ready", ready(node))];
        let told = |(kind, state)| condition(kind, state, &was.conditions, object.generation);
        ReconcilerStatus {
            observed_generation: Some(object.generation),
            digest: node.and_then(|node| node.digest).map(|digest| digest.to_string()),
            subjects: node.map(|node| SubjectCounts { total: node.subjects, ready: node.ready, failed: node.failed }),
            last_error: node.and_then(|node| node.last_error.clone()),
            conditions: conditions.into_iter().map(told).collect(),
        }
    }
}

/// A condition, since when it is what it is.
fn condition(
    kind: &str,
    (status, reason, message): (bool, &str, String),
    was: &[StatusCondition],
    generation: i64,
) -> StatusCondition {
    let status = if status { "True" } else { "False" };
    let before = was.iter().find(|before| before.kind == kind && before.status == status);
    let since = before.and_then(|before| before.last_transition_time.clone());
    StatusCondition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message,
        last_transition_time: Some(since.unwrap_or_else(mizzen_engine::now)),
        observed_generation: Some(generation),
    }
}

fn ready(node: Option<&NodeSnapshot>) -> (bool, &'static str, String) {
    let Some(node) = node else { return (false, "NotRunning", String::new()) };
    match &node.state {
        State::Unloaded(_) => (false, "NotLoaded", String::new()),
        State::Syncing => (false, "Listing", String::new()),
        State::Blocked(why) => (false, "Blocked", why.clone()),
        State::Paused => (false, "Paused", "the configuration says that it is not to be asked".into()),
        State::Running if node.failed > 0 => {
            (false, "Failing", format!("{} of {} subjects", node.failed, node.subjects))
        }
        State::Running if node.gated.is_some() => {
            (false, "WaitingForPredecessor", node.gated.clone().unwrap_or_default())
        }
        State::Running => match node.planned {
            Some(PlanCounts { create, change, delete }) => {
                let would = format!(
                    "would create {create}, change {change} and delete {delete} objects, and does not; the log names them"
                );
                (true, "Planning", would)
            }
            None => (true, "Running", String::new()),
        },
    }
}
