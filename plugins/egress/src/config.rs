//! The configuration.

use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// Timeout of one request to the Dynatrace API. Two are sent: both must fit into the time of a
    /// call, which is 5 s unless `limits.time` sets another.
    #[schemars(range(min = 1, max = 60))]
    pub timeout_seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { timeout_seconds: 2 }
    }
}
