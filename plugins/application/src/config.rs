//! The configuration. Its defaults are Verrazzano's and Istio's own names.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The domain of rules without a host: they are served at `<app>.<namespace>.<domain>`. Must
    /// equal that of `application-ingress`.
    #[schemars(length(min = 1))]
    pub domain: Option<String>,
    /// Labels of the ingress gateway's pods.
    #[schemars(extend("minProperties" = 1))]
    pub gateway_selector: BTreeMap<String, String>,
    /// The mesh's trust domain.
    #[schemars(length(min = 1))]
    pub trust_domain: String,
    /// The account of the ingress gateway.
    pub ingress_gateway: Account,
    /// The account of Prometheus.
    pub prometheus: Account,
    /// Labels of the `ServiceMonitors`, by which a Prometheus selects them.
    pub labels: BTreeMap<String, String>,
}

/// A `ServiceAccount`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// Its namespace.
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// Its name.
    #[schemars(length(min = 1))]
    pub name: String,
}

impl Account {
    fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            domain: None,
            gateway_selector: BTreeMap::from([("istio".into(), "ingressgateway".into())]),
            trust_domain: "cluster.local".into(),
            ingress_gateway: Account::new("istio-system", "istio-ingressgateway-service-account"),
            prometheus: Account::new("verrazzano-monitoring", "prometheus-operator-kube-p-prometheus"),
            labels: BTreeMap::from([("release".into(), "prometheus-operator".into())]),
        }
    }
}
