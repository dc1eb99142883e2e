//! How fast a reconciler may disrupt what others own, as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How fast something that disrupts may be done. Patches and deletions name the pace that they are subject to.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaceSpec {
    /// How many disruptions may be under way at once: each is until what was patched has come through. Default: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub at_once: Option<u32>,
    /// How many disruptions may begin within any 60 seconds. Default: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub per_minute: Option<u32>,
    /// When disruptions may begin. Default: at any time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowSpec>,
    /// How long a disruption may take before it counts as timed out and its place is free again, e.g. `10m`, which is the
    /// default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_deadline: Option<String>,
}

/// A part of the day, on some days of the week.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowSpec {
    /// The days on which it begins: `Sat`, or several as `Mon-Fri`. Default: every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    /// When it begins, e.g. `22:00`.
    pub from: String,
    /// When it ends, e.g. `04:00`; where that is not later than `from`, on the next day.
    pub to: String,
    /// The time zone of both, e.g. `Europe/Berlin`. Default: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}
