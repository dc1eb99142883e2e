//! Makes Istio's health and metrics visible from outside: a `ServiceMonitor` for the control plane,
//! a `VirtualService` for the health of the ingress gateway, and, if configured, dashboards.
//!
//! Behaviour: Kyma's Monitoring reconciler. Without the Prometheus operator there is no
//! `ServiceMonitor`, which a condition reports, and health is published nonetheless. An Istio of
//! another party is found by `selector`, `port` and `ingress`.

mod config;
mod dashboards;

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request, cluster, object};
use serde_json::{Value, json};

pub use config::{Config, Dashboards, Ingress};

/// The reconciler.
#[derive(Debug)]
pub struct Monitoring;

/// The condition that reports whether the control plane's metrics are scraped.
const SCRAPED: &str = "MetricsScraped";

/// Namespaces.
struct Places<'a> {
    /// The namespace of the desired objects: the subject's.
    own: &'a str,
    /// The namespace of the control plane and its ingress gateway.
    mesh: &'a str,
}

fn service_monitor() -> Kind {
    Kind::new("monitoring.coreos.com/v1", "ServiceMonitor")
}

fn virtual_service() -> Kind {
    Kind::new("networking.istio.io/v1", "VirtualService")
}

impl Reconciler for Monitoring {
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        Description::new(
            "monitoring",
            env!("CARGO_PKG_VERSION"),
            "The mesh's metrics and health, seen from outside",
            Kind::new("mizzen.dev/v1alpha1", "Istio"),
        )
        .applies(service_monitor(), "lets Prometheus scrape the control plane's metrics")
        .applies(virtual_service(), "publishes the mesh's health")
        .applies(dashboards::config_map(), "dashboards, if the configuration enables them")
    }

    fn reconcile(Request { subject, config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let own = subject.metadata.namespace.as_deref();
        let mesh = config.namespace.as_deref().or(own);
        let (Some(own), Some(mesh)) = (own.or(mesh), mesh) else {
            return Err(Failure::invalid("a cluster-scoped subject needs `namespace` in the configuration"));
        };
        let (places, host) = (Places { own, mesh }, config.health_host()?);
        let scraped = cluster::serves(&service_monitor());
        let published = cluster::serves(&virtual_service());
        let outcome =
            if published { Outcome::ready() } else { Outcome::progressing("Istio's CRDs are not installed yet") };
        let outcome = if scraped {
            outcome.condition(SCRAPED, Some(true), "ServiceMonitorApplied", "")
        } else {
            let why = "the API server does not serve ServiceMonitors: install the Prometheus operator";
            outcome.condition(SCRAPED, Some(false), "PrometheusOperatorMissing", why)
        };
        Ok(outcome
            .desire(scraped.then(|| metrics(config, &places)))
            .desire(published.then(|| health(config, &host, &places)))
            .desire(dashboards::wanted(&config.dashboards, places.own)))
    }
}

mizzen_sdk::export!(Monitoring);

fn metrics(config: &Config, Places { own, mesh }: &Places<'_>) -> Value {
    let mut endpoint = json!({"port": config.port});
    if let Some(interval) = &config.interval {
        endpoint["interval"] = json!(interval);
    }
    let selector = match &config.selector {
        Some(labels) => json!({"matchLabels": labels}),
        None => json!({"matchExpressions": [{"key": "istio", "operator": "In", "values": ["pilot"]}]}),
    };
    let spec = json!({
        "selector": selector,
        "namespaceSelector": {"matchNames": [mesh]},
        "endpoints": [endpoint],
    });
    let mut content = json!({"spec": spec});
    if !config.labels.is_empty() {
        content["metadata"] = json!({"labels": config.labels});
    }
    object(&service_monitor(), Some(own), "istio-component-monitor", content)
}

fn health(config: &Config, host: &str, Places { own, mesh }: &Places<'_>) -> Value {
    let Ingress { service, port } = &config.ingress;
    let service = format!("{service}.{mesh}.svc.cluster.local");
    let spec = json!({
        "hosts": [host],
        // Istio's name for its sidecars.
        "gateways": [config.gateway.as_deref().unwrap_or("mesh")],
        "http": [{
            "match": [{"uri": {"exact": "/healthz/ready"}}],
            "route": [{"destination": {"host": service, "port": {"number": port}}}],
        }],
    });
    object(&virtual_service(), Some(own), "istio-healthz", json!({"spec": spec}))
}

#[cfg(test)]
mod tests;
