//! The cost of an installation of Istio: one version is rendered in the sandbox, by a renderer that was compiled
//! ahead, and all of its objects are applied.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use mizzen_testcluster::ControlPlane;
use serde_json::{Value, json};

use crate::mesh_cluster::repository;
use crate::operator::{Operator, Setup, cache, plugins};

/// The version that `deploy/mesh.yaml` installs.
pub(crate) const CLIENT: &str = "istio-client-1.31.0.wasm";

/// How long an installation may take.
const LONGEST: Duration = Duration::from_mins(5);

/// How often plugins were called.
const CALLS: &str = "mizzen_calls_total";

const SUBJECT: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: istio-system}}
---
{apiVersion: mizzen.dev/v1alpha1, kind: Istio, metadata: {name: default, namespace: istio-system}, spec: {}}
";

/// Measures a host with all of `deploy/mesh.yaml` that installs Istio on a cluster whose pods start: its memory,
/// the time of the installation and of the rendering in it, and the cost of another call without a change.
pub(crate) async fn install() -> anyhow::Result<Value> {
    let builder = ControlPlane::builder().controller_manager().scheduler().kwok();
    let cluster = builder.service_monitors().crds(repository("deploy/crds")).start().await?;
    cluster.apply_yaml(SUBJECT).await?;
    let configuration = std::fs::read_to_string(repository("deploy/mesh.yaml"))?;
    let setup = Setup { plugins: plugins()?, components: &[], configuration: &configuration };
    let cache = cache()?;
    setup.compile_renderer(CLIENT, &cache).await?;

    let began = Instant::now();
    let mut operator = Operator::mizzen(&setup, &cluster.kubeconfig_path(), &cache)?;
    let istios = istios(cluster.client()?);
    ready(&istios, &mut operator).await?;
    let seconds = began.elapsed().as_secs_f64();
    let (rss, peak, cpu) = (operator.rss_mib()?, operator.peak_rss_mib()?, operator.cpu_seconds()?);

    let cold = rendered(&operator);
    let calls = operator.metric_of("installation", CALLS).await?;
    let touch = json!({"metadata": {"annotations": {"touched": "once"}}});
    istios.patch("default", &PatchParams::default(), &Patch::Merge(&touch)).await?;
    while operator.metric_of("installation", CALLS).await? == calls {
        operator.runs()?;
        ensure!(began.elapsed() < LONGEST, "the installation is not called again; its log:\n{}", operator.logged());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let again = rendered(&operator).len() - cold.len();
    let [first, ..] = cold.as_slice() else { bail!("nothing was rendered; its log:\n{}", operator.logged()) };
    Ok(json!({
        "secondsToReady": seconds, "cpuSeconds": cpu, "rssMiB": rss, "peakRssMiB": peak,
        "renderings": cold.len(), "renderMillis": first["millis"], "objects": first["objects"],
        "rendererBytes": first["memory"], "renderingsOfAnotherCall": again,
    }))
}

fn istios(client: Client) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("mizzen.dev", "v1alpha1", "Istio");
    Api::namespaced_with(client, "istio-system", &ApiResource::from_gvk_with_plural(&kind, "istios"))
}

/// Waits until the mesh is ready.
async fn ready(istios: &Api<DynamicObject>, operator: &mut Operator) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        operator.runs()?;
        let status = istios.get("default").await.context("the mesh's subject")?.data["status"].take();
        if status["state"] == "Ready" {
            return Ok(());
        }
        ensure!(began.elapsed() < LONGEST, "it is not ready: {status:#}; its log:\n{}", operator.logged());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Returns the log lines about renderings, in order.
fn rendered(operator: &Operator) -> Vec<Value> {
    let log = operator.logged();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == "rendered" || line["fields"]["message"] == "rendered").collect()
}
