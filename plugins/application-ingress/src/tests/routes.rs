//! Routes, load balancing and certificates, as Verrazzano makes them.

use super::*;

#[test]
fn a_rule_becomes_a_route_on_its_applications_gateway() {
    let spec = one_rule(&json!({"paths": [{"path": "/cart"}, {"path": "/img", "pathType": "prefix"}]}));
    assert_eq!(
        only(&outcome(&spec), "VirtualService"),
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "web-rule-0-vs", "namespace": "shop"},
            "spec": {
                "gateways": ["shop-store-gw"],
                "hosts": ["shop.example.com"],
                "http": [{
                    "match": [{"uri": {"exact": "/cart"}}, {"uri": {"prefix": "/img"}}],
                    "route": [{"destination": {"host": "cart", "port": {"number": 8080}}}],
                }],
            },
        })
    );
}

#[test]
fn each_rule_has_a_route_of_its_own_and_one_match_for_each_path() {
    let rule =
        |host: &str| json!({"hosts": [host], "paths": [{"path": "/a"}, {"path": "/b"}], "destination": {"host": "x"}});
    let outcome = outcome(&json!({"rules": [rule("shop.example.com"), rule("b.example.com")]}));
    let routes = wanted(&outcome, "VirtualService");
    let names: Vec<_> = routes.iter().map(|route| &route["metadata"]["name"]).collect();
    assert_eq!(names, ["web-rule-0-vs", "web-rule-1-vs"]);
    for route in &routes {
        assert_eq!(route["spec"]["http"].as_array().unwrap().len(), 1);
        assert_eq!(route["spec"]["http"][0]["match"].as_array().unwrap().len(), 2);
        assert_eq!(route["spec"]["http"][0]["route"][0]["destination"], json!({"host": "x"}), "no port was named");
    }
}

#[test]
fn the_root_is_a_prefix_and_other_paths_are_exact_unless_they_say_otherwise() {
    for (path, expected) in [
        (json!({}), json!({"prefix": "/"})),
        (json!({"path": "/"}), json!({"prefix": "/"})),
        (json!({"path": " "}), json!({"prefix": "/"})),
        (json!({"path": "/a"}), json!({"exact": "/a"})),
        (json!({"path": "/", "pathType": "exact"}), json!({"exact": "/"})),
        (json!({"path": "/a", "pathType": "Prefix"}), json!({"prefix": "/a"})),
        (json!({"path": "/a.*", "pathType": "regex"}), json!({"regex": "/a.*"})),
    ] {
        let route = only(&outcome(&one_rule(&json!({"paths": [path]}))), "VirtualService");
        assert_eq!(route["spec"]["http"][0]["match"], json!([{"uri": expected}]), "{path}");
    }
    let without = only(&outcome(&one_rule(&json!({}))), "VirtualService");
    assert_eq!(without["spec"]["http"][0]["match"], json!([{"uri": {"prefix": "/"}}]));
}

#[test]
fn a_rule_without_hosts_is_served_at_the_applications_own() {
    let route = only(&outcome(&one_rule(&json!({"hosts": ["*", ""]}))), "VirtualService");
    assert_eq!(route["spec"]["hosts"], json!(["store.shop.mesh.example.com"]));
}

#[test]
fn a_cookie_sends_a_user_to_the_same_endpoint_with_mutual_tls_in_the_mesh() {
    let cookie = json!({"name": "session", "path": "/cart", "ttl": 600});
    let spec = one_rule(&json!({"destination": {"host": "cart", "port": 8080, "httpCookie": cookie}}));
    assert_eq!(
        only(&outcome(&spec), "DestinationRule"),
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
            "metadata": {"name": "web-rule-0-dr", "namespace": "shop"},
            "spec": {
                "host": "cart",
                "trafficPolicy": {
                    "loadBalancer": {"consistentHash": {"httpCookie": {"name": "session", "path": "/cart",
                        "ttl": "600s"}}},
                    "tls": {"mode": "ISTIO_MUTUAL"},
                },
            },
        })
    );
    assert_eq!(wanted(&outcome(&one_rule(&json!({}))), "DestinationRule"), Vec::<Value>::new());
}

#[test]
fn a_cookie_without_ttl_and_path_lasts_until_the_browser_ends() {
    let spec = one_rule(&json!({"destination": {"host": "cart", "httpCookie": {"name": "session"}}}));
    let rule = only(&outcome(&spec), "DestinationRule");
    let by = &rule["spec"]["trafficPolicy"]["loadBalancer"]["consistentHash"]["httpCookie"];
    assert_eq!(*by, json!({"name": "session", "ttl": "0s"}));
}

#[test]
fn tls_to_the_destination_is_off_in_a_namespace_without_sidecars() {
    let spec = one_rule(&json!({"destination": {"host": "cart", "httpCookie": {"name": "session"}}}));
    for labels in ["{}", "{istio-injection: disabled}", "{istio-injection: disabled, istio.io/rev: a}"] {
        let namespace = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {labels}}}}}");
        let outcome = reconciled(&mesh().with(&namespace), &ingress(&spec));
        let rule = only(&outcome, "DestinationRule");
        assert_eq!(rule["spec"]["trafficPolicy"]["tls"], json!({"mode": "DISABLE"}), "{labels}");
    }
}

#[test]
fn a_certificate_is_desired_in_the_gateways_namespace_unless_the_trait_has_one() {
    let rule = |host: &str| json!({"hosts": [host], "destination": {"host": "x"}});
    let rules = json!([rule("shop.example.com"), rule("b.example.com"), rule("shop.example.com")]);
    assert_eq!(
        only(&outcome(&json!({"rules": rules})), "Certificate"),
        json!({
            "apiVersion": "cert-manager.io/v1", "kind": "Certificate",
            "metadata": {"name": "shop.web-cert", "namespace": "istio-system"},
            "spec": {
                "dnsNames": ["shop.example.com", "b.example.com"],
                "secretName": "shop.web-cert-secret",
                "issuerRef": {"name": "verrazzano-cluster-issuer", "kind": "ClusterIssuer"},
            },
        })
    );
    let own = outcome(&json!({"rules": rules, "tls": {"secretName": "own"}}));
    assert_eq!(wanted(&own, "Certificate"), Vec::<Value>::new());
}

#[test]
fn the_certificate_of_a_trait_with_a_long_name_comes_in_the_secret_that_the_gateway_asks_for() {
    let (namespace, name) = ("n".repeat(63), "t".repeat(253));
    let mut subject = ingress(&one_rule(&json!({})));
    subject["metadata"]["namespace"] = json!(namespace);
    subject["metadata"]["name"] = json!(name);
    let certificate = only(&reconciled(&mesh(), &subject), "Certificate");
    let secret = certificate["spec"]["secretName"].as_str().unwrap();
    assert_eq!(secret, mizzen_oam_api::names::credential(&namespace, &name));
    assert!(secret.len() <= 253 && certificate["metadata"]["name"].as_str().unwrap().len() <= 253);
}
