//! What authors of routes through the default gateway can rely on.

use mizzen_sdk::Readiness;
use mizzen_sdk::testing::{Cluster, reconcile};

use super::*;

const ISTIO: &str =
    "{apiVersion: mizzen.dev/v1alpha1, kind: Istio, metadata: {name: default, namespace: istio-system}, spec: {}}";

fn least() -> Value {
    json!({"domain": "example.com", "certificateSecret": "example-com"})
}

fn with(field: &str, value: Value) -> Value {
    let mut config = least();
    config[field] = value;
    config
}

fn wanted(config: &Value) -> Value {
    let outcome = reconcile::<Gateway>(&Cluster::new(), ISTIO, config).unwrap();
    assert_eq!(outcome.readiness, Readiness::Ready);
    let [gateway] = <[Value; 1]>::try_from(outcome.desired.unwrap()).unwrap();
    gateway
}

fn invalid(config: &Value) -> String {
    match reconcile::<Gateway>(&Cluster::new(), ISTIO, config) {
        Err(Failure::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_hosts_of_the_domain_are_served_by_https_and_redirected_from_http() {
    assert_eq!(
        wanted(&least()),
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
            "metadata": {"name": "default", "namespace": "istio-system"},
            "spec": {
                "selector": {"istio": "ingressgateway"},
                "servers": [
                    {
                        "port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": ["*.example.com"],
                        "tls": {"mode": "SIMPLE", "credentialName": "example-com"},
                    },
                    {
                        "port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*.example.com"],
                        "tls": {"httpsRedirect": true},
                    },
                ],
            },
        })
    );
}

#[test]
fn further_hosts_are_served_too_each_once() {
    let gateway = wanted(&with("hosts", json!(["example.com", "*.example.com"])));
    for server in gateway["spec"]["servers"].as_array().unwrap() {
        assert_eq!(server["hosts"], json!(["*.example.com", "example.com"]));
    }
}

#[test]
fn old_versions_of_tls_can_be_refused() {
    let gateway = wanted(&with("minTlsVersion", json!("TLSV1_3")));
    assert_eq!(gateway["spec"]["servers"][0]["tls"]["minProtocolVersion"], "TLSV1_3");
    assert!(invalid(&with("minTlsVersion", json!("1.3"))).contains("TLSV1_3"));
}

#[test]
fn without_a_redirect_plain_http_is_not_served() {
    let gateway = wanted(&with("httpsRedirect", json!(false)));
    assert_eq!(gateway["spec"]["servers"].as_array().unwrap().len(), 1);
}

#[test]
fn its_name_namespace_and_pods_are_configurable() {
    let mut config = with("name", json!("kyma-gateway"));
    config["namespace"] = json!("kyma-system");
    config["selector"] = json!({"app": "edge"});
    let gateway = wanted(&config);
    assert_eq!(gateway["metadata"], json!({"name": "kyma-gateway", "namespace": "kyma-system"}));
    assert_eq!(gateway["spec"]["selector"], json!({"app": "edge"}));
}

#[test]
fn without_istios_definitions_it_waits_and_desires_nothing() {
    let outcome = reconcile::<Gateway>(&Cluster::new().without_kind(gateway()), ISTIO, &least()).unwrap();
    assert_eq!(outcome.readiness, Readiness::Progressing("Istio's CRDs are not installed yet".into()));
    assert_eq!(outcome.desired, None);
}

#[test]
fn a_missing_or_invalid_field_is_named() {
    assert!(invalid(&json!({"domain": "example.com"})).contains("certificateSecret"));
    for field in ["domain", "certificateSecret", "namespace", "name"] {
        assert!(invalid(&with(field, json!(""))).contains(&format!("`{field}`")));
    }
    assert!(invalid(&with("domain", json!("*.example.com"))).contains("`*.`"));
    assert!(invalid(&with("selector", json!({}))).contains("`selector`"));
    assert!(invalid(&with("selector", json!({"istio": 1}))).contains("string"));
    assert!(invalid(&with("domian", json!("x"))).contains("domian"));
}
