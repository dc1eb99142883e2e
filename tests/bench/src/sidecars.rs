//! The costs of deciding which workloads of a large mesh must be restarted, on a real API server: memory, bytes
//! read, and the cost of a change of one Pod.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::{StreamExt, TryStreamExt};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::mesh_cluster::{repository, start};
use crate::operator::{Operator, Setup, cache, plugins};
use crate::restarts::{IMAGE, NAMESPACE, REPLICAS, deployment, pod, replica_set};

const RECONCILER: &str = "sidecar-restart";

/// How many requests create objects at once.
const AT_ONCE: usize = 64;

/// How long the host may take to have read all Pods.
const LONGEST: Duration = Duration::from_mins(10);

/// The time without calls after which the host counts as settled.
const QUIET: Duration = Duration::from_secs(3);

/// Measures the memory of the host with `count` Pods and their workloads, the bytes that it reads to decide that
/// none must be restarted, and its calls after a change of a field that is not read and after a sidecar is outdated.
pub(crate) async fn sidecars(count: usize) -> anyhow::Result<Value> {
    let cluster = start().await?;
    let client = cluster.client()?;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE,
        "labels": {"istio-injection": "enabled"}}});
    cluster.apply_yaml(&namespace.to_string()).await?;
    let began = Instant::now();
    let workloads = futures::stream::iter(0..count / REPLICAS).map(|workload| create(&client, workload));
    workloads.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    eprintln!("{count} Pods created in {:.0} s", began.elapsed().as_secs_f64());

    let configuration = configuration()?;
    let setup = Setup { plugins: plugins()?, components: &["sidecar-restart.wasm"], configuration: &configuration };
    let cache = cache()?;
    setup.compile(&cache).await?;
    let began = Instant::now();
    let mut operator = Operator::mizzen(&setup, &cluster.kubeconfig_path(), &cache)?;
    operator.ready().await?;
    let calls = settled(&mut operator, 0).await?;
    let mut figures = json!({
        "startToAnswerSeconds": began.elapsed().saturating_sub(QUIET).as_secs_f64(), "calls": calls,
        "readBytes": operator.metric_of(RECONCILER, "mizzen_read_bytes_total").await?,
        "rssMiB": operator.rss_mib()?, "peakRssMiB": operator.peak_rss_mib()?, "cpuSeconds": operator.cpu_seconds()?,
    });
    let one = pods(&client);
    let name = pod(0, 0)["metadata"]["name"].as_str().context("a Pod has a name")?.to_owned();
    let unread = json!({"metadata": {"annotations": {"unread": "changed"}}});
    one.patch(&name, &PatchParams::default(), &Patch::Merge(&unread)).await?;
    tokio::time::sleep(QUIET).await;
    let unread = operator.metric_of(RECONCILER, "mizzen_calls_total").await? - calls;

    let changed = Instant::now();
    let other = json!({"spec": {"initContainers": [{"name": "istio-proxy",
        "image": "images.example.com/istio/proxyv2:1.30.0"}]}});
    one.patch(&name, &PatchParams::default(), &Patch::Strategic(&other)).await?;
    let deployments = api(&client, "apps/v1", "Deployment");
    loop {
        operator.runs()?;
        let own = deployments.get("app-0").await?;
        if own.data["spec"]["template"]["metadata"]["annotations"].is_object() {
            break;
        }
        ensure!(changed.elapsed() < LONGEST, "app-0 is not restarted; its log:\n{}", operator.logged());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let millis = changed.elapsed().as_secs_f64() * 1e3;
    let after = settled(&mut operator, calls + unread).await?;
    figures["callsAfterAnUnreadChange"] = json!(unread);
    figures["callsAfterAnOutdatedSidecar"] = json!(after - calls - unread);
    figures["changeToRestartMillis"] = json!(millis);
    Ok(figures)
}

/// Returns the shipped document of `sidecar-restart`, with a fixed image and without predecessors.
fn configuration() -> anyhow::Result<String> {
    let documents = mizzen_model::yaml::load(&repository("deploy/mesh.yaml"))
        .map_err(|errors| anyhow::anyhow!("deploy/mesh.yaml: {errors:?}"))?;
    let own = documents.into_iter().map(|document| document.value).find(|own| own["metadata"]["name"] == RECONCILER);
    let mut own = own.context("deploy/mesh.yaml has no sidecar-restart")?;
    let spec = own["spec"].as_object_mut().context("it has no spec")?;
    spec.retain(|field, _| !["after", "afterAny"].contains(&field.as_str()));
    spec.insert("config".to_owned(), json!({"image": IMAGE}));
    Ok(own.to_string())
}

/// Waits until the plugin has more calls than `before`, and then none for [`QUIET`]. Returns their number.
async fn settled(operator: &mut Operator, before: u64) -> anyhow::Result<u64> {
    let began = Instant::now();
    let (mut calls, mut since) = (before, Instant::now());
    while calls == before || since.elapsed() < QUIET {
        operator.runs()?;
        ensure!(began.elapsed() < LONGEST, "it does not settle; its log:\n{}", operator.logged());
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = operator.metric_of(RECONCILER, "mizzen_calls_total").await?;
        if now != calls {
            (calls, since) = (now, Instant::now());
        }
    }
    Ok(calls)
}

/// Creates a workload with its Pods, in the state in which controllers and the kubelet leave them.
async fn create(client: &Client, workload: usize) -> anyhow::Result<()> {
    let owners = [("apps/v1", "Deployment", deployment(workload)), ("apps/v1", "ReplicaSet", replica_set(workload))];
    let pods = (0..REPLICAS).map(|replica| ("v1", "Pod", pod(workload, replica)));
    for (version, kind, object) in owners.into_iter().chain(pods) {
        put(&api(client, version, kind), object).await.with_context(|| format!("creating a {kind}"))?;
    }
    Ok(())
}

/// Creates an object, and then writes its status.
async fn put(api: &Api<DynamicObject>, mut object: Value) -> anyhow::Result<()> {
    let status = object["status"].take();
    complete(&mut object);
    let created = api.create(&PostParams::default(), &serde_json::from_value(object)?).await?;
    if status.is_object() {
        let name = created.metadata.name.context("it has no name")?;
        api.patch_status(&name, &PatchParams::default(), &Patch::Merge(&json!({"status": status}))).await?;
    }
    Ok(())
}

/// Adds the fields that the API server requires and no plugin reads.
fn complete(object: &mut Value) {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("uid");
        metadata.remove("generation");
        for owner in metadata.get_mut("ownerReferences").and_then(Value::as_array_mut).into_iter().flatten() {
            owner["uid"] = json!("0b7f7a0e-2f5e-4c3c-9d0c-1c6f6f1f3a11");
        }
    }
    if object["kind"] == "Pod" {
        for list in ["containers", "initContainers"] {
            for container in object["spec"][list].as_array_mut().into_iter().flatten() {
                if container["image"].is_null() {
                    container["image"] = json!("images.example.com/shop/app:1.4.2");
                }
            }
        }
        return;
    }
    let labels = json!({"app": object["metadata"]["name"]});
    let containers = json!([{"name": "app", "image": "images.example.com/shop/app:1.4.2"}]);
    object["spec"]["selector"] = json!({"matchLabels": labels});
    object["spec"]["template"] = json!({"metadata": {"labels": labels}, "spec": {"containers": containers}});
}

fn pods(client: &Client) -> Api<DynamicObject> {
    api(client, "v1", "Pod")
}

fn api(client: &Client, version: &str, kind: &str) -> Api<DynamicObject> {
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    Api::namespaced_with(client.clone(), NAMESPACE, &resource)
}
