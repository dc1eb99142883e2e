//! Compatibility with Kyma's custom resource.

use std::path::Path;

use serde_json::{Value, json};

use super::*;

/// A spec with every field.
fn everything() -> Value {
    let k8s = json!({
        "hpaSpec": {"minReplicas": 1, "maxReplicas": 3},
        "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
    });
    let resources = k8s["resources"].clone();
    json!({
        "config": {
            "numTrustedProxies": 4_294_967_295_u32,
            "forwardClientCertDetails": "ALWAYS_FORWARD_ONLY",
            "authorizers": [{
                "name": "a", "service": "auth/a.example.com", "port": 8080, "pathPrefix": "/check?path=",
                "timeout": "3s",
                "headers": {
                    "inCheck": {"include": ["x-a"], "add": {"x-b": "c"}},
                    "toUpstream": {"onAllow": ["x-*"]},
                    "toDownstream": {"onAllow": ["x-c"], "onDeny": ["*-d"]},
                },
            }],
            "gatewayExternalTrafficPolicy": "Local",
            "telemetry": {"metrics": {"prometheusMerge": true}},
            "trustDomain": "example.com",
            "enableDNSProxying": true,
            "proxyStatsMatcher": {"inclusionRegexps": [".*outlier.*"]},
        },
        "components": {
            "pilot": {"k8s": k8s},
            "ingressGateway": {"k8s": k8s},
            "egressGateway": {"enabled": true, "k8s": k8s},
            "cni": {"k8s": {"affinity": {"nodeAffinity": {"x": [1]}}, "resources": resources}},
            "proxy": {"k8s": {"resources": resources}},
        },
        "compatibilityMode": true,
        "networkPoliciesEnabled": true,
        "experimental": {
            "pilot": {"enableAlphaGatewayAPI": true, "enableMultiNetworkDiscoverGatewayAPI": false},
            "enableDualStack": true,
            "enableAmbient": false,
        },
    })
}

/// Fields of `value` that the schema does not have: the API server would drop them.
fn unknown(schema: &Value, value: &Value, path: &str) -> Vec<String> {
    if schema["x-kubernetes-preserve-unknown-fields"] == json!(true) && schema.get("properties").is_none() {
        return Vec::new();
    }
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| {
                let path = format!("{path}.{name}");
                match schema["properties"].get(name).or(schema.get("additionalProperties")) {
                    Some(schema) => unknown(schema, value, &path),
                    None => vec![path],
                }
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(|item| unknown(&schema["items"], item, path)).collect(),
        _ => Vec::new(),
    }
}

fn schema() -> Value {
    crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take()
}

#[test]
fn the_crd_in_deploy_is_the_one_that_the_types_generate() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/crds/istios.mizzen.dev.yaml");
    mizzen_model::crd::assert_file(&file, &crd());
}

#[test]
fn a_spec_of_kyma_passes_through_the_types_unchanged() {
    let spec: Spec = serde_json::from_value(everything()).unwrap();
    assert_eq!(serde_json::to_value(spec).unwrap(), everything());
    assert_eq!(serde_json::to_value(serde_json::from_value::<Spec>(json!({})).unwrap()).unwrap(), json!({}));
}

#[test]
fn the_api_server_keeps_every_field_of_kyma() {
    let schema = schema();
    assert_eq!(unknown(&schema["properties"]["spec"], &everything(), "spec"), Vec::<String>::new());
    let status = json!({"state": "Ready", "description": "d", "conditions": [{"type": "Ready", "status": "True",
        "reason": "R", "message": "m", "lastTransitionTime": "t", "observedGeneration": 1}]});
    assert_eq!(unknown(&schema["properties"]["status"], &status, "status"), Vec::<String>::new());
}

#[test]
fn an_unknown_experimental_feature_is_kept() {
    let spec =
        json!({"experimental": {"enableAmbient": true, "enableNext": {"a": [1]}, "pilot": {"enableOther": "x"}}});
    let typed: Spec = serde_json::from_value(spec.clone()).unwrap();
    assert_eq!(serde_json::to_value(typed).unwrap(), spec);
    let experimental = &schema()["properties"]["spec"]["properties"]["experimental"];
    for level in [experimental, &experimental["properties"]["pilot"]] {
        assert_eq!(level["x-kubernetes-preserve-unknown-fields"], true);
        assert_eq!(level.get("additionalProperties"), None, "beside `properties` the API server refuses it");
    }
}

#[test]
fn conditions_of_several_reconcilers_are_merged_by_type() {
    let conditions = &schema()["properties"]["status"]["properties"]["conditions"];
    assert_eq!(conditions["x-kubernetes-list-type"], "map");
    assert_eq!(conditions["x-kubernetes-list-map-keys"], json!(["type"]));
}

#[test]
fn the_schema_restricts_values() {
    let schema = schema();
    let spec = &schema["properties"]["spec"]["properties"];
    let config = &spec["config"]["properties"];
    assert_eq!(config["trustDomain"]["maxLength"], 255);
    assert_eq!(config["gatewayExternalTrafficPolicy"]["enum"], json!(["Local", "Cluster"]));
    assert_eq!(
        (&config["numTrustedProxies"]["minimum"], &config["numTrustedProxies"]["maximum"]),
        (&json!(0), &json!(4_294_967_295_u32))
    );
    assert_eq!(config["authorizers"]["items"]["required"], json!(["name", "port"]));
    let k8s = &spec["components"]["properties"]["pilot"]["properties"]["k8s"];
    let rolling = &k8s["properties"]["strategy"]["properties"]["rollingUpdate"];
    let surge = &rolling["properties"]["maxSurge"];
    assert_eq!((&surge["x-kubernetes-int-or-string"], surge.get("type")), (&json!(true), None));
}
