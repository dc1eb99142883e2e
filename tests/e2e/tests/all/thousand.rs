//! A thousand APIs, with restarts, crashes, outages and new components while they converge.

use std::path::Path;
use std::time::Duration;

use kube::api::{DynamicObject, ListParams};
use mizzen_e2e::{Objects, Operator, TestGroup, condition, eventually, plugins, shipped_cluster, state};

const MANY: usize = 1_000;
const NAMESPACE: &str = "components";

async fn converged(objects: &Objects) {
    eventually("every API is ready", async || objects.ready_apis(NAMESPACE).await == MANY).await;
    eventually("every API has its route", async || objects.count_routes(NAMESPACE).await == MANY).await;
}

async fn idle(operator: &Operator) {
    eventually("nothing is left to do", async || {
        operator.metric("mizzen_subjects", &["api-operator", "ready"]).await == MANY as u64 && operator.is_idle().await
    })
    .await;
}

async fn routes(objects: &Objects) -> Vec<DynamicObject> {
    objects.routes(NAMESPACE).list(&ListParams::default()).await.unwrap().items
}

/// Replaces a component by another revision, as a deployment does: by renaming.
fn replace(plugins: &Path, name: &str, bytes: &[u8]) {
    let partial = plugins.join("partial");
    std::fs::write(&partial, bytes).unwrap();
    std::fs::rename(partial, plugins.join(name)).unwrap();
}

async fn mtls_digest(objects: &Objects) -> String {
    let reconciler = objects.reconcilers().get("mtls").await.unwrap();
    reconciler.data["status"]["digest"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_is_swapped_while_a_thousand_converge_and_a_restart_writes_nothing() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = shipped_cluster().await else { return };
    let plugins = plugins();
    let mut operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    eventually("mtls has its first digest", async || !mtls_digest(&objects).await.is_empty()).await;
    let first = mtls_digest(&objects).await;

    let creating = tokio::spawn({
        let objects = objects.clone();
        async move { objects.create_apis(NAMESPACE, MANY).await }
    });
    eventually("some have converged", async || objects.count_routes(NAMESPACE).await > 100).await;
    // An additional custom section: another revision with the same behaviour.
    let mut revised = std::fs::read(plugins.path().join("mtls.wasm")).unwrap();
    revised.extend([0, 8, 7, b'r', b'e', b'v', b'i', b's', b'e', b'd']);
    replace(plugins.path(), "mtls.wasm", &revised);
    creating.await.unwrap();
    converged(&objects).await;
    eventually("the new digest is in the status", async || mtls_digest(&objects).await != first).await;
    let second = mtls_digest(&objects).await;
    let errors: Vec<_> = operator.log().into_iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(errors, Vec::<serde_json::Value>::new());
    assert_eq!(operator.metric("mizzen_calls_total", &["mtls", "Trapped"]).await, 0);

    replace(plugins.path(), "mtls.wasm", b"garbage");
    eventually("the status reports that the newest revision does not load", async || {
        let reconciler = objects.reconcilers().get("mtls").await.unwrap();
        condition(&reconciler, "Loaded").is_some_and(|found| found.status == "False" && found.reason == "LoadFailed")
    })
    .await;
    assert_eq!(mtls_digest(&objects).await, second, "the last good revision keeps running");
    assert!(operator.runs());
    replace(plugins.path(), "mtls.wasm", &revised);
    eventually("it loads again", async || {
        let reconciler = objects.reconcilers().get("mtls").await.unwrap();
        condition(&reconciler, "Loaded").is_some_and(|found| found.status == "True")
    })
    .await;
    // While the other component was loaded, APIs were gated, and that was reported.
    idle(&operator).await;
    operator.stop().await;

    let before = cluster.writes().await.unwrap();
    let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    idle(&operator).await;
    assert!(operator.calls("api-operator").await >= MANY as u64, "each has had another call");
    let since = cluster.writes().await.unwrap().since(&before).without_heartbeats();
    assert_eq!(since.total(), 0, "{since}");
    assert_eq!(operator.metric("mizzen_writes_total", &[]).await, 0);
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_and_an_outage_lead_to_the_same_state() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = shipped_cluster().await else { return };
    objects.create_apis(NAMESPACE, MANY).await;
    let plugins = plugins();
    let crashing = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    eventually("it has written some routes", async || objects.count_routes(NAMESPACE).await > 200).await;
    crashing.kill().await;
    let written = objects.count_routes(NAMESPACE).await;
    assert!(written < MANY, "it had written all before it was killed");

    let mut operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    eventually("it writes more routes", async || objects.count_routes(NAMESPACE).await > written).await;
    cluster.stop_apiserver();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(operator.runs());
    cluster.start_apiserver().await.unwrap();
    converged(&objects).await;
    idle(&operator).await;

    let routes = routes(&objects).await;
    assert_eq!(routes.len(), MANY);
    for route in &routes {
        let name = route.metadata.name.as_deref().unwrap();
        let text = route.data["spec"].to_string();
        assert!(text.contains(&format!("\"/{name}\"")) && text.contains(&format!("\"host\":\"{name}\"")), "{text}");
        assert_eq!(route.metadata.owner_references.as_ref().map(Vec::len), Some(1));
    }
    let left = state(&routes);
    operator.stop().await;
    let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    idle(&operator).await;
    assert_eq!(state(&self::routes(&objects).await), left, "another start finds nothing to change");
    assert_eq!(operator.metric("mizzen_writes_total", &[]).await, 0);
    operator.stop().await;
}
