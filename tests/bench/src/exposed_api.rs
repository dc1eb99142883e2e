//! The `ExposedAPI`, with the fields that are used.

use kube::api::{ApiResource, GroupVersionKind};
use serde::{Deserialize, Serialize};

/// An API to be published.
pub type ExposedApi = kube::core::Object<Spec, Status>;

/// The desired state of an API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The type of the API.
    #[serde(default)]
    pub api_type: ApiType,
    /// The Service that implements it, in the API's namespace.
    pub implementation: String,
    /// The path below the host; begins with `/`.
    pub path: String,
    /// The Service's port.
    pub port: i64,
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The path of its documentation, below the same host.
    #[serde(rename = "developerUI", skip_serializing_if = "Option::is_none")]
    pub developer_ui: Option<String>,
}

/// The type of an API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApiType {
    /// Metrics.
    Prometheus,
    /// Metrics.
    Openmetrics,
    /// Anything that is not scraped.
    #[default]
    #[serde(other)]
    Other,
}

/// The address of an API, and the state of its implementation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Its address.
    pub api_status: ApiStatus,
    /// Its implementation.
    pub implementation: Implementation,
    /// The result of the last reconcile.
    pub conditions: Vec<Condition>,
}

/// The address of an API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiStatus {
    /// The API's name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Its Service's port.
    pub port: i64,
    /// Its Service.
    pub implementation: String,
    /// The URL of the API.
    pub url: Option<String>,
    /// The URL of its documentation.
    #[serde(rename = "developerUI")]
    pub developer_ui: Option<String>,
    /// The address of the load balancer.
    pub ip: Option<String>,
}

/// The implementation of an API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Implementation {
    /// Whether one of its endpoints is ready.
    pub ready: bool,
}

/// The result of a reconcile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True` or `False`.
    pub status: String,
    /// Why, as one word.
    pub reason: String,
    /// Why, for people.
    pub message: String,
    /// When the status changed, in RFC 3339.
    pub last_transition_time: String,
}

/// An invalid field.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSpec {
    /// The Service is missing.
    #[error("`spec.implementation` names no Service")]
    Implementation,
    /// The path is not a URL path.
    #[error("`spec.path` must begin with `/` and hold no space, `?` or `#`: {0:?}")]
    Path(String),
    /// The port is out of range.
    #[error("`spec.port` must lie in 1..=65535: {0}")]
    Port(i64),
}

/// The resource of the kind.
pub fn resource() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("oda.tmforum.org", "v1", "ExposedAPI"), "exposedapis")
}

impl Spec {
    /// Checks the fields.
    ///
    /// # Errors
    /// The first invalid field.
    pub fn validate(&self) -> Result<(), InvalidSpec> {
        let invalid = |c: char| c.is_whitespace() || c.is_control() || "?#".contains(c);
        if self.implementation.is_empty() {
            return Err(InvalidSpec::Implementation);
        }
        if !self.path.starts_with('/') || self.path.contains(invalid) {
            return Err(InvalidSpec::Path(self.path.clone()));
        }
        if !(1..=65535).contains(&self.port) {
            return Err(InvalidSpec::Port(self.port));
        }
        Ok(())
    }
}

impl Status {
    /// Whether another status is equal, apart from times.
    pub fn equals(&self, other: &Self) -> bool {
        let timeless = |condition: &Condition| Condition { last_transition_time: String::new(), ..condition.clone() };
        self.api_status == other.api_status
            && self.implementation == other.implementation
            && self.conditions.iter().map(timeless).eq(other.conditions.iter().map(timeless))
    }
}
