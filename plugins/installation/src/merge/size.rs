//! The layer for the cluster's size: in a small cluster the mesh uses less.

use serde_json::{Value, json};

use super::defaults::resources;
use crate::environment::Size;

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
