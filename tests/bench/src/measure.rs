//! One measurement: a fresh control plane, one operator, many APIs at a fixed rate.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::{StreamExt, TryStreamExt};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, ResourceExt};
use mizzen_testcluster::ControlPlane;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::operator::{Kind, Operator};

const NAMESPACE: &str = "components";

/// Measures; gives seconds from the first creation to the last status, latencies, CPU, memory, writes.
pub(crate) async fn converge(kind: Kind, count: usize, rate: u32) -> anyhow::Result<Value> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/samples");
    let cluster = ControlPlane::builder().mesh_crds(true).crds(samples.join("crds")).start().await?;
    cluster.apply_yaml(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}}}}}")).await?;
    let client = cluster.client()?;
    let operator = Operator::start(kind, &cluster.kubeconfig_path())?;
    let mut routes = watch_routes(client.clone());
    // The first API warms both up: caches are filled, connections open, code is compiled.
    create(&client, "warm").await?;
    routes.recv().await.context("no watch")?;
    let (writes, cpu) = (cluster.writes().await?, operator.cpu_seconds()?);

    let started = Instant::now();
    let creating = create_all(client.clone(), count, rate);
    let seen = async {
        let mut seen = HashMap::new();
        while seen.len() < count {
            let (name, at) = routes.recv().await.context("the watch has ended")?;
            seen.entry(name).or_insert(at);
        }
        anyhow::Ok(seen)
    };
    let (created, seen) = tokio::try_join!(creating, seen)?;
    while ready(&client).await? <= count {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let seconds = started.elapsed().as_secs_f64();
    let mut latencies: Vec<f64> = created
        .iter()
        .filter_map(|(name, at)| Some(seen.get(name)?.saturating_duration_since(*at).as_secs_f64() * 1000.0))
        .collect();
    latencies.sort_by(f64::total_cmp);
    let at =
        |share: usize| latencies.get((latencies.len() * share / 100).min(latencies.len().saturating_sub(1))).copied();
    let written = cluster.writes().await?.since(&writes).without_heartbeats();
    // What was created by us is no write of the operator's.
    let writes = written.total().saturating_sub(2 * count as u64);
    Ok(
        json!({"seconds": seconds, "p50Millis": at(50), "p99Millis": at(99), "cpuSeconds": operator.cpu_seconds()? - cpu,
              "rssMiB": operator.rss_mib()?, "writes": writes}),
    )
}

async fn create_all(client: Client, count: usize, rate: u32) -> anyhow::Result<Vec<(String, Instant)>> {
    let mut pace = tokio::time::interval(Duration::from_secs(1) / rate);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let names = futures::stream::unfold((pace, 0), |(mut pace, at)| async move {
        pace.tick().await;
        Some((format!("api-{at}"), (pace, at + 1)))
    });
    let create = |name: String| {
        let client = client.clone();
        async move { create(&client, &name).await.map(|at| (name, at)) }
    };
    names.take(count).map(create).buffer_unordered(32).try_collect().await
}

/// Creates the endpoints and the API; gives the moment before the API was sent.
async fn create(client: &Client, name: &str) -> anyhow::Result<Instant> {
    let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": format!("{name}-1"), "labels": {"kubernetes.io/service-name": name}},
        "ports": [{"name": "http", "port": 8080}], "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": true}}]});
    let slices = api(client, "discovery.k8s.io/v1", "EndpointSlice", "endpointslices");
    slices.patch(&format!("{name}-1"), &PatchParams::apply("bench"), &Patch::Apply(&slice)).await?;
    // A quarter has metrics.
    let kind = if name.ends_with(['0', '4', '8']) { "prometheus" } else { "openapi" };
    let document = json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI", "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"name": name, "apiType": kind, "implementation": name, "path": format!("/{name}"), "port": 8080}});
    let at = Instant::now();
    let document: DynamicObject = serde_json::from_value(document)?;
    api(client, "oda.tmforum.org/v1", "ExposedAPI", "exposedapis").create(&PostParams::default(), &document).await?;
    Ok(at)
}

async fn ready(client: &Client) -> anyhow::Result<usize> {
    let apis = api(client, "oda.tmforum.org/v1", "ExposedAPI", "exposedapis").list(&ListParams::default()).await?;
    Ok(apis.iter().filter(|api| api.data["status"]["implementation"]["ready"] == true).count())
}

/// Names of routes with the moment at which each was first seen.
fn watch_routes(client: Client) -> mpsc::UnboundedReceiver<(String, Instant)> {
    let (sender, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let routes = api(&client, "networking.istio.io/v1", "VirtualService", "virtualservices");
        let mut touched =
            std::pin::pin!(watcher(routes, watcher::Config::default()).default_backoff().applied_objects());
        while let Some(Ok(route)) = touched.next().await {
            if sender.send((route.name_any(), Instant::now())).is_err() {
                return;
            }
        }
    });
    seen
}

fn api(client: &Client, api_version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
    Api::namespaced_with(client.clone(), NAMESPACE, &resource)
}
