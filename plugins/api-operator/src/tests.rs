//! What an API's author and its callers can rely on.

use mizzen_sdk::Readiness;
use mizzen_sdk::testing::{self, Cluster};
use serde_json::{Value, json};

use super::*;

/// The mesh: an ingress gateway with an address, and a Gateway that listens for HTTPS at its usual port.
const MESH: &str = "
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system, labels: {istio: ingressgateway}}
status: {loadBalancer: {ingress: [{ip: 192.0.2.7}]}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: component-gateway, namespace: canvas}
spec: {servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*']}]}
";

fn mesh() -> Cluster {
    Cluster::new().with(MESH)
}

/// The mesh, whose Gateway listens so.
fn listening(protocol: &str, port: u16) -> Cluster {
    mesh().with(&format!(
        "{{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {{name: component-gateway, namespace: canvas}}, \
         spec: {{servers: [{{port: {{number: {port}, name: x, protocol: {protocol}}}}}]}}}}"
    ))
}

/// A slice of the Service `catalog` with these endpoints.
fn slice(name: &str, endpoints: &str) -> String {
    format!(
        "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: {name}, namespace: shop, \
         labels: {{kubernetes.io/service-name: catalog}}}}, endpoints: {endpoints}}}"
    )
}

/// An API of the Service `catalog` at `/a`, with these fields changed.
fn api(changes: &Value) -> String {
    let mut spec =
        json!({"name": "cat", "apiType": "openapi", "implementation": "catalog", "path": "/a", "port": 8080});
    for (field, value) in changes.as_object().unwrap() {
        spec[field] = value.clone();
    }
    json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI",
           "metadata": {"name": "cat", "namespace": "shop"}, "spec": spec})
    .to_string()
}

fn outcome_in(cluster: &Cluster, changes: &Value) -> Outcome {
    testing::reconcile::<ApiOperator>(cluster, &api(changes), &json!({})).unwrap()
}

fn outcome(changes: &Value) -> Outcome {
    outcome_in(&mesh(), changes)
}

fn ready_with(slices: &[&str]) -> bool {
    let cluster = slices
        .iter()
        .enumerate()
        .fold(mesh(), |cluster, (at, endpoints)| cluster.with(&slice(&format!("s{at}"), endpoints)));
    let outcome = outcome_in(&cluster, &json!({}));
    let ready = outcome.status.unwrap()["implementation"]["ready"] == json!(true);
    assert_eq!(outcome.readiness == Readiness::Ready, ready);
    ready
}

fn api_status(cluster: &Cluster, changes: &Value) -> Value {
    outcome_in(cluster, changes).status.unwrap()["apiStatus"].take()
}

/// Whether the route would take a request's path, by Istio's rules.
fn takes(route: &Value, path: &str) -> bool {
    route["spec"]["http"][0]["match"].as_array().unwrap().iter().any(|m| {
        match (&m["uri"]["exact"], &m["uri"]["prefix"]) {
            (Value::String(exact), Value::Null) => path == exact,
            (Value::Null, Value::String(prefix)) => path.starts_with(prefix.as_str()),
            _ => panic!("{m}"),
        }
    })
}

fn invalid(changes: &Value) -> String {
    match testing::reconcile::<ApiOperator>(&mesh(), &api(changes), &json!({})) {
        Err(Failure::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_api_gets_a_route_of_its_name_through_the_component_gateway() {
    let desired = outcome(&json!({})).desired.unwrap();
    let [route] = desired.as_slice() else { panic!("{desired:?}") };
    assert_eq!(
        *route,
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "cat", "namespace": "shop"},
            "spec": {
                "hosts": ["*"],
                "gateways": ["canvas/component-gateway"],
                "http": [{
                    "match": [{"uri": {"exact": "/a"}}, {"uri": {"prefix": "/a/"}}],
                    "route": [{"destination": {"host": "catalog", "port": {"number": 8080}}}],
                }],
            },
        })
    );
}

#[test]
fn a_path_takes_what_is_below_it_and_not_its_neighbours() {
    let route = &outcome(&json!({"path": "/a"})).desired.unwrap()[0];
    assert!(takes(route, "/a") && takes(route, "/a/") && takes(route, "/a/b"));
    assert!(!takes(route, "/ab") && !takes(route, "/"));
}

#[test]
fn a_slash_at_the_end_of_a_path_changes_nothing() {
    let route = |path: &str| outcome(&json!({"path": path})).desired.unwrap().remove(0);
    assert_eq!(route("/a/"), route("/a"));
}

#[test]
fn the_root_path_takes_everything() {
    let route = &outcome(&json!({"path": "/"})).desired.unwrap()[0];
    assert!(takes(route, "/") && takes(route, "/ab"));
}

#[test]
fn the_api_s_hostname_goes_before_the_public_one() {
    let config = json!({"publicHostname": "public.example.com", "gateway": "canvas/component-gateway"});
    let ask = |changes: &Value| {
        let outcome = testing::reconcile::<ApiOperator>(&mesh(), &api(changes), &config).unwrap();
        (outcome.desired.unwrap()[0]["spec"]["hosts"].clone(), outcome.status.unwrap()["apiStatus"]["url"].clone())
    };
    assert_eq!(ask(&json!({})), (json!(["public.example.com"]), json!("https://public.example.com/a")));
    assert_eq!(
        ask(&json!({"hostname": "own.example.com"})),
        (json!(["own.example.com"]), json!("https://own.example.com/a"))
    );
}

#[test]
fn metrics_are_scraped() {
    for kind in ["prometheus", "openmetrics"] {
        let desired = outcome(&json!({"apiType": kind, "path": "/metrics"})).desired.unwrap();
        assert_eq!(
            desired[1],
            json!({
                "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
                "metadata": {"name": "cat", "namespace": "shop"},
                "spec": {
                    "selector": {"matchLabels": {"name": "catalog"}},
                    "endpoints": [{"path": "/metrics", "interval": "15s", "scheme": "http", "targetPort": 8080}],
                },
            })
        );
    }
}

#[test]
fn an_api_that_is_no_longer_metrics_is_no_longer_scraped() {
    assert_eq!(outcome(&json!({"apiType": "prometheus"})).desired.unwrap().len(), 2);
    for kind in ["openapi", "mcp", "something-new"] {
        assert_eq!(outcome(&json!({"apiType": kind})).desired.unwrap().len(), 1, "{kind}");
    }
}

#[test]
fn one_ready_endpoint_in_any_slice_makes_an_api_ready() {
    assert!(ready_with(&[
        "[{conditions: {ready: false}}]",
        "[{conditions: {ready: false}}, {conditions: {ready: true}}]"
    ]));
}

#[test]
fn an_api_whose_endpoints_all_turned_unready_is_not_ready() {
    assert!(!ready_with(&["[{conditions: {ready: false}}]", "[{conditions: {ready: false}}]"]));
    let cluster = mesh().with(&slice("s", "[{conditions: {ready: false}}]"));
    let why = "no endpoint of Service catalog is ready".to_owned();
    assert_eq!(outcome_in(&cluster, &json!({})).readiness, Readiness::Progressing(why));
}

#[test]
fn an_endpoint_that_does_not_say_is_ready() {
    assert!(ready_with(&["[{addresses: [10.0.0.1]}]"]));
    assert!(ready_with(&["[{conditions: {}}]"]));
}

#[test]
fn without_endpoints_nothing_is_ready() {
    assert!(!ready_with(&[]));
    assert!(!ready_with(&["[]", "null"]));
}

#[test]
fn slices_of_other_services_and_namespaces_do_not_count() {
    let ready = slice("s", "[{conditions: {ready: true}}]");
    let other_namespace = ready.replace("namespace: shop", "namespace: other");
    let other_service = ready.replace("service-name: catalog", "service-name: cart");
    for elsewhere in [other_namespace, other_service] {
        let status = outcome_in(&mesh().with(&elsewhere), &json!({})).status.unwrap();
        assert_eq!(status["implementation"], json!({"ready": false}));
    }
}

#[test]
fn the_route_stands_before_the_implementation_does() {
    let outcome = outcome(&json!({}));
    assert!(matches!(outcome.readiness, Readiness::Progressing(_)));
    assert_eq!(outcome.desired.unwrap().len(), 1);
}

#[test]
fn the_status_says_where_the_api_is() {
    assert_eq!(
        api_status(&mesh(), &json!({"developerUI": "/a/docs"})),
        json!({"name": "cat", "path": "/a", "port": 8080, "implementation": "catalog", "ip": "192.0.2.7",
               "url": "https://192.0.2.7/a", "developerUI": "https://192.0.2.7/a/docs"})
    );
}

#[test]
fn the_url_begins_as_the_gateway_listens() {
    for (protocol, port, base) in [
        ("HTTPS", 443, "https://192.0.2.7"),
        ("HTTPS", 8443, "https://192.0.2.7:8443"),
        ("HTTP", 80, "http://192.0.2.7"),
        ("HTTP", 8080, "http://192.0.2.7:8080"),
        ("HTTP", 443, "http://192.0.2.7:443"),
    ] {
        assert_eq!(api_status(&listening(protocol, port), &json!({}))["url"], format!("{base}/a"));
    }
}

#[test]
fn a_gateway_without_a_namespace_is_in_the_api_s_own() {
    let cluster = mesh().with(
        "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: own, namespace: shop}, \
         spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}}]}}",
    );
    let outcome = testing::reconcile::<ApiOperator>(&cluster, &api(&json!({})), &json!({"gateway": "own"})).unwrap();
    assert_eq!(outcome.status.unwrap()["apiStatus"]["url"], "http://192.0.2.7/a");
    assert_eq!(outcome.desired.unwrap()[0]["spec"]["gateways"], json!(["own"]));
}

#[test]
fn an_address_can_be_a_host_name() {
    let cluster = mesh().with(&MESH.replace("ip: 192.0.2.7", "hostname: lb.example.com"));
    let status = api_status(&cluster, &json!({}));
    assert_eq!((&status["ip"], &status["url"]), (&json!("lb.example.com"), &json!("https://lb.example.com/a")));
}

#[test]
fn without_an_address_or_a_gateway_there_is_no_url_and_all_the_rest() {
    let pending = MESH.replace("{ip: 192.0.2.7}", "");
    let closed = MESH.replace("name: component-gateway", "name: another");
    for cluster in [Cluster::new(), Cluster::new().with(&pending), Cluster::new().with(&closed)] {
        let cluster = cluster.with(&slice("s", "[{conditions: {ready: true}}]"));
        let outcome = outcome_in(&cluster, &json!({"developerUI": "/docs"}));
        assert_eq!(outcome.readiness, Readiness::Ready);
        assert_eq!(outcome.desired.unwrap().len(), 1);
        let status = &outcome.status.unwrap()["apiStatus"];
        assert_eq!((&status["url"], &status["developerUI"]), (&Value::Null, &Value::Null));
    }
}

#[test]
fn a_wrong_field_is_named() {
    for (changes, field) in [
        (json!({"path": "a"}), "spec.path"),
        (json!({"path": ""}), "spec.path"),
        (json!({"port": 0}), "spec.port"),
        (json!({"port": 65536}), "spec.port"),
        (json!({"port": -1}), "spec.port"),
        (json!({"implementation": ""}), "spec.implementation"),
    ] {
        assert!(invalid(&changes).contains(field), "{changes}");
    }
    assert!(invalid(&json!({"port": "http"})).contains("expected i64"));
}

#[test]
fn a_path_that_no_url_has_is_not_published() {
    assert!(invalid(&json!({"path": "/a b"})).contains("spec.path"));
}

#[test]
fn policies_that_are_not_looked_at_do_not_hinder() {
    let policies = json!({"CORS": {"enabled": true}, "rateLimit": 7, "specification": ["a"], "required": true});
    assert_eq!(outcome(&policies).desired, outcome(&json!({})).desired);
}

#[test]
fn an_unknown_field_of_the_configuration_is_invalid() {
    let answer = testing::reconcile::<ApiOperator>(&mesh(), &api(&json!({})), &json!({"gatway": "x/y"}));
    assert!(matches!(answer, Err(Failure::Invalid(why)) if why.contains("gatway")));
}

#[test]
fn a_read_that_fails_leaves_everything_as_it_is() {
    for (version, kind) in
        [("discovery.k8s.io/v1", "EndpointSlice"), ("v1", "Service"), ("networking.istio.io/v1", "Gateway")]
    {
        let cluster = mesh().with_unavailable(Kind::new(version, kind));
        let answer = testing::reconcile::<ApiOperator>(&cluster, &api(&json!({})), &json!({}));
        assert!(matches!(answer, Err(Failure::Retry(_))), "{kind}");
    }
}
