//! Every field of the custom resource, merged into an `IstioOperator` by the `installation` plugin,
//! is rendered as istioctl renders it, and matters.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod support;

use std::sync::{Arc, Mutex};

use mizzen_plugin_installation::Installation;
use mizzen_sdk::renderers::RenderError;
use mizzen_sdk::testing::{self, Cluster};
use serde_json::{Value, json};
use support::compare::{VERSION, both, compare};

/// The `IstioOperator` that the plugin has rendered for a mesh with this spec.
fn merged(spec: &Value) -> Value {
    let captured: Arc<Mutex<Option<Value>>> = Arc::default();
    let capture = Arc::clone(&captured);
    let istio = json!({
        "apiVersion": "mizzen.dev/v1alpha1", "kind": "Istio", "spec": spec,
        "metadata": {"name": "default", "namespace": "mesh", "creationTimestamp": "2026-01-02T00:00:00Z"},
    })
    .to_string();
    let node = "{apiVersion: v1, kind: Node, metadata: {name: node}, status: {capacity: {cpu: '16', memory: 64Gi}}}";
    let cluster = Cluster::new().with(&istio).with(node).with_renderer(
        "istio",
        &[("istio.io/version", VERSION)],
        move |document| {
            *capture.lock().unwrap() = Some(document.clone());
            Err(RenderError::Rejected("the test only captures the document".into()))
        },
    );
    let outcome = testing::reconcile::<Installation>(&cluster, &istio, &json!({}));
    let operator = captured.lock().unwrap().take();
    operator.unwrap_or_else(|| panic!("nothing was rendered for {spec}: {outcome:?}"))
}

/// Every field of Kyma's custom resource, each by itself.
fn fields() -> Vec<Value> {
    let k8s = json!({
        "hpaSpec": {"minReplicas": 3, "maxReplicas": 7},
        "strategy": {"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 0}},
        "resources": {"requests": {"cpu": "150m", "memory": "200Mi"}, "limits": {"cpu": "2", "memory": "1024Mi"}},
    });
    let resources = json!({"resources": {"requests": {"cpu": "5m", "memory": "33Mi"},
        "limits": {"cpu": "251m", "memory": "255Mi"}}});
    let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}]},
    ]}}});
    let authorizer = json!({
        "name": "oauth", "service": "oauth.auth.svc.cluster.local", "port": 8000, "pathPrefix": "/check",
        "timeout": "1.5s",
        "headers": {
            "inCheck": {"include": ["cookie", "x-user-*"], "add": {"x-mesh": "on", "x-number": "1"}},
            "toUpstream": {"onAllow": ["x-user"]},
            "toDownstream": {"onAllow": ["set-cookie"], "onDeny": ["content-type"]},
        },
    });
    let config = |config: Value| json!({"config": config});
    let components = |components: Value| json!({"components": components});
    let mut fields = vec![
        config(json!({"numTrustedProxies": 4_294_967_295_u32})),
        config(json!({"authorizers": [authorizer,
                {"name": "plain", "service": "plain.auth.svc.cluster.local", "port": 80}]})),
        config(json!({"gatewayExternalTrafficPolicy": "Local"})),
        config(json!({"gatewayExternalTrafficPolicy": "Cluster"})),
        config(json!({"telemetry": {"metrics": {"prometheusMerge": true}}})),
        config(json!({"trustDomain": "mesh.example.com"})),
        config(json!({"enableDNSProxying": true})),
        config(json!({"proxyStatsMatcher": {"inclusionRegexps": [".*upstream_rq_.*", r"listener\.(80|443)\..*"]}})),
        components(json!({"pilot": {"k8s": k8s}})),
        components(json!({"ingressGateway": {"k8s": k8s}})),
        components(json!({"egressGateway": {"enabled": true, "k8s": k8s}})),
        components(json!({"cni": {"k8s": {"affinity": affinity}}})),
        components(json!({"cni": {"k8s": resources}})),
        components(json!({"proxy": {"k8s": resources}})),
        json!({"compatibilityMode": true}),
        json!({"networkPoliciesEnabled": true}),
        json!({"experimental": {"pilot": {"enableAlphaGatewayAPI": true}}}),
        json!({"experimental": {"pilot": {"enableMultiNetworkDiscoverGatewayAPI": true}}}),
        json!({"experimental": {"enableDualStack": true}}),
        json!({"experimental": {"enableAmbient": true}}),
    ];
    for details in ["APPEND_FORWARD", "SANITIZE", "ALWAYS_FORWARD_ONLY", "FORWARD_ONLY"] {
        fields.push(config(json!({"forwardClientCertDetails": details})));
    }
    fields
}

#[test]
fn every_field_of_the_custom_resource_is_rendered_as_istioctl_renders_it_and_makes_a_difference() {
    let Some((client, istioctl)) = both() else { return };
    let plain = compare(&client, &istioctl, &merged(&json!({})), "nothing set");
    let indifferent: Vec<_> = fields()
        .into_iter()
        .filter(|spec| compare(&client, &istioctl, &merged(spec), &spec.to_string()) == plain)
        .map(|spec| spec.to_string())
        .collect();
    assert!(indifferent.is_empty(), "no effect on the rendering: {}", indifferent.join("\n"));
}
