//! The status of an API.

use super::*;

#[test]
fn one_ready_endpoint_in_any_slice_makes_an_api_ready() {
    assert!(ready_with(&[
        "[{conditions: {ready: false}}]",
        "[{conditions: {ready: false}}, {conditions: {ready: true}}]"
    ]));
}

#[test]
fn an_api_without_a_ready_endpoint_is_not_ready() {
    assert!(!ready_with(&["[{conditions: {ready: false}}]", "[{conditions: {ready: false}}]"]));
    let cluster = mesh().with(&slice("s", "[{conditions: {ready: false}}]"));
    let why = "no endpoint of Service catalog is ready".to_owned();
    assert_eq!(outcome_in(&cluster, &json!({})).readiness, Readiness::Progressing(why));
}

#[test]
fn an_endpoint_without_the_condition_is_ready() {
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
fn the_status_has_the_apis_url() {
    assert_eq!(
        api_status(&mesh(), &json!({"developerUI": "/a/docs"})),
        json!({"name": "cat", "uid": null, "path": "/a", "port": 8080, "implementation": "catalog", "ip": "192.0.2.7",
               "url": "https://192.0.2.7/a", "developerUI": "https://192.0.2.7/a/docs"})
    );
}

#[test]
fn the_url_has_the_scheme_and_port_of_the_gateway() {
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
fn a_read_that_fails_leaves_everything_as_it_is() {
    for (version, kind) in
        [("discovery.k8s.io/v1", "EndpointSlice"), ("v1", "Service"), ("networking.istio.io/v1", "Gateway")]
    {
        let cluster = mesh().with_unavailable(Kind::new(version, kind));
        let result = testing::reconcile::<ApiOperator>(&cluster, &api(&json!({})), &json!({}));
        assert!(matches!(result, Err(Failure::Retry(_))), "{kind}");
    }
}

#[test]
fn a_changed_field_takes_effect() {
    let before = outcome(&json!({"apiType": "prometheus"}));
    let secret = json!({"name": "a", "key": "b"});
    for changes in [
        json!({"apiType": "openapi"}),
        json!({"apiType": "prometheus", "hostname": "a.example.com"}),
        json!({"apiType": "prometheus", "basicAuth": {"username": secret, "password": secret}}),
        json!({"apiType": "prometheus", "port": 8081}),
    ] {
        assert_ne!(outcome(&changes).desired, before.desired, "{changes}");
    }
    assert_ne!(outcome(&json!({"apiType": "prometheus", "developerUI": "/ui"})).status, before.status);
}

#[test]
fn the_url_follows_the_address_and_the_gateway() {
    let moved = mesh().with(&MESH.replace("192.0.2.7", "192.0.2.8"));
    assert_eq!(api_status(&moved, &json!({}))["url"], "https://192.0.2.8/a");
    assert_eq!(api_status(&listening("HTTP", 8080), &json!({}))["url"], "http://192.0.2.7:8080/a");
}

#[test]
fn of_several_servers_for_the_host_the_encrypted_one_is_in_the_url() {
    let cluster = mesh().with(
        "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: component-gateway, namespace: canvas}, \
         spec: {servers: [
          {port: {number: 80, name: a, protocol: HTTP}, hosts: ['*']},
          {port: {number: 443, name: b, protocol: HTTPS}, hosts: ['shop/*.example.com']}]}}",
    );
    let url = |host: &str| api_status(&cluster, &json!({"hostname": host}))["url"].clone();
    assert_eq!(url("a.example.com"), "https://a.example.com/a");
    assert_eq!(url("a.example.org"), "http://a.example.org/a");
}

#[test]
fn the_gateways_service_is_found_by_configured_labels() {
    let cluster = mesh().with(
        "{apiVersion: v1, kind: Service, metadata: {name: edge, namespace: edge, labels: {app: edge}}, \
         status: {loadBalancer: {ingress: [{ip: 192.0.2.9}]}}}",
    );
    let config = json!({"gatewayService": "app=edge"});
    let result = testing::reconcile::<ApiOperator>(&cluster, &api(&json!({})), &config).unwrap();
    assert_eq!(result.status.unwrap()["apiStatus"]["ip"], "192.0.2.9");
}

#[test]
fn the_status_has_the_uid_of_the_route_once_it_exists() {
    let there = mesh().with(
        "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: cat, namespace: shop, uid: u-1}, \
         spec: {hosts: ['*'], gateways: [canvas/component-gateway], http: [{match: [{uri: {exact: /a}}]}]}}",
    );
    assert_eq!(api_status(&there, &json!({}))["uid"], "u-1");
    assert_eq!(api_status(&mesh(), &json!({}))["uid"], Value::Null);
}
