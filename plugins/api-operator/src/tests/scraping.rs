//! APIs that serve metrics.

use super::*;

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
fn an_api_that_stops_serving_metrics_is_not_scraped() {
    assert_eq!(outcome(&json!({"apiType": "prometheus"})).desired.unwrap().len(), 2);
    for kind in ["openapi", "mcp", "something-new"] {
        assert_eq!(outcome(&json!({"apiType": kind})).desired.unwrap().len(), 1, "{kind}");
    }
}

#[test]
fn the_scraper_authenticates_by_a_secret_that_the_plugin_never_reads() {
    let auth = json!({"username": {"name": "scraper", "key": "user"}, "password": {"name": "scraper", "key": "word"}});
    let desired = outcome(&json!({"apiType": "openmetrics", "basicAuth": auth})).desired.unwrap();
    assert_eq!(desired[1]["spec"]["endpoints"][0]["basicAuth"], auth);
    let why = invalid(&json!({"basicAuth": {"username": "me", "password": "word"}}));
    assert!(why.contains("`basicAuth.password`: invalid type: string \"word\", expected `name` and `key`"), "{why}");
}

#[test]
fn without_the_prometheus_operator_metrics_are_published_and_reported_as_not_scraped() {
    let cluster = mesh().without_kind(metrics::kind()).with(&slice("s", "[{}]"));
    let outcome = outcome_in(&cluster, &json!({"apiType": "prometheus"}));
    let kinds: Vec<_> = outcome.desired.iter().flatten().map(|object| object["kind"].clone()).collect();
    assert_eq!(kinds, ["VirtualService"]);
    assert_eq!(outcome.status.as_ref().unwrap()["implementation"]["ready"], true);
    let (supported, reason, message) = condition(&outcome, "Supported");
    assert_eq!((supported, reason.as_str()), (Some(false), "PrometheusOperatorMissing"));
    assert!(message.contains("ServiceMonitor"), "{message}");
    assert!(matches!(&outcome.readiness, Readiness::Warning(why) if why.contains("ServiceMonitor")));
    assert_eq!(
        condition(&outcome_in(&cluster, &json!({})), "Supported").0,
        Some(true),
        "other API types need no secret"
    );
}

#[test]
fn with_annotations_there_is_no_service_monitor() {
    let config = json!({"openMetrics": "Annotations"});
    let result = testing::reconcile::<ApiOperator>(&mesh(), &api(&json!({"apiType": "prometheus"})), &config).unwrap();
    let kinds: Vec<_> = result.desired.unwrap().iter().map(|object| object["kind"].clone()).collect();
    assert_eq!(kinds, ["VirtualService"]);
}

/// The endpoint of the ServiceMonitor of an API at port 8080 of a Service with this port.
fn scraped_at(port: &str) -> Value {
    let service = format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: catalog, namespace: shop}}, \
         spec: {{selector: {{app: catalog}}, ports: [{{name: x, port: 53, protocol: UDP}}, {port}]}}}}"
    );
    let outcome = outcome_in(&mesh().with(&service), &json!({"apiType": "prometheus"}));
    outcome.desired.unwrap()[1]["spec"]["endpoints"][0].clone()
}

#[test]
fn a_named_port_of_the_service_is_scraped_by_its_name() {
    let endpoint = scraped_at("{name: http, port: 8080, targetPort: 9102}");
    assert_eq!((&endpoint["port"], &endpoint["targetPort"]), (&json!("http"), &Value::Null));
}

#[test]
fn an_unnamed_port_of_the_service_is_scraped_at_the_port_of_its_pods() {
    for (target, expected) in
        [("targetPort: 9102", json!(9102)), ("targetPort: metrics", json!("metrics")), ("protocol: TCP", json!(8080))]
    {
        let endpoint = scraped_at(&format!("{{port: 8080, {target}}}"));
        assert_eq!((&endpoint["port"], &endpoint["targetPort"]), (&Value::Null, &expected), "{target}");
    }
}
