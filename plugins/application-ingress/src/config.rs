//! The configuration. Its defaults are Verrazzano's and Istio's own names.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The domain of rules without a host: they are served at `<app>.<namespace>.<domain>`. Must
    /// equal that of `application`.
    #[schemars(length(min = 1))]
    pub domain: Option<String>,
    /// cert-manager's `ClusterIssuer` for traits without their own certificate.
    #[schemars(length(min = 1))]
    pub cluster_issuer: String,
    /// The ingress gateway's namespace: its certificates and its authorization are there.
    #[schemars(length(min = 1))]
    pub gateway_namespace: String,
    /// Labels of the ingress gateway's pods.
    #[schemars(extend("minProperties" = 1))]
    pub gateway_selector: BTreeMap<String, String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            domain: None,
            cluster_issuer: "verrazzano-cluster-issuer".into(),
            gateway_namespace: "istio-system".into(),
            gateway_selector: BTreeMap::from([("istio".into(), "ingressgateway".into())]),
        }
    }
}
