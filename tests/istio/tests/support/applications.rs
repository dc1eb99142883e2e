//! The objects that `application` and `application-ingress` desire for an application whose traits
//! set every field.

use mizzen_plugin_application::Application;
use mizzen_plugin_application_ingress::ApplicationIngress;
use mizzen_sdk::testing::{self, Cluster};
use serde_json::{Value, json};

const SHOP: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}";

fn ingress(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "oam.verrazzano.io/v1alpha1", "kind": "IngressTrait",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app.oam.dev/name": "store"}},
        "spec": spec,
    })
}

/// Traits that together set every field.
fn traits() -> Vec<Value> {
    let policy = json!({"rules": [
        {
            "from": {"requestPrincipals": ["https://id.example.com/*"]},
            "when": [
                {"key": "request.auth.claims[role]", "values": ["admin", "root"]},
                {"key": "request.headers[x-tenant]", "values": ["a*"]},
                {"key": "source.ip", "values": ["192.0.2.0/24", "2001:db8::1"]},
                {"key": "destination.port", "values": ["8443"]},
                {"key": "source.serviceAccount", "values": ["shop/web", "web"]},
            ],
        },
        {"from": {"requestPrincipals": ["*"]}, "when": [{"key": "request.auth.audiences", "values": ["shop"]}]},
    ]});
    let cookie = json!({"name": "session", "path": "/", "ttl": 3600});
    let rich = json!({"rules": [
        {
            "hosts": ["shop.example.com", "www.shop.example.com"],
            "paths": [
                {"path": "/", "authorizationPolicy": policy},
                {"path": "/public", "pathType": "prefix"},
                {"path": "/login", "pathType": "exact", "authorizationPolicy": policy},
            ],
            "destination": {"host": "cart.shop.svc.cluster.local", "port": 8080, "httpCookie": cookie},
        },
        {"paths": [{"path": "/v[0-9]+/.*", "pathType": "regex"}],
            "destination": {"host": "api", "httpCookie": {"name": "a"}}},
    ]});
    let plain =
        json!({"rules": [{"hosts": ["b.example.com"], "destination": {"host": "b"}}], "tls": {"secretName": "own"}});
    vec![
        ingress("web", &rich),
        ingress("dotted.name", &plain),
        ingress(
            &"t".repeat(253),
            &json!({
                "rules": [{"hosts": ["c.example.com"], "paths": [{"path": "/a/ü%", "authorizationPolicy": policy}],
                    "destination": {"host": "c"}}],
            }),
        ),
    ]
}

/// Everything that both emit.
pub fn emitted() -> Vec<Value> {
    let config = json!({"domain": "mesh.example.com"});
    let traits = traits();
    let cluster = traits.iter().fold(Cluster::new().with(SHOP), |cluster, own| cluster.with(&own.to_string()));
    let application = json!({
        "apiVersion": "core.oam.dev/v1alpha2", "kind": "ApplicationConfiguration",
        "metadata": {"name": "store", "namespace": "shop"}, "spec": {"components": [{"componentName": "cart"}]},
    });
    let made = testing::reconcile::<Application>(&cluster, &application.to_string(), &config).unwrap();
    let mut objects = made.desired.unwrap();
    for own in &traits {
        let made = testing::reconcile::<ApplicationIngress>(&cluster, &own.to_string(), &config).unwrap();
        objects.extend(made.desired.unwrap_or_default());
    }
    objects
}

/// The policies of a path with a condition of one value; `None` if the trait is invalid because of it.
pub fn protected(key: &str, value: &str) -> Option<Vec<Value>> {
    let policy = json!({"rules": [{"from": {"requestPrincipals": ["*"]}, "when": [{"key": key, "values": [value]}]}]});
    let rule = json!({
        "hosts": ["shop.example.com"], "paths": [{"path": "/a", "authorizationPolicy": policy}],
        "destination": {"host": "cart"},
    });
    let own = ingress("web", &json!({"rules": [rule]}));
    testing::reconcile::<ApplicationIngress>(&Cluster::new().with(SHOP), &own.to_string(), &json!({})).unwrap().desired
}
