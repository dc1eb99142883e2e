//! What the tests start from.

use mizzen_testcluster::{Builder, ControlPlane};

use crate::{Objects, repository};

/// A control plane to be, with Istio's definitions, ours, and those of the samples.
pub fn definitions() -> Builder {
    let builder = ControlPlane::builder().mesh_crds(true);
    builder.crds(repository("deploy/crds")).crds(repository("deploy/samples/crds"))
}

/// A control plane with the shipped configuration, an Istio, and a gateway with an address; no APIs yet. `None` where none can be started.
pub async fn shipped_cluster() -> Option<(ControlPlane, Objects)> {
    let cluster = definitions().start_for_test().await?;
    for path in
        ["deploy/samples/mesh/00-namespaces.yaml", "deploy/samples/mesh/10-istio.yaml", "deploy/reconcilers.yaml"]
    {
        cluster.apply_path(&repository(path)).await.unwrap();
    }
    let objects = Objects(cluster.client().unwrap());
    Some((cluster, objects))
}
