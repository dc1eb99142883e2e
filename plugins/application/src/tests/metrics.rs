//! Scraping of an application's metrics.

use super::*;

fn scraped(annotations: &Value) -> Cluster {
    mesh().with(&pod("a", "store", annotations))
}

/// The relabelling of an endpoint by these annotations.
fn looks_at<'a>(endpoint: &'a Value, annotation: &str) -> &'a Value {
    let name = format!("__meta_kubernetes_pod_annotation_verrazzano_io_{annotation}");
    let all = endpoint["relabelings"].as_array().unwrap();
    let found =
        all.iter().find(|one| one["sourceLabels"].as_array().is_some_and(|labels| labels.contains(&json!(name))));
    found.unwrap_or_else(|| panic!("{endpoint} does not select by {name}"))
}

#[test]
fn metrics_in_the_mesh_are_scraped_with_istios_certificates() {
    let outcome = outcome_in(&scraped(&json!({"verrazzano.io/metricsEnabled": "true"})));
    let monitor = only(&outcome, "ServiceMonitor");
    assert_eq!(
        monitor["metadata"],
        json!({"name": "store-shop-cart", "namespace": "shop", "labels": {"release": "prometheus-operator"}})
    );
    let endpoint = &monitor["spec"]["endpoints"][0];
    assert_eq!(endpoint["scheme"], "https");
    assert_eq!(
        endpoint["tlsConfig"],
        json!({
            "caFile": "/etc/istio-certs/root-cert.pem", "certFile": "/etc/istio-certs/cert-chain.pem",
            "keyFile": "/etc/istio-certs/key.pem", "insecureSkipVerify": true,
        })
    );
}

#[test]
fn metrics_outside_the_mesh_are_scraped_in_plain() {
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}";
    let outcome = outcome_in(&scraped(&json!({"verrazzano.io/metricsEnabled": "true"})).with(namespace));
    let endpoint = only(&outcome, "ServiceMonitor")["spec"]["endpoints"][0].clone();
    assert_eq!((&endpoint["scheme"], &endpoint["tlsConfig"]), (&json!("http"), &Value::Null));
}

#[test]
fn annotations_select_pods_ports_and_paths_for_scraping() {
    let annotations = json!({
        "verrazzano.io/metricsEnabled": "true", "verrazzano.io/metricsPort": "8080",
        "verrazzano.io/metricsEnabled1": "false",
        "verrazzano.io/metricsEnabled2": "true", "verrazzano.io/metricsPort2": "9090",
        "verrazzano.io/metricsPath2": "/m",
    });
    let monitor = only(&outcome_in(&scraped(&annotations)), "ServiceMonitor");
    let endpoints = monitor["spec"]["endpoints"].as_array().unwrap();
    assert_eq!(endpoints.len(), 2);
    for (endpoint, number) in endpoints.iter().zip(["", "2"]) {
        let keep = looks_at(endpoint, &format!("metricsEnabled{number}"));
        assert_eq!((&keep["action"], &keep["regex"]), (&json!("keep"), &json!("true;store;cart")));
        assert_eq!(looks_at(endpoint, &format!("metricsPath{number}"))["targetLabel"], "__metrics_path__");
        assert_eq!(looks_at(endpoint, &format!("metricsPort{number}"))["targetLabel"], "__address__");
    }
}

#[test]
fn a_component_without_such_annotations_is_not_scraped() {
    for annotations in [json!({}), json!({"verrazzano.io/metricsEnabled": "false"})] {
        assert_eq!(wanted(&outcome_in(&scraped(&annotations)), "ServiceMonitor"), Vec::<Value>::new());
    }
    let elsewhere = reconciled(&scraped(&json!({"verrazzano.io/metricsEnabled": "true"})), &application(&["bank"]));
    assert_eq!(wanted(&elsewhere, "ServiceMonitor"), Vec::<Value>::new());
}

#[test]
fn the_dots_of_a_components_name_match_only_dots() {
    let pod = pod("a", "store", &json!({"verrazzano.io/metricsEnabled": "true"})).replace("\"cart\"", "\"cart.v1\"");
    let monitor = only(&reconciled(&mesh().with(&pod), &application(&["cart.v1"])), "ServiceMonitor");
    let keep = looks_at(&monitor["spec"]["endpoints"][0], "metricsEnabled");
    assert_eq!(keep["regex"], r"true;store;cart\.v1");
}

#[test]
fn without_the_prometheus_operator_the_application_is_published_and_protected() {
    let without = |cluster: Cluster| cluster.without_kind(Kind::new("monitoring.coreos.com/v1", "ServiceMonitor"));
    let enabled = json!({"verrazzano.io/metricsEnabled": "true"});
    let cluster = scraped(&enabled).with(&ingress("web", 1, &hosts(&["shop.example.com"])));
    let outcome = outcome_in(&without(cluster));
    for (kind, count) in [("Gateway", 1), ("AuthorizationPolicy", 1), ("ServiceAccount", 1), ("ServiceMonitor", 0)] {
        assert_eq!(wanted(&outcome, kind).len(), count, "{kind}");
    }
    assert!(outcome.so_far);
    let (status, reason, why) = meshed(&outcome);
    assert_eq!((status, reason), (Some(false), "PrometheusOperatorMissing"));
    assert!(why.contains("Prometheus operator"), "{why}");
    assert_eq!(outcome.readiness, Readiness::Progressing(why.to_owned()));

    let cluster = scraped(&enabled).with(&ingress("web", 1, &hosts(&["localhost"])));
    let outcome = outcome_in(&without(cluster));
    assert!(meshed(&outcome).2.starts_with("IngressTrait web: "), "further faults are reported, too");
    assert_eq!(outcome_in(&without(mesh())).readiness, Readiness::Ready, "nothing is to be scraped");
}
