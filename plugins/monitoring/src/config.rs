//! The configuration. Its defaults are Kyma's and Istio's own names.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use mizzen_sdk::Failure;
use schemars::JsonSchema;
use serde::Deserialize;

/// Monitoring of the mesh from outside.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The domain: health is served at `healthz.<domain>`. Required unless `host` is given.
    #[schemars(length(min = 1))]
    pub domain: Option<String>,
    /// The host at which health is served instead.
    #[schemars(length(min = 1))]
    pub host: Option<String>,
    /// The Gateway (`namespace/name`) for requests from outside. Without one, health is served only
    /// to workloads of the mesh.
    #[schemars(length(min = 1))]
    pub gateway: Option<String>,
    /// How often the control plane's metrics are scraped, e.g. `30s`; default: Prometheus' own.
    #[schemars(length(min = 1))]
    pub interval: Option<String>,
    /// The namespace of the control plane and its ingress gateway; default: the subject's.
    #[schemars(length(min = 1))]
    pub namespace: Option<String>,
    /// Labels of the ServiceMonitor, by which a Prometheus selects it, e.g. `release: prometheus`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Labels of the control plane's Service; default: `istio` is `pilot`.
    #[schemars(extend("minProperties" = 1))]
    pub selector: Option<BTreeMap<String, String>>,
    /// The name of that Service's port for metrics.
    #[serde(default = "http_monitoring")]
    #[schemars(length(min = 1))]
    pub port: String,
    /// The Service that serves the mesh's health.
    #[serde(default)]
    pub ingress: Ingress,
    /// Dashboards for a Grafana that reads them from `ConfigMap`s.
    #[serde(default)]
    pub dashboards: Dashboards,
}

/// The ingress gateway's Service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ingress {
    /// Its name.
    #[schemars(length(min = 1))]
    pub service: String,
    /// Its port for health.
    pub port: NonZeroU16,
}

/// Dashboards for a Grafana that reads them from `ConfigMap`s.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dashboards {
    /// Whether dashboards are created. By default they are not.
    pub enabled: bool,
    /// Their namespace; default: the subject's.
    #[schemars(length(min = 1))]
    pub namespace: Option<String>,
    /// Labels by which Grafana finds them.
    pub labels: BTreeMap<String, String>,
}

impl Config {
    /// The host at which health is served.
    pub(crate) fn health_host(&self) -> Result<String, Failure> {
        match (&self.host, &self.domain) {
            (Some(host), _) if !host.is_empty() => Ok(host.clone()),
            (None, Some(domain)) if !domain.is_empty() => Ok(format!("healthz.{domain}")),
            (Some(_), _) => Err(Failure::invalid("`host` in the configuration is empty")),
            (None, Some(_)) => Err(Failure::invalid("`domain` in the configuration is empty")),
            (None, None) => Err(Failure::invalid("the configuration needs `domain` or `host`")),
        }
    }
}

impl Default for Ingress {
    fn default() -> Self {
        let health = const { NonZeroU16::new(15021).unwrap() };
        Self { service: "istio-ingressgateway".into(), port: health }
    }
}

impl Default for Dashboards {
    fn default() -> Self {
        let labels = BTreeMap::from([("grafana_dashboard".into(), "1".into())]);
        Self { enabled: false, namespace: None, labels }
    }
}

fn http_monitoring() -> String {
    "http-monitoring".into()
}
