//! An `IngressTrait` as written: the fields of `oam.verrazzano.io/v1alpha1`. Fields that the OAM
//! runtime adds (`workloadRef`) are ignored.

use serde::Deserialize;

/// The spec.
#[derive(Debug, Deserialize)]
pub(crate) struct Spec {
    #[serde(default)]
    pub(crate) rules: Vec<Rule>,
    #[serde(default)]
    pub(crate) tls: Tls,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Tls {
    /// The Secret of an existing certificate, in the ingress gateway's namespace.
    pub(crate) secret_name: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Rule {
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    #[serde(default)]
    pub(crate) paths: Vec<Path>,
    #[serde(default)]
    pub(crate) destination: Destination,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Path {
    #[serde(default, rename = "path")]
    pub(crate) text: String,
    #[serde(default, rename = "pathType")]
    pub(crate) kind: String,
    /// The API has it as `authorizationPolicy`.
    #[serde(rename = "authorizationPolicy", alias = "policy")]
    pub(crate) policy: Option<Policy>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Policy {
    #[serde(default)]
    pub(crate) rules: Vec<PolicyRule>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PolicyRule {
    pub(crate) from: Option<From>,
    #[serde(default)]
    pub(crate) when: Vec<When>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct From {
    #[serde(default)]
    pub(crate) request_principals: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct When {
    #[serde(default)]
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) values: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Destination {
    pub(crate) host: String,
    pub(crate) port: u32,
    pub(crate) http_cookie: Option<Cookie>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) path: String,
    /// Seconds.
    pub(crate) ttl: u32,
}
