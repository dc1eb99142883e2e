//! The address of an API: one that works, at a server that serves its route.

use super::*;

/// A mesh whose Gateway has these servers.
fn servers(servers: &Value) -> Cluster {
    let gateway = json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway",
                         "metadata": {"name": "component-gateway", "namespace": "canvas"},
                         "spec": {"servers": servers}});
    mesh().with(&gateway.to_string())
}

fn server(protocol: &str, port: u16, hosts: &[&str], tls: &Value) -> Value {
    json!({"port": {"number": port, "name": "x", "protocol": protocol}, "hosts": hosts, "tls": tls})
}

fn url(cluster: &Cluster, changes: &Value) -> Value {
    api_status(cluster, changes)["url"].clone()
}

/// A mesh whose ingress gateway has these addresses.
fn reached_at(ingress: &str) -> Cluster {
    mesh().with(&MESH.replace("{ip: 192.0.2.7}", ingress))
}

#[test]
fn an_ipv6_address_is_in_brackets() {
    let cluster = reached_at("{ip: '2001:db8::7'}");
    let status = api_status(&cluster, &json!({}));
    assert_eq!((&status["ip"], &status["url"]), (&json!("2001:db8::7"), &json!("https://[2001:db8::7]/a")));
    let cluster =
        listening("HTTP", 8080).with(&MESH.split_once("---").unwrap().0.replace("192.0.2.7", "'2001:db8::7'"));
    assert_eq!(url(&cluster, &json!({})), "http://[2001:db8::7]:8080/a");
}

#[test]
fn an_empty_address_is_ignored() {
    for ingress in [
        "{ip: '', hostname: lb.example.com}",
        "{ip: '', hostname: ''}, {hostname: lb.example.com}",
        "{ip: null, hostname: lb.example.com}",
    ] {
        assert_eq!(api_status(&reached_at(ingress), &json!({}))["ip"], "lb.example.com", "{ingress}");
    }
    assert_eq!(api_status(&reached_at("{ip: '', hostname: ''}"), &json!({}))["ip"], Value::Null);
}

#[test]
fn only_a_server_that_routes_by_path_is_in_the_url() {
    let (simple, passed) = (json!({"mode": "SIMPLE"}), json!({"mode": "PASSTHROUGH"}));
    for (protocol, tls, expected) in [
        ("HTTP", Value::Null, json!("http://192.0.2.7:9000/a")),
        ("http2", Value::Null, json!("http://192.0.2.7:9000/a")),
        ("GRPC", Value::Null, json!("http://192.0.2.7:9000/a")),
        ("GRPC-Web", Value::Null, json!("http://192.0.2.7:9000/a")),
        ("HTTP", json!({"httpsRedirect": true}), json!("http://192.0.2.7:9000/a")),
        ("HTTPS", Value::Null, json!("https://192.0.2.7:9000/a")),
        ("HTTPS", simple.clone(), json!("https://192.0.2.7:9000/a")),
        ("HTTPS", json!({"mode": "MUTUAL"}), json!("https://192.0.2.7:9000/a")),
        ("HTTPS", passed.clone(), Value::Null),
        ("HTTPS", json!({"mode": "AUTO_PASSTHROUGH"}), Value::Null),
        ("HTTPS", json!({"credentialName": "a"}), Value::Null),
        ("TLS", passed.clone(), Value::Null),
        ("TLS", simple.clone(), Value::Null),
        ("TCP", Value::Null, Value::Null),
        ("MONGO", Value::Null, Value::Null),
    ] {
        let cluster = servers(&json!([server(protocol, 9000, &["*"], &tls)]));
        assert_eq!(url(&cluster, &json!({})), expected, "{protocol} {tls}");
    }
    let cluster = servers(&json!([server("HTTPS", 443, &["*"], &passed), server("HTTP", 80, &["*"], &Value::Null)]));
    assert_eq!(url(&cluster, &json!({})), "http://192.0.2.7/a", "the next one that does");
}

#[test]
fn a_server_serves_routes_of_the_namespaces_it_names() {
    let of = |host: &str| servers(&json!([server("HTTP", 80, &[host], &Value::Null)]));
    for (host, takes) in [
        ("shop/*", true),
        ("*/*", true),
        ("shop/a.example.com", true),
        ("shop/*.example.com", true),
        ("other/*", false),
        ("other/a.example.com", false),
        ("./*", false),
        ("./a.example.com", false),
        ("shop/b.example.com", false),
    ] {
        let address = url(&of(host), &json!({"hostname": "a.example.com"}));
        assert_eq!(address == "http://a.example.com/a", takes, "{host}: {address}");
    }
    assert_eq!(url(&of("other/*"), &json!({})), Value::Null, "nor one at any host");
    assert_eq!(url(&of("shop/*"), &json!({})), "http://192.0.2.7/a");
    let own = "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: own, namespace: shop}, \
               spec: {servers: [{port: {number: 80, name: x, protocol: HTTP}, hosts: [./*]}]}}";
    let config = json!({"gateway": "own"});
    let result = testing::reconcile::<ApiOperator>(&mesh().with(own), &api(&json!({})), &config).unwrap();
    assert_eq!(result.status.unwrap()["apiStatus"]["url"], "http://192.0.2.7/a", "a dot is the Gateway's own");
}

#[test]
fn a_host_with_a_star_is_never_in_the_url() {
    assert_eq!(url(&mesh(), &json!({"hostname": "*.example.com"})), "https://192.0.2.7/a");
    let config = json!({"publicHostname": "*.example.com"});
    let result = testing::reconcile::<ApiOperator>(&mesh(), &api(&json!({})), &config).unwrap();
    assert_eq!(result.status.unwrap()["apiStatus"]["url"], "https://192.0.2.7/a");
    let nowhere = Cluster::new().with(MESH.split_once("---").unwrap().1);
    assert_eq!(url(&nowhere, &json!({"hostname": "*.example.com"})), Value::Null);
}

#[test]
fn a_host_in_capitals_is_the_same() {
    for host in ["API.Example.com", "*.EXAMPLE.com"] {
        let cluster = servers(&json!([server("HTTP", 80, &[host], &Value::Null)]));
        assert_eq!(url(&cluster, &json!({"hostname": "api.Example.COM"})), "http://api.example.com/a", "{host}");
    }
}

#[test]
fn a_developers_page_is_a_path_unless_it_has_a_scheme() {
    let ui = |text: &str| api_status(&mesh(), &json!({"developerUI": text}))["developerUI"].clone();
    assert_eq!(ui("/a/docs"), "https://192.0.2.7/a/docs");
    assert_eq!(ui("a/docs"), "https://192.0.2.7/a/docs");
    assert_eq!(ui("docs?of=http://a"), "https://192.0.2.7/docs?of=http://a");
    assert_eq!(ui("docs:8080"), "https://192.0.2.7/docs:8080");
    assert_eq!(ui("https://docs.example.com/a"), "https://docs.example.com/a");
    assert_eq!(
        (ui(""), api_status(&mesh(), &json!({"developerUI": null}))["developerUI"].clone()),
        (Value::Null, Value::Null)
    );
    let pending = reached_at("");
    assert_eq!(api_status(&pending, &json!({"developerUI": "docs"}))["developerUI"], Value::Null);
}
