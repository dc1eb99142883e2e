//! A rehearsal: runs the engine on a cluster in memory until it settles, and collects what it did.

use std::sync::Arc;

use mizzen_cluster::memory::{Loaded, Memory};
use mizzen_cluster::{Cluster, OwnershipKeys};
use mizzen_config::{Configuration, Mode, RECONCILER, RENDERER, Reconciler};
use mizzen_engine::observe::Observer;
use mizzen_engine::{Delays, Engine, NodeSpec, Settings};
use mizzen_http::CannedResponses;
use mizzen_model::Kind;
use mizzen_model::http::{Canned, is_canned};
use mizzen_model::yaml::Document;

use crate::assemble;
use crate::collector::Collector;
use crate::components::Components;
use crate::intents::{Intents, Statuses, Trouble};
use crate::report::Errors;
use crate::warnings::Warnings;

/// The cluster of a rehearsal, to which writing does no harm.
pub(crate) struct Stage {
    pub(crate) cluster: Arc<dyn Cluster>,
    /// The keys by which owned objects are recognized.
    pub(crate) ownership: OwnershipKeys,
    pub(crate) warnings: Warnings,
}

/// Rehearses the reconcilers among documents on the objects among them.
///
/// # Errors
/// Everything that is wrong with the documents, or else with the configuration, or else with its
/// components.
pub(crate) async fn rehearse(
    documents: &[Document],
    components: &mut Components,
    statuses: Statuses,
) -> anyhow::Result<Intents> {
    let configuration = assemble::configuration(documents)?;
    let objects: Vec<_> = documents.iter().filter(|document| !is_configuration(document)).cloned().collect();
    let answers = answers(documents)?;
    let Loaded { memory, warnings } = Memory::load_documents(&objects).map_err(Errors::of)?;
    let warnings = Warnings::new(&warnings, &memory);
    let stage = Stage { cluster: Arc::new(memory), ownership: Settings::default().ownership, warnings };
    stage.rehearse(&configuration, answers, components, statuses).await
}

/// The responses to requests, among documents.
///
/// # Errors
/// What is wrong with one of them.
pub(crate) fn answers(documents: &[Document]) -> anyhow::Result<CannedResponses> {
    let answers = documents.iter().filter_map(Canned::of).collect::<Result<Vec<_>, _>>()?;
    Ok(CannedResponses::new(answers))
}

// === impl Stage ===

impl Stage {
    /// Rehearses a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with its components.
    pub(crate) async fn rehearse(
        self,
        configuration: &Configuration,
        answers: CannedResponses,
        components: &mut Components,
        statuses: Statuses,
    ) -> anyhow::Result<Intents> {
        let loaded = components.complete(configuration).await;
        Errors::check(loaded.problems())?;
        let collector = Arc::new(Collector::default());
        let observer: Arc<dyn Observer> = Arc::clone(&collector) as _;
        // A rehearsal sends no requests: responses come from documents.
        let fetch = Arc::new(answers);
        let settings = Settings { delays: Delays::Skipped, fetch, ownership: self.ownership, ..Settings::default() };
        let engine = Engine::start_with(self.cluster, observer, settings);
        engine.set_renderers(loaded.renderers());
        engine.configure(loaded.nodes().into_iter().map(acting).collect());
        engine.settled().await;
        let snapshot = engine.snapshots().now().await.unwrap_or_default();
        engine.stop().await;
        let mut intents = collector.intents(statuses);
        for node in snapshot.nodes {
            let trouble = |reason: &str, message: String| Trouble {
                reconciler: node.name.clone(),
                subject: "all".into(),
                reason: reason.to_owned(),
                message,
            };
            if let mizzen_engine::State::Blocked(why) = &node.state {
                intents.problems.push(trouble("Blocked", why.clone()));
            }
            if let Some(gated) = &node.gated {
                intents.problems.push(trouble("WaitingForPredecessor", gated.clone()));
            }
        }
        intents.warnings = self.warnings.with(&intents);
        Ok(intents)
    }
}

/// Turns mode `Plan` into `Enforce`: a rehearsal shows writes, and on a cluster in memory they do
/// no harm.
fn acting(node: NodeSpec) -> NodeSpec {
    if node.reconciler.mode != Mode::Plan {
        return node;
    }
    let reconciler = Reconciler { mode: Mode::Enforce, ..Reconciler::clone(&node.reconciler) };
    NodeSpec { reconciler: Arc::new(reconciler), ..node }
}

/// Whether a document configures the rehearsal, instead of being an object of its cluster.
pub(crate) fn is_configuration(document: &Document) -> bool {
    let kind = Kind::new(
        document.value["apiVersion"].as_str().unwrap_or_default(),
        document.value["kind"].as_str().unwrap_or_default(),
    );
    kind == *RECONCILER || kind == *RENDERER || is_canned(&document.value)
}
