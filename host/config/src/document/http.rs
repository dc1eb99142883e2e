//! The grants of the network in `spec.grants`.
//!
//! A field that may have placeholders replaces `{subject.spec.tokens}` by that field of the
//! subject, and `{subject.spec.tokens | subject.name}` by the first of these fields that is present
//! and not empty.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The grant of one host.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpGrantSpec {
    /// A host name or address, e.g. `api.example.com`; or `*.example.com`: every host below it, but
    /// not `example.com` itself.
    pub host: String,
    /// The port. Default: 443, or 80 with `plainHttp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<u16>,
    /// The methods. Default: `GET` and `HEAD`. A request may be sent more than once; in mode Plan
    /// only these two methods are sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Headers that the plugin may set, beside those that negotiate content. Headers that
    /// authenticate or control the connection can not be granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// The names of the granted credentials that may be sent to this host. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<String>,
    /// Loopback, link-local, private or otherwise non-public networks in which the host may be,
    /// e.g. `10.20.0.0/16`. Default: none, so that a name that resolves into the cluster, or to the
    /// metadata server of a cloud, is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private: Vec<String>,
    /// Whether requests are sent without TLS. Every network in between can read and change them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain_http: bool,
    /// The proxy for requests to this host. The proxy then resolves the name of the host, and
    /// `private` does not limit its addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxySpec>,
    /// Certificate authorities that are trusted for this host, beside those of the operator's
    /// system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustSpec>,
    /// The host's certificate is not verified if this is `true`; may have placeholders. Then a
    /// machine in between can impersonate the host and receive the credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_verify_if: Option<String>,
}

/// A proxy: its URL, or the key of a Secret that has it. If both are given and `url` does not
/// resolve, `secret` is used; if neither resolves, requests are sent without a proxy. A Secret that
/// does not exist is an error.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProxySpec {
    /// The URL, e.g. `http://proxy.example.com:3128`; may have placeholders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The key of a Secret that has the URL, possibly with user and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<KeySpec>,
    /// Loopback, link-local, private or otherwise non-public networks in which the proxy may be.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private: Vec<String>,
}

/// Certificate authorities, in PEM. Those of every given source are trusted. A source whose name
/// does not resolve has none; an object that does not exist is an error.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustSpec {
    /// The certificates themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pem: Option<String>,
    /// The key of a ConfigMap that has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<KeySpec>,
    /// The key of a Secret that has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<KeySpec>,
}

/// One key of a Secret or ConfigMap.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeySpec {
    /// A namespace, or `{subject.namespace}`: the subject's own. No other field of the subject can
    /// choose it.
    pub namespace: String,
    /// The name; may have placeholders.
    pub name: String,
    /// The key.
    pub key: String,
}

/// A credential, with which the host authenticates requests. The plugin names it, and never sees
/// it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialSpec {
    /// The key of a Secret that has the credential.
    pub secret: KeySpec,
    /// The header that has the credential. Default: `Authorization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The word before the credential in the header, e.g. `Api-Token`. Default: `Bearer` in
    /// `Authorization`, and none in other headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
}
