//! The spec of a pace.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The limits of disruptions. Patches and deletions name their pace.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaceSpec {
    /// How many disruptions may be in progress: each is in progress until its object has rolled
    /// out. Default: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub at_once: Option<u32>,
    /// How many disruptions may start within any 60 seconds. Default: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub per_minute: Option<u32>,
    /// When disruptions may start. Default: at any time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowSpec>,
    /// How long a disruption may take before it counts as timed out and its place is free again,
    /// e.g. `10m`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_deadline: Option<String>,
}

/// A part of the day, on some days of the week.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowSpec {
    /// The days on which it opens: `Sat`, or several as `Mon-Fri`. Default: every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    /// When it opens, e.g. `22:00`.
    pub from: String,
    /// When it closes, e.g. `04:00`; on the next day if that is not later than `from`.
    pub to: String,
    /// The time zone of both, e.g. `Europe/Berlin`. Default: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}
