//! What of the network a plugin may reach, as it is written in `spec.grants`.
//!
//! Where a field says that it takes parts of the subject, `{subject.spec.tokens}` in it stands for that field of the object that the
//! reconciler is asked about, and `{subject.spec.tokens | subject.name}` for the first of them that is there and not empty.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One host that may be sent HTTPS requests, and how.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpGrantSpec {
    /// A host name or address, e.g. `api.example.com`; or `*.example.com`: every host below, but not `example.com` itself.
    pub host: String,
    /// Default: 443, or 80 with `plainHttp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<u16>,
    /// Default: `GET` and `HEAD`. A request may be sent more than once, and in mode Plan only those two are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Headers that the plugin may set, beside those that negotiate content. None that authenticates or belongs to the connection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// Which of the credentials granted below this host may be sent. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<String>,
    /// Loopback, link-local, private or otherwise not public networks that the host may be in, e.g. `10.20.0.0/16`. Default: none, so that a
    /// name that leads into the cluster, or to a cloud's metadata, is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private: Vec<String>,
    /// Whether it is asked without TLS. Everybody on the way can read and change what is said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain_http: bool,
    /// The proxy through which it is asked. The proxy resolves its name then: which addresses it may have is the proxy's to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxySpec>,
    /// Certificate authorities that are trusted for it, beside those of the host's system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustSpec>,
    /// Its certificate is not verified if this is `true`; takes parts of the subject. Whoever is on the way can pretend to be the host then, and is
    /// sent the credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_verify_if: Option<String>,
}

/// A proxy: its URL, or where that stands. Where both are given and there is nothing at the first, it is the second; where there is nothing
/// at either, the host is asked without a proxy. What is named and is not there is an error.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProxySpec {
    /// `http://proxy.example.com:3128`; takes parts of the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The key of a Secret that has the URL, be it with user and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<KeySpec>,
    /// Loopback, link-local, private or otherwise not public networks that the proxy may be in. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private: Vec<String>,
}

/// Certificate authorities, in PEM. Those of all that is given here are trusted. Where the name is a part of the subject that is not there,
/// there are none; what is named and is not there is an error.
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
    /// A namespace, or `{subject.namespace}`: the subject's own. Nothing else of the subject can choose it.
    pub namespace: String,
    /// Takes parts of the subject.
    pub name: String,
    /// The key.
    pub key: String,
}

/// What the host authenticates requests with. The plugin names it, and never sees it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialSpec {
    /// The key of a Secret that has it.
    pub secret: KeySpec,
    /// The header that it is sent in. Default: `Authorization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// What stands before it in the header, e.g. `Api-Token`. Default: `Bearer` in `Authorization`, and nothing in other headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
}
