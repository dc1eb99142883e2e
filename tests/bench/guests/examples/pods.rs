//! Reads five fields of every Pod of the cluster, and counts the Pods and those with a sidecar.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Query, Reconciler, Request, cluster};
use serde::Deserialize;
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Pods;

#[derive(Deserialize)]
struct Pod {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    image: String,
}

impl Reconciler for Pods {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        let fields = [
            "metadata.labels",
            "metadata.ownerReferences",
            "spec.nodeName",
            "spec.containers[*].image",
            "status.phase",
        ];
        Description::new("pods", "0.1.0", "Counts sidecars", Kind::new("mizzen.dev/v1alpha1", "Istio")).reads_fields(
            "workload",
            Kind::new("v1", "Pod"),
            &fields,
            "which Pods have a sidecar",
        )
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let (mut pods, mut with_sidecar) = (0, 0);
        for pod in cluster::scan::<Pod>(&Query::of(Kind::new("v1", "Pod")).fields("workload"))? {
            pods += 1;
            let sidecar = |container: &Container| container.image.contains("proxyv2");
            with_sidecar += usize::from(pod?.spec.containers.iter().any(sidecar));
        }
        Ok(Outcome::warning(format!("{pods} Pods, {with_sidecar} with a sidecar")))
    }
}

mizzen_sdk::export!(Pods);
