//! What an API asks for.

use mizzen_sdk::Failure;
use serde::Deserialize;

/// An ExposedAPI's `spec`, as far as it is looked at; what else there is passes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// What the API is of.
    pub api_type: ApiType,
    /// The Service that implements it, in the API's namespace.
    pub implementation: String,
    /// Where it is, below the host; begins with `/`.
    pub path: String,
    /// The Service's port.
    pub port: i64,
    /// The host it is reached at.
    pub hostname: Option<String>,
    /// The path of its documentation, below the same host.
    #[serde(rename = "developerUI")]
    pub developer_ui: Option<String>,
}

/// What an API is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
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

impl Spec {
    /// Says which field can't be worked with.
    pub(crate) fn validate(&self) -> Result<(), Failure> {
        if self.implementation.is_empty() {
            return Err(Failure::invalid("`spec.implementation` names no Service"));
        }
        if !self.path.starts_with('/') {
            return Err(Failure::invalid(format!("`spec.path` must begin with `/`: `{}`", self.path)));
        }
        if self.path.contains(|c: char| c.is_whitespace() || c.is_control() || "?#".contains(c)) {
            return Err(Failure::invalid(format!("`spec.path` holds what no path of a URL does: {:?}", self.path)));
        }
        if !(1..=65535).contains(&self.port) {
            return Err(Failure::invalid(format!("`spec.port` must lie in 1..=65535: {}", self.port)));
        }
        Ok(())
    }
}

impl ApiType {
    pub(crate) fn is_metrics(self) -> bool {
        self != Self::Other
    }
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            api_type: ApiType::Other,
            implementation: String::new(),
            path: String::new(),
            port: 0,
            hostname: None,
            developer_ui: None,
        }
    }
}
