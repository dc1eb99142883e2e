//! Rules without a destination, which lead to the Service of the trait's component.

use super::*;

fn service(name: &str, ports: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Service, \
         metadata: {{name: {name}, namespace: shop, labels: {{app.oam.dev/name: store, \
         app.oam.dev/component: cart}}}}, spec: {{ports: {ports}}}}}"
    )
}

fn leading_to(services: &[(&str, &str)]) -> Outcome {
    let cluster = services.iter().fold(mesh(), |cluster, (name, ports)| cluster.with(&service(name, ports)));
    reconciled(&cluster, &ingress(&one_rule(&json!({"destination": {}}))))
}

#[test]
fn a_rule_without_destination_is_routed_to_the_components_only_service() {
    let route = only(&leading_to(&[("cart-svc", "[{port: 80}]")]), "VirtualService");
    let destination = &route["spec"]["http"][0]["route"][0]["destination"];
    assert_eq!(*destination, json!({"host": "cart-svc", "port": {"number": 80}}));

    let why = refused(&leading_to(&[("a", "[{port: 1}]"), ("b", "[{port: 1}]")]));
    assert!(why.starts_with("`spec.rules[0].destination.host`: it is missing, and 2 Services"), "{why}");
}

#[test]
fn it_leads_to_the_port_that_speaks_http() {
    for (ports, expected) in [
        ("[{name: raw, port: 1}, {name: http-web, port: 2}]", 2),
        ("[{name: https, port: 1}, {name: http, port: 2}]", 2),
        ("[{name: https-web, port: 1}, {name: http-web, port: 2}]", 2),
        ("[{name: raw, port: 1}, {name: grpc, port: 2}]", 2),
        ("[{name: grpc-api, port: 1}, {name: http, port: 2}]", 2),
        ("[{name: raw, port: 1}, {name: http2-web, port: 2}]", 2),
        ("[{name: raw, port: 1}, {name: web, port: 2, appProtocol: http}]", 2),
        ("[{name: http, port: 1, appProtocol: https}, {name: web, port: 2, appProtocol: kubernetes.io/h2c}]", 2),
        ("[{name: http, port: 1, protocol: UDP}, {name: http-web, port: 2}]", 2),
        ("[{name: dns, port: 1, protocol: UDP}, {name: raw, port: 2, protocol: TCP}]", 2),
    ] {
        let route = only(&leading_to(&[("cart", ports)]), "VirtualService");
        assert_eq!(route["spec"]["http"][0]["route"][0]["destination"]["port"]["number"], expected, "{ports}");
    }
}

#[test]
fn without_one_port_for_http_the_rule_is_refused() {
    for ports in [
        "[{name: raw, port: 1}, {name: other, port: 2}]",
        "[{name: http-a, port: 1}, {name: http-b, port: 2}]",
        "[{name: https, port: 1}]",
        "[{name: https, port: 1}, {name: https-admin, port: 2}]",
        "[{name: http, port: 1, protocol: UDP}]",
        "[]",
    ] {
        let why = refused(&leading_to(&[("cart", ports)]));
        assert!(
            why.contains("Service cart does not have exactly one port for HTTP: name a TCP port `http`"),
            "{ports}: {why}"
        );
    }
}

#[test]
fn a_rule_whose_service_is_not_there_yet_waits_for_it() {
    let why = waits(&leading_to(&[]));
    assert!(why.starts_with("`spec.rules[0].destination.host`: it is missing, and no Service"), "{why}");
}
