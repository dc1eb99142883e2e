//! A new control plane with a mesh, and APIs that are published through it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::{StreamExt, TryStreamExt};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use mizzen_bench::resource;
use mizzen_testcluster::ControlPlane;
use serde_json::json;

/// The namespace of the APIs.
pub(crate) const NAMESPACE: &str = "components";

/// How many requests create objects at once.
const AT_ONCE: usize = 32;

/// A file or folder of this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Starts a control plane with the mesh of the samples: definitions, a Gateway, and an ingress gateway with an
/// address.
pub(crate) async fn start() -> anyhow::Result<ControlPlane> {
    let builder = ControlPlane::builder().mesh_crds();
    let cluster = builder.crds(repository("deploy/crds")).crds(repository("deploy/samples/crds")).start().await?;
    for file in ["mesh/00-namespaces.yaml", "mesh/10-istio.yaml", "own-istio/ingress-gateway.yaml"] {
        cluster.apply_path(&repository("deploy/samples").join(file)).await?;
    }
    let services: Api<k8s_openapi::api::core::v1::Service> = Api::namespaced(cluster.client()?, "istio-system");
    let address = json!({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}});
    services.patch_status("istio-ingressgateway", &PatchParams::default(), &Patch::Merge(&address)).await?;
    Ok(cluster)
}

/// Objects of a kind in [`NAMESPACE`].
pub(crate) fn objects(client: &Client, kind: &ApiResource) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), NAMESPACE, kind)
}

/// Creates APIs `<prefix>-0`, `<prefix>-1`, … with their endpoints, at a rate per second or as fast as possible.
/// Returns for each the time just before its request.
pub(crate) async fn create_apis(
    client: &Client,
    prefix: &str,
    count: usize,
    rate: Option<u32>,
) -> anyhow::Result<Vec<(String, Instant)>> {
    let mut pace = tokio::time::interval(rate.map_or(Duration::from_nanos(1), |rate| Duration::from_secs(1) / rate));
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let names = futures::stream::unfold((pace, 0), |(mut pace, at)| async move {
        pace.tick().await;
        Some((at, (pace, at + 1)))
    });
    let created = names.take(count).map(|at| create_api(client, format!("{prefix}-{at}"), at));
    created.buffer_unordered(AT_ONCE).try_collect().await
}

/// Creates the endpoints and the API. One API in four serves metrics.
async fn create_api(client: &Client, name: String, at: usize) -> anyhow::Result<(String, Instant)> {
    let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": format!("{name}-1"), "labels": {"kubernetes.io/service-name": name}},
        "ports": [{"name": "http", "port": 8080}], "endpoints": [{"addresses": ["10.1.0.1"],
            "conditions": {"ready": true}}]});
    let kind = GroupVersionKind::gvk("discovery.k8s.io", "v1", "EndpointSlice");
    let slices = ApiResource::from_gvk_with_plural(&kind, "endpointslices");
    let slice: DynamicObject = serde_json::from_value(slice)?;
    objects(client, &slices).create(&PostParams::default(), &slice).await.context("creating an EndpointSlice")?;
    let kind = if at.is_multiple_of(4) { "prometheus" } else { "openapi" };
    let api = json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI", "metadata": {"name": name},
        "spec": {"name": name, "apiType": kind, "implementation": name, "path": format!("/{name}"), "port": 8080,
                 "segment": "coreFunction", "developerUI": format!("/{name}/docs")}});
    let api: DynamicObject = serde_json::from_value(api)?;
    let sent = Instant::now();
    objects(client, &resource()).create(&PostParams::default(), &api).await.context("creating an ExposedAPI")?;
    Ok((name, sent))
}
