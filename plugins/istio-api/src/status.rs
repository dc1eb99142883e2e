//! The state of the mesh: `status`.

use mizzen_sdk::resource::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state of the mesh.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// The state in one word. Optional, unlike Kyma's: several reconcilers write conditions
    /// independently.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// The state in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The generation of the spec that was observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Progress of restarts of workloads with outdated sidecars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecars: Option<Sidecars>,
    /// Details.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// Workloads whose sidecars differ from what the mesh would inject.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Sidecars {
    /// The desired image of sidecars.
    pub image: String,
    /// Restarted, or waiting for a pace.
    pub restarting: Workloads,
    /// Not restarted yet because of their state.
    pub pending: Workloads,
    /// To be restarted by hand.
    pub manual: Workloads,
    /// Excluded by an annotation.
    pub excluded: Workloads,
    /// Restarted without effect.
    pub unhelped: Workloads,
}

/// Some workloads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Workloads {
    /// The number of workloads.
    #[schemars(extend("format" = "int32"), range(min = 0, max = 2_147_483_647))]
    pub count: u32,
    /// The first of them, as `Kind namespace/name` and a reason.
    pub names: Vec<String>,
}

/// The state of the mesh in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum State {
    /// In progress.
    Processing,
    /// Being removed.
    Deleting,
    /// The desired state is reached.
    Ready,
    /// The desired state can't be reached.
    Error,
    /// Works, but something needs attention.
    Warning,
}
