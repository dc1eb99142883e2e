//! What the tests start from.

use mizzen_testcluster::{Builder, ControlPlane};

use crate::{Objects, repository};

/// The ingress gateway of the samples, in `deploy`: of an Istio that somebody else installed.
pub const INGRESS_GATEWAY: &str = "samples/own-istio/ingress-gateway.yaml";

/// A control plane to be, with Istio's definitions, ours, and those of the samples.
pub fn definitions() -> Builder {
    let builder = ControlPlane::builder().mesh_crds(true);
    builder.crds(repository("deploy/crds")).crds(repository("deploy/samples/crds"))
}

/// A control plane with the shipped configuration, an Istio, and a gateway with an address; no APIs yet. `None` where none can be started.
pub async fn shipped_cluster() -> Option<(ControlPlane, Objects)> {
    let cluster = definitions().start_for_test().await?;
    for path in ["samples/mesh/00-namespaces.yaml", "samples/mesh/10-istio.yaml", INGRESS_GATEWAY, "reconcilers.yaml"] {
        cluster.apply_path(&repository("deploy").join(path)).await.unwrap();
    }
    let objects = Objects(cluster.client().unwrap());
    Some((cluster, objects))
}
