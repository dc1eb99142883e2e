//! The spec of an API.

use std::fmt;
use std::num::NonZeroU16;

use serde::{Deserialize, Deserializer};

use crate::basic_auth::{BasicAuth, basic_auth};
use crate::optional::non_empty;
use crate::{Cors, Host, OasValidation, Path, Quota, RateLimit, ServiceName, Verification};

/// An API's `spec`, in any of its served versions. Unknown fields are ignored: the definition
/// preserves them, too.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The type of the API. The kind `API` also calls it `apitype`.
    #[serde(default, alias = "apitype")]
    pub api_type: ApiType,
    /// The Service that implements it, in the API's namespace.
    pub implementation: ServiceName,
    /// Its path.
    pub path: Path,
    /// The Service's port.
    pub port: NonZeroU16,
    /// Its specification; each version has another syntax for it.
    #[serde(default, deserialize_with = "specifications")]
    pub specification: Vec<Specification>,
    /// Its host.
    #[serde(default, deserialize_with = "crate::host")]
    pub hostname: Option<Host>,
    /// Its documentation: a path below the same host, or a URL.
    #[serde(default, rename = "developerUI")]
    pub developer_ui: Option<String>,
    /// Its segment of the component.
    #[serde(default)]
    pub segment: Segment,
    /// The credentials for scraping its metrics.
    #[serde(default, deserialize_with = "basic_auth")]
    pub basic_auth: Option<BasicAuth>,
    /// CORS.
    #[serde(default, rename = "CORS")]
    pub cors: Option<Cors>,
    /// The rate limit.
    #[serde(default)]
    pub rate_limit: Option<RateLimit>,
    /// Whether callers need a key.
    #[serde(default)]
    pub api_key_verification: Option<Verification>,
    /// The total limit.
    #[serde(default)]
    pub quota: Option<Quota>,
    /// Validation of requests and responses against the specification.
    #[serde(default, rename = "OASValidation")]
    pub oas_validation: Option<OasValidation>,
    /// The name of a set of policies of an API gateway.
    #[serde(default)]
    pub template: Option<String>,
}

/// The type of an API.
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
    /// Any other.
    Unknown(String),
}

/// A segment of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Option<String>")]
pub enum Segment {
    /// The component's core function.
    #[default]
    CoreFunction,
    /// Management, e.g. metrics.
    ManagementFunction,
    /// Security: identities and rights.
    SecurityFunction,
    /// Any other.
    Unknown(String),
}

/// The specification of an API.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Specification {
    /// The URL of the document.
    #[serde(default)]
    pub url: Option<String>,
    /// The version of the specification, e.g. `v4.0.1`.
    #[serde(default)]
    pub version: Option<String>,
}

impl ApiType {
    /// Whether it serves metrics, which are scraped.
    pub fn is_metrics(&self) -> bool {
        matches!(self, Self::Prometheus | Self::Openmetrics)
    }
}

impl From<Option<String>> for ApiType {
    fn from(text: Option<String>) -> Self {
        let Some(text) = non_empty(text) else { return Self::default() };
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
        let Some(text) = non_empty(text) else { return Self::default() };
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

/// One of several shapes: a text (`API`), texts (`v1beta3`), an object (`v1`) or objects
/// (`v1beta4`, `v1`).
fn specifications<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Specification>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a URL, an object with `url` and `version`, or a list of either")]
    enum Shape {
        None(()),
        // Before the single shape: a list of texts would be accepted as an object with fields in
        // order.
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
