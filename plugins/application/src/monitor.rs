//! Scraping of a component's metrics: a ServiceMonitor whose targets are selected by the pods' own
//! annotations.

use std::collections::BTreeSet;

use mizzen_oam_api::{Membership, names};
use mizzen_sdk::{Kind, object};
use serde_json::{Value, json};

use crate::config::Config;
use crate::pods::{Pods, number};

/// The folder of Istio's certificates in a Prometheus that has them mounted.
const CERTIFICATES: &str = "/etc/istio-certs";

pub(crate) fn service_monitor() -> Kind {
    Kind::new("monitoring.coreos.com/v1", "ServiceMonitor")
}

/// A ServiceMonitor for each component whose pods have metrics.
pub(crate) fn monitors(
    config: &Config,
    (namespace, app): (&str, &str),
    components: &[String],
    pods: &Pods,
    membership: Membership,
) -> Vec<Value> {
    let places = components.iter().map(|component| (component, pods.places(component)));
    places
        .filter(|(_, places)| !places.is_empty())
        .map(|(component, places)| monitor(config, (namespace, app), component, &places, membership))
        .collect()
}

/// The ServiceMonitor of a component, with these endpoints.
fn monitor(
    config: &Config,
    (namespace, app): (&str, &str),
    component: &str,
    places: &BTreeSet<usize>,
    membership: Membership,
) -> Value {
    let endpoint = |place: &usize| {
        let mut endpoint = json!({
            "scheme": match membership { Membership::InMesh => "https", Membership::Outside => "http" },
            "enableHttp2": false,
            "relabelings": relabelings(app, component, *place),
        });
        if membership == Membership::InMesh {
            // Prometheus can't verify the names in Istio's certificates.
            endpoint["tlsConfig"] = json!({
                "caFile": format!("{CERTIFICATES}/root-cert.pem"),
                "certFile": format!("{CERTIFICATES}/cert-chain.pem"),
                "keyFile": format!("{CERTIFICATES}/key.pem"),
                "insecureSkipVerify": true,
            });
        }
        endpoint
    };
    let spec = json!({
        "namespaceSelector": {"matchNames": [namespace]},
        // Any Service: labels and annotations select among its pods.
        "selector": {},
        "endpoints": places.iter().map(endpoint).collect::<Vec<_>>(),
    });
    let name = names::monitor(app, namespace, component);
    object(&service_monitor(), Some(namespace), &name, json!({"metadata": {"labels": config.labels}, "spec": spec}))
}

fn relabelings(app: &str, component: &str, place: usize) -> Value {
    let annotation =
        |what: &str| format!("__meta_kubernetes_pod_annotation_verrazzano_io_metrics{what}{}", number(place));
    json!([
        {
            "action": "keep",
            "sourceLabels": [
                annotation("Enabled"), "__meta_kubernetes_pod_label_app_oam_dev_name",
                "__meta_kubernetes_pod_label_app_oam_dev_component",
            ],
            "regex": format!("true;{};{}", literal(app), literal(component)),
        },
        {
            "action": "replace", "sourceLabels": [annotation("Path")],
            "regex": "(.+)", "targetLabel": "__metrics_path__",
        },
        {
            "action": "replace", "sourceLabels": ["__address__", annotation("Port")],
            "regex": r"([^:]+)(?::\d+)?;(\d+)", "replacement": "$1:$2", "targetLabel": "__address__",
        },
        {"action": "replace", "sourceLabels": ["__meta_kubernetes_namespace"], "targetLabel": "namespace"},
        {"action": "replace", "sourceLabels": ["__meta_kubernetes_pod_name"], "targetLabel": "pod_name"},
        {"action": "labelmap", "regex": "__meta_kubernetes_pod_label_(.+)"},
    ])
}

/// A regular expression that matches only this name: names contain dots.
fn literal(name: &str) -> String {
    name.replace('.', r"\.")
}
