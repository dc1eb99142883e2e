//! A rehearsal: the engine, run on a cluster in memory until nothing is left to do, and what it did.

use std::sync::Arc;

use mizzen_cluster::memory::Memory;
use mizzen_config::{Configuration, Mode, RECONCILER, RENDERER, Reconciler};
use mizzen_engine::observe::Observer;
use mizzen_engine::{Delays, Engine, NodeSpec, Settings};
use mizzen_http::Answers;
use mizzen_model::Kind;
use mizzen_model::http::{Canned, is_canned};
use mizzen_model::yaml::Document;

use crate::assemble;
use crate::components::Components;
use crate::intents::{Collector, Intents, Trouble};

/// Rehearses the reconcilers among documents on the objects among them.
///
/// # Errors
/// When the documents or the configuration are wrong: everything that is, at once.
pub(crate) async fn rehearse(
    documents: &[Document],
    components: &mut Components,
    statuses: bool,
) -> anyhow::Result<Intents> {
    let configuration: Configuration = assemble::configuration(documents)?;
    let objects: Vec<_> = documents.iter().filter(|document| !is_ours(document)).cloned().collect();
    let answers = documents.iter().filter_map(Canned::of).collect::<Result<Vec<_>, _>>()?;
    let memory = Memory::from_documents(&objects)
        .map_err(|errors| anyhow::anyhow!(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    let loaded = components.complete(&configuration).await;
    let problems = loaded.problems();
    anyhow::ensure!(problems.is_empty(), assemble::lines(&problems).join("\n"));
    let collector = Arc::new(Collector::default());
    let observer: Arc<dyn Observer> = Arc::clone(&collector) as _;
    // Nothing is sent from here: what was not written down is not known.
    let fetch = Arc::new(Answers::new(answers));
    let settings = Settings { delays: Delays::Skipped, fetch, ..Settings::default() };
    let engine = Engine::start_with(Arc::new(memory), observer, settings);
    engine.renderers(loaded.renderers());
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
        if let Some(held) = &node.held {
            intents.problems.push(trouble("Held", held.clone()));
        }
    }
    Ok(intents)
}

/// On a cluster in memory nothing is lost by acting, and only what is done can be shown: mode `Plan` is for real clusters.
fn acting(node: NodeSpec) -> NodeSpec {
    if node.reconciler.mode != Mode::Plan {
        return node;
    }
    let reconciler = Reconciler { mode: Mode::Enforce, ..Reconciler::clone(&node.reconciler) };
    NodeSpec { reconciler: Arc::new(reconciler), ..node }
}

/// Our own objects are what is rehearsed, not what it is rehearsed on.
fn is_ours(document: &Document) -> bool {
    let kind = Kind::new(
        document.value["apiVersion"].as_str().unwrap_or_default(),
        document.value["kind"].as_str().unwrap_or_default(),
    );
    kind == *RECONCILER || kind == *RENDERER || is_canned(&document.value)
}
