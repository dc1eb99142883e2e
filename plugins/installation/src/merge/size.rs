//! The cluster's size: in a small cluster the mesh uses less.

use mizzen_sdk::k8s::Quantity;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::defaults::resources;

/// The cluster's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// A cluster for tests: one replica each, with few resources.
    Small,
    /// A cluster with real load.
    Full,
}

/// Cores of all nodes below which a cluster is small.
const CPU: Quantity = Quantity::whole(5);
/// Bytes of all nodes below which a cluster is small.
const MEMORY: Quantity = Quantity::whole(10_000_000_000);

impl Size {
    /// The size by the capacity of all nodes. Behaviour: Kyma (5 CPU, 10 GB).
    pub(crate) fn of(cpu: Quantity, memory: Quantity) -> Self {
        if cpu < CPU || memory < MEMORY { Self::Small } else { Self::Full }
    }
}

pub(super) fn layer(size: Size) -> Value {
    match size {
        Size::Full => Value::Null,
        Size::Small => json!({
            "components": {
                "pilot": {"k8s": {
                    "hpaSpec": {"minReplicas": 1, "maxReplicas": 1},
                    "resources": resources(["50m", "128Mi"], ["1000m", "1Gi"]),
                }},
                "cni": {"k8s": {"resources": resources(["10m", "128Mi"], ["250m", "384Mi"])}},
                "ingressGateways": [{"name": "istio-ingressgateway", "k8s": {
                    "hpaSpec": {"minReplicas": 1, "maxReplicas": 1},
                    "resources": resources(["10m", "32Mi"], ["1000m", "1Gi"]),
                }}],
            },
            "values": {"global": {"proxy": {"resources": resources(["10m", "32Mi"], ["250m", "256Mi"])}}},
        }),
    }
}
