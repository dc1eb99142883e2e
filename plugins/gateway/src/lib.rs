//! Opens the mesh to the outside: one Istio Gateway for all hosts of a domain, HTTPS with a
//! certificate, plain HTTP redirected to HTTPS.
//!
//! Behaviour: the default gateway of Kyma's clusters. Ready once the API server has it: the ingress
//! gateway reads the certificate's Secret, and plugins never read Secrets. A Gateway of this name
//! that belongs to another party stays unchanged; the host reports the conflict.

use std::collections::BTreeMap;

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request, cluster, object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The reconciler.
#[derive(Debug)]
pub struct Gateway;

/// The configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The domain: every host below it is served, as `*.<domain>`.
    #[schemars(length(min = 1))]
    pub domain: String,
    /// The `kubernetes.io/tls` Secret of the certificate, in the namespace of the ingress gateway's pods.
    #[schemars(length(min = 1))]
    pub certificate_secret: String,
    /// Additional hosts, e.g. `example.com` itself or `namespace/shop.example.org`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The namespace of the Gateway.
    #[serde(default = "defaults::namespace")]
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// The name of the Gateway; routes refer to it by `namespace/name`.
    #[serde(default = "defaults::name")]
    #[schemars(length(min = 1))]
    pub name: String,
    /// The lowest TLS version for clients; default: Istio's own.
    pub min_tls_version: Option<TlsVersion>,
    /// Whether plain HTTP is redirected; otherwise it is not served.
    #[serde(default = "defaults::https_redirect")]
    pub https_redirect: bool,
    /// Labels of the pods that serve it.
    #[serde(default = "defaults::selector")]
    #[schemars(extend("minProperties" = 1))]
    pub selector: BTreeMap<String, String>,
}

/// A version of TLS, as Istio names it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub enum TlsVersion {
    /// 1.0
    #[serde(rename = "TLSV1_0")]
    V1_0,
    /// 1.1
    #[serde(rename = "TLSV1_1")]
    V1_1,
    /// 1.2
    #[serde(rename = "TLSV1_2")]
    V1_2,
    /// 1.3
    #[serde(rename = "TLSV1_3")]
    V1_3,
}

fn gateway() -> Kind {
    Kind::new("networking.istio.io/v1", "Gateway")
}

impl Reconciler for Gateway {
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        Description::new(
            "gateway",
            env!("CARGO_PKG_VERSION"),
            "The default gateway into the mesh",
            Kind::new("mizzen.dev/v1alpha1", "Istio"),
        )
        .applies(gateway(), "lets traffic into the mesh")
    }

    fn reconcile(Request { config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        config.validate()?;
        // Without desired objects: the Gateway stays while the kind is temporarily not served.
        if !cluster::serves(&gateway()) {
            return Ok(Outcome::progressing("Istio's CRDs are not installed yet"));
        }
        let spec = json!({"selector": config.selector, "servers": config.servers()});
        Ok(Outcome::ready().desire([object(&gateway(), Some(&config.namespace), &config.name, json!({"spec": spec}))]))
    }
}

mizzen_sdk::export!(Gateway);

impl Config {
    fn validate(&self) -> Result<(), Failure> {
        let texts = [
            ("domain", &self.domain),
            ("certificateSecret", &self.certificate_secret),
            ("namespace", &self.namespace),
            ("name", &self.name),
        ];
        if let Some((field, _)) = texts.into_iter().find(|(_, text)| text.is_empty()) {
            return Err(Failure::invalid(format!("`{field}` in the configuration is empty")));
        }
        if self.domain.starts_with("*.") {
            return Err(Failure::invalid("`domain` in the configuration starts with `*.`: write the domain alone"));
        }
        if self.selector.is_empty() {
            let why = "`selector` in the configuration is empty: write the labels of the gateway's \
                pods, e.g. `istio: ingressgateway`";
            return Err(Failure::invalid(why));
        }
        Ok(())
    }

    fn servers(&self) -> Vec<Value> {
        let all = format!("*.{}", self.domain);
        let others = self.hosts.iter().filter(|host| **host != all);
        let hosts: Vec<_> = std::iter::once(&all).chain(others).collect();
        let mut tls = json!({"mode": "SIMPLE", "credentialName": self.certificate_secret});
        if let Some(version) = self.min_tls_version {
            tls["minProtocolVersion"] = json!(version);
        }
        let https = json!({"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": hosts, "tls": tls});
        let http = json!({
            "port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": hosts, "tls": {"httpsRedirect": true},
        });
        std::iter::once(https).chain(self.https_redirect.then_some(http)).collect()
    }
}

mod defaults {
    use std::collections::BTreeMap;

    pub(super) fn namespace() -> String {
        "istio-system".into()
    }

    pub(super) fn name() -> String {
        "default".into()
    }

    pub(super) fn https_redirect() -> bool {
        true
    }

    pub(super) fn selector() -> BTreeMap<String, String> {
        BTreeMap::from([("istio".into(), "ingressgateway".into())])
    }
}

#[cfg(test)]
mod tests;
