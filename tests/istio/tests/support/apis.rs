//! The objects that `api-operator` desires for APIs.

use mizzen_plugin_api_operator::ApiOperator;
use mizzen_sdk::testing::{self, Cluster};
use serde_json::{Value, json};

/// The implementation of all of them.
pub const SERVICE: &str = "{apiVersion: v1, kind: Service, metadata: {name: catalog, namespace: shop}, \
                           spec: {selector: {app: catalog}, ports: [{name: http, port: 8080, targetPort: 9090}]}}";

/// Everything that `api-operator` emits for APIs of every shape.
pub fn emitted() -> Vec<Value> {
    let cluster = Cluster::new().with(SERVICE);
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
