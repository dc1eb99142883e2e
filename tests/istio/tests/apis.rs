//! `istioctl validate` finds nothing wrong with what `api-operator` publishes an API with.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mizzen_istio_tests::Istioctl;
use mizzen_plugin_api_operator::ApiOperator;
use mizzen_sdk::testing::{self, Cluster};
use serde_json::{Value, json};

/// Everything that is emitted for APIs of every shape.
fn emitted() -> Vec<Value> {
    let cluster = Cluster::new().with(
        "{apiVersion: v1, kind: Service, metadata: {name: catalog, namespace: shop}, \
          spec: {selector: {app: catalog}, ports: [{port: 8080, targetPort: 9090}]}}",
    );
    let limit = json!({"enabled": true, "limit": "100", "interval": "pm"});
    let shapes = [
        json!({"path": "/"}),
        json!({"path": "/", "rateLimit": limit}),
        json!({"path": "/a.b/c", "hostname": "*.example.com", "rateLimit": limit, "apiType": "mcp"}),
        json!({"path": "/a", "CORS": {"enabled": true}}),
        json!({"path": "/a", "CORS": {"enabled": true, "allowCredentials": true,
               "allowOrigins": "https://a.example.com:8443, https://*.b.example.com, null"}}),
        json!({"path": "/a", "CORS": {"enabled": true, "handlePreflightRequests": {"enabled": false}}}),
        json!({"path": "/metrics", "apiType": "openmetrics"}),
    ];
    let mut all = Vec::new();
    for (at, mut spec) in shapes.into_iter().enumerate() {
        spec["implementation"] = json!("catalog");
        spec["port"] = json!(8080);
        let api = json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI",
                         "metadata": {"name": format!("api-{at}"), "namespace": "shop"}, "spec": spec});
        let outcome = testing::reconcile::<ApiOperator>(&cluster, &api.to_string(), &json!({})).unwrap();
        all.extend(outcome.desired.unwrap());
    }
    all
}

fn documents(objects: &[Value]) -> String {
    objects.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n")
}

/// What it says beside that these objects are valid, and that filters of Envoy are to be used with care.
fn faults(said: &str) -> Vec<&str> {
    let harmless = ["exposes internal implementation details", "is valid", "validation succeed"];
    said.lines().filter(|line| !line.trim().is_empty() && !harmless.iter().any(|text| line.contains(text))).collect()
}

#[test]
fn what_an_api_is_published_with_is_valid() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let all = emitted();
    assert_eq!(all.iter().filter(|object| object["kind"] == "EnvoyFilter").count(), 2);
    assert_eq!(faults(&istioctl.validate(&documents(&all)).unwrap()), Vec::<&str>::new());
}

#[test]
fn a_limit_with_a_field_that_envoy_does_not_know_would_be_a_fault() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let mut all = emitted();
    all.retain(|object| object["kind"] == "EnvoyFilter");
    let settings = &mut all[0]["spec"]["configPatches"][0]["patch"]["value"]["typed_config"];
    settings["token_buckets"] = settings["token_bucket"].take();
    let said = istioctl.validate(&documents(&all)).unwrap();
    assert!(faults(&said)[0].contains("unknown field \"token_buckets\""), "{said}");
}
