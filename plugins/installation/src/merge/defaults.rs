//! The lowest layer: the defaults.

use serde_json::{Value, json};

use crate::config::Config;

pub(super) fn layer(config: &Config) -> Value {
    json!({
        "profile": config.profile,
        "hub": config.hub,
        "tag": config.tag,
        "components": {
            "base": {"enabled": true},
            "pilot": {"enabled": true, "k8s": {
                "hpaSpec": {"minReplicas": 2, "maxReplicas": 5},
                "resources": resources(["100m", "512Mi"], ["4000m", "2Gi"]),
            }},
            // Without the CNI every workload needs a container with the right to change the
            // network.
            "cni": {"enabled": true, "k8s": {"resources": resources(["100m", "512Mi"], ["500m", "1Gi"])}},
            "ingressGateways": [{"name": "istio-ingressgateway", "enabled": true, "k8s": {
                "hpaSpec": {"minReplicas": 3, "maxReplicas": 10},
                // No gateway is stopped before its replacement is available: all incoming traffic
                // passes through them.
                "strategy": {"rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}},
                "resources": resources(["100m", "128Mi"], ["2000m", "1Gi"]),
            }}],
            "egressGateways": [{"name": "istio-egressgateway", "enabled": false}],
        },
        "meshConfig": {
            // A workload that starts before its proxy has no network.
            "defaultConfig": {"holdApplicationUntilProxyStarts": true},
        },
        "values": {
            // Validates objects without a revision label: `istioctl install` adds this apart from
            // what it renders.
            "defaultRevision": "default",
            "global": {
                "istioNamespace": config.namespace,
                "imagePullSecrets": config.pull_secrets,
                "proxy": {"resources": resources(["10m", "192Mi"], ["1000m", "1Gi"])},
            },
        },
    })
}

/// CPU and memory: requests, and limits.
pub(super) fn resources(requests: [&str; 2], limits: [&str; 2]) -> Value {
    let amounts = |[cpu, memory]: [&str; 2]| json!({"cpu": cpu, "memory": memory});
    json!({"requests": amounts(requests), "limits": amounts(limits)})
}
