//! The `ExposedAPI`, typed, as far as it is looked at.

use kube::api::{ApiResource, GroupVersionKind};
use serde::{Deserialize, Serialize};

/// An API to be published.
pub type ExposedApi = kube::core::Object<Spec, Status>;

/// What an API asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// What the API is of.
    #[serde(default)]
    pub api_type: ApiType,
    /// The Service that implements it, in the API's namespace.
    pub implementation: String,
    /// Where it is, below the host; begins with `/`.
    pub path: String,
    /// The Service's port.
    pub port: i64,
    /// The host it is reached at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The path of its documentation, below the same host.
    #[serde(rename = "developerUI", skip_serializing_if = "Option::is_none")]
    pub developer_ui: Option<String>,
}

/// What an API is of.
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

/// Where an API is, and whether something stands behind it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Where it is.
    pub api_status: ApiStatus,
    /// What stands behind it.
    pub implementation: Implementation,
    /// How the last reconcile went.
    pub conditions: Vec<Condition>,
}

/// Where an API is.
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
    /// Where it is reached.
    pub url: Option<String>,
    /// Where its documentation is reached.
    #[serde(rename = "developerUI")]
    pub developer_ui: Option<String>,
    /// The address of the load balancer.
    pub ip: Option<String>,
}

/// What stands behind an API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Implementation {
    /// Whether an endpoint of it is ready.
    pub ready: bool,
}

/// How a reconcile went.
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
    /// Since when, as Kubernetes writes times.
    pub last_transition_time: String,
}

/// A field that can't be worked with.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSpec {
    /// No Service is named.
    #[error("`spec.implementation` names no Service")]
    Implementation,
    /// The path is no path of a URL.
    #[error("`spec.path` must begin with `/` and hold no space, `?` or `#`: {0:?}")]
    Path(String),
    /// The port is none.
    #[error("`spec.port` must lie in 1..=65535: {0}")]
    Port(i64),
}

/// Where the API server serves the kind.
pub fn resource() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("oda.tmforum.org", "v1", "ExposedAPI"), "exposedapis")
}

impl Spec {
    /// Says which field can't be worked with.
    pub fn validate(&self) -> Result<(), InvalidSpec> {
        let unfit = |c: char| c.is_whitespace() || c.is_control() || "?#".contains(c);
        if self.implementation.is_empty() {
            return Err(InvalidSpec::Implementation);
        }
        if !self.path.starts_with('/') || self.path.contains(unfit) {
            return Err(InvalidSpec::Path(self.path.clone()));
        }
        if !(1..=65535).contains(&self.port) {
            return Err(InvalidSpec::Port(self.port));
        }
        Ok(())
    }
}

impl Status {
    /// Whether another says the same, whenever it came to.
    pub fn says(&self, other: &Self) -> bool {
        let timeless = |condition: &Condition| Condition { last_transition_time: String::new(), ..condition.clone() };
        self.api_status == other.api_status
            && self.implementation == other.implementation
            && self.conditions.iter().map(timeless).eq(other.conditions.iter().map(timeless))
    }
}
