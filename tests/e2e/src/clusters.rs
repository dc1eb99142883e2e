//! The clusters that tests start with.

use std::path::Path;

use mizzen_testcluster::{Builder, ControlPlane};
use serde_json::{Value, json};

use crate::{Objects, repository};

/// The ingress gateway of the samples, below `deploy`: part of an Istio that was not installed by Mizzen.
pub const INGRESS_GATEWAY: &str = "samples/own-istio/ingress-gateway.yaml";

/// Returns a builder of a control plane with the definitions of Istio, of Mizzen and of the samples.
pub fn definitions() -> Builder {
    let builder = ControlPlane::builder().mesh_crds();
    builder.crds(repository("deploy/crds")).crds(repository("deploy/samples/crds"))
}

/// Creates a namespace.
pub async fn namespace(cluster: &ControlPlane, name: &str) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    cluster.apply_yaml(&namespace.to_string()).await.unwrap();
}

/// Returns the `Reconciler` document that is shipped beside a plugin.
pub fn shipped(plugin: &str) -> Value {
    let file = repository(&format!("plugins/{plugin}/reconciler.yaml"));
    mizzen_model::yaml::load(Path::new(&file)).unwrap().remove(0).value
}

/// Starts a control plane with the shipped configuration, an Istio, and a gateway with an address, but
/// without APIs. `None` where no control plane can be started.
pub async fn shipped_cluster() -> Option<(ControlPlane, Objects)> {
    let cluster = definitions().start_for_test().await?;
    for path in ["samples/mesh/00-namespaces.yaml", "samples/mesh/10-istio.yaml", INGRESS_GATEWAY, "reconcilers.yaml"] {
        cluster.apply_path(&repository("deploy").join(path)).await.unwrap();
    }
    let objects = Objects(cluster.client().unwrap());
    Some((cluster, objects))
}
