//! Makes Istio's health and metrics visible from outside: a ServiceMonitor for the control plane, and a VirtualService through which
//! the ingress gateway's own health is asked for.
//!
//! Behaviour: Kyma's Monitoring reconciler. Ready at once: it depends on nothing that it could wait for.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request, object};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The reconciler.
#[derive(Debug)]
pub struct Monitoring;

/// How the mesh is seen from outside.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Health is answered at `healthz.<domain>`.
    #[schemars(length(min = 1))]
    pub domain: String,
    /// The Gateway (`namespace/name`) that lets it in from outside. Without one, health is answered to the mesh's own workloads alone.
    pub gateway: Option<String>,
    /// How often the control plane's metrics are scraped, e.g. `30s`; default: Prometheus' own.
    pub interval: Option<String>,
    /// Where the control plane and its ingress gateway run; default: the subject's namespace.
    pub namespace: Option<String>,
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
        .applies(service_monitor(), "has the control plane's metrics scraped")
        .applies(virtual_service(), "publishes the mesh's health")
    }

    fn reconcile(Request { subject, config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let own = subject.metadata.namespace.as_deref();
        let mesh = config.namespace.as_deref().or(own);
        let (Some(own), Some(mesh)) = (own.or(mesh), mesh) else {
            return Err(Failure::invalid("a cluster-scoped subject needs `namespace` in the configuration"));
        };
        if config.domain.is_empty() {
            return Err(Failure::invalid("`domain` in the configuration is empty"));
        }
        Ok(Outcome::ready().desire([metrics(config, own, mesh), health(config, own, mesh)]))
    }
}

mizzen_sdk::export!(Monitoring);

fn metrics(config: &Config, own: &str, mesh: &str) -> Value {
    let mut endpoint = json!({"port": "http-monitoring"});
    if let Some(interval) = &config.interval {
        endpoint["interval"] = json!(interval);
    }
    let spec = json!({
        "selector": {"matchExpressions": [{"key": "istio", "operator": "In", "values": ["pilot"]}]},
        "namespaceSelector": {"matchNames": [mesh]},
        "endpoints": [endpoint],
    });
    object(&service_monitor(), Some(own), "istio-component-monitor", json!({"spec": spec}))
}

fn health(config: &Config, own: &str, mesh: &str) -> Value {
    let service = format!("istio-ingressgateway.{mesh}.svc.cluster.local");
    let spec = json!({
        "hosts": [format!("healthz.{}", config.domain)],
        // Istio's name for its sidecars.
        "gateways": [config.gateway.as_deref().unwrap_or("mesh")],
        "http": [{
            "match": [{"uri": {"exact": "/healthz/ready"}}],
            "route": [{"destination": {"host": service, "port": {"number": 15021}}}],
        }],
    });
    object(&virtual_service(), Some(own), "istio-healthz", json!({"spec": spec}))
}

#[cfg(test)]
mod tests;
