//! What an API's author asks for.

use std::fmt;
use std::num::NonZeroU16;

use serde::{Deserialize, Deserializer, Serialize};

use crate::unsaid::{basic_auth, said};
use crate::{Cors, Host, OasValidation, Path, Quota, RateLimit, ServiceName, Verification};

/// An API's `spec`, in any of its served versions. Fields that it does not know pass: the definition preserves them, too.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// What the API is of. The kind `API` also calls it `apitype`.
    #[serde(default, alias = "apitype")]
    pub api_type: ApiType,
    /// The Service that implements it, in the API's namespace.
    pub implementation: ServiceName,
    /// Where it is, below the host.
    pub path: Path,
    /// The Service's port.
    pub port: NonZeroU16,
    /// Where it is described; each version writes this in a shape of its own.
    #[serde(default, deserialize_with = "specifications")]
    pub specification: Vec<Specification>,
    /// The host it is reached at.
    #[serde(default, deserialize_with = "crate::host")]
    pub hostname: Option<Host>,
    /// Its documentation: a path below the same host, or a whole URL.
    #[serde(default, rename = "developerUI")]
    pub developer_ui: Option<String>,
    /// Which part of its component it is.
    #[serde(default)]
    pub segment: Segment,
    /// How whoever scrapes its metrics says who they are.
    #[serde(default, deserialize_with = "basic_auth")]
    pub basic_auth: Option<BasicAuth>,
    /// Who may call it from the pages of other origins.
    #[serde(default, rename = "CORS")]
    pub cors: Option<Cors>,
    /// How often it may be called.
    #[serde(default)]
    pub rate_limit: Option<RateLimit>,
    /// Whether callers need a key.
    #[serde(default)]
    pub api_key_verification: Option<Verification>,
    /// How often it may be called in all.
    #[serde(default)]
    pub quota: Option<Quota>,
    /// Whether calls and answers are held against the specification.
    #[serde(default, rename = "OASValidation")]
    pub oas_validation: Option<OasValidation>,
    /// The name of a set of policies of an API gateway.
    #[serde(default)]
    pub template: Option<String>,
}

/// Where a name and a password are written. Passed on, and never followed: no plugin sees a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct BasicAuth {
    /// The name.
    pub username: SecretKey,
    /// The password.
    pub password: SecretKey,
}

/// A key of a Secret in the API's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(expecting = "`name` and `key` of a Secret")]
pub struct SecretKey {
    /// The Secret's name.
    pub name: String,
    /// The key in it.
    pub key: String,
}

/// What an API is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Option<String>")]
pub enum ApiType {
    /// An API by the `OpenAPI` specification.
    #[default]
    Openapi,
    /// Metrics.
    Prometheus,
    /// Metrics.
    Openmetrics,
    /// Tools of a Model Context Protocol server.
    Mcp,
    /// None of those.
    Unknown(String),
}

/// Which part of its component an API is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Option<String>")]
pub enum Segment {
    /// What the component is there for.
    #[default]
    CoreFunction,
    /// Its operation, e.g. metrics.
    ManagementFunction,
    /// Its identities and rights.
    SecurityFunction,
    /// None of those.
    Unknown(String),
}

/// Where an API is described.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Specification {
    /// Where its document is.
    #[serde(default)]
    pub url: Option<String>,
    /// Which version of the specification that is, e.g. `v4.0.1`.
    #[serde(default)]
    pub version: Option<String>,
}

impl ApiType {
    /// Whether it is metrics, which are scraped.
    pub fn is_metrics(&self) -> bool {
        matches!(self, Self::Prometheus | Self::Openmetrics)
    }
}

impl From<Option<String>> for ApiType {
    fn from(text: Option<String>) -> Self {
        let Some(text) = said(text) else { return Self::default() };
        match text.as_str() {
            "openapi" => Self::Openapi,
            "prometheus" => Self::Prometheus,
            "openmetrics" => Self::Openmetrics,
            "mcp" => Self::Mcp,
            _ => Self::Unknown(text),
        }
    }
}

impl From<Option<String>> for Segment {
    fn from(text: Option<String>) -> Self {
        let Some(text) = said(text) else { return Self::default() };
        match text.as_str() {
            "coreFunction" => Self::CoreFunction,
            "managementFunction" => Self::ManagementFunction,
            "securityFunction" => Self::SecurityFunction,
            _ => Self::Unknown(text),
        }
    }
}

impl fmt::Display for ApiType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Openapi => "openapi",
            Self::Prometheus => "prometheus",
            Self::Openmetrics => "openmetrics",
            Self::Mcp => "mcp",
            Self::Unknown(text) => text,
        })
    }
}

/// One shape or many of them: a text (`API`), texts (`v1beta3`), an object (`v1`) or objects (`v1beta4`, `v1`).
fn specifications<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Specification>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a URL, an object with `url` and `version`, or a list of either")]
    enum Shape {
        None(()),
        // Before one: a list of texts would pass for an object, whose fields it gives in their order.
        Many(Vec<Entry>),
        One(Entry),
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry {
        Url(String),
        Object(Specification),
    }
    let entry = |entry| match entry {
        Entry::Url(url) => Specification { url: Some(url), version: None },
        Entry::Object(specification) => specification,
    };
    Ok(match Shape::deserialize(deserializer)? {
        Shape::None(()) => Vec::new(),
        Shape::One(one) => vec![entry(one)],
        Shape::Many(many) => many.into_iter().map(entry).collect(),
    })
}
