//! How far the mesh has come: `status`.

use mizzen_sdk::resource::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far the mesh has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// In one word. Optional, unlike Kyma's: conditions come of several reconcilers, each for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// In one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The generation of the spec that all this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How far restarts of workloads with outdated sidecars have come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecars: Option<Sidecars>,
    /// In detail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// Workloads whose sidecars are not as the mesh would make them now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Sidecars {
    /// The image that sidecars shall have.
    pub image: String,
    /// Being restarted, or waiting for their turn.
    pub restarting: Workloads,
    /// To be restarted once nothing stands against it.
    pub pending: Workloads,
    /// To be restarted by people.
    pub manual: Workloads,
    /// Annotated to be left alone.
    pub excluded: Workloads,
    /// Restarted, which did not help.
    pub unhelped: Workloads,
}

/// Some workloads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Workloads {
    /// How many there are.
    #[schemars(extend("format" = "int32"), range(min = 0, max = 2_147_483_647))]
    pub count: u32,
    /// The first of them, as `Kind namespace/name` and what there is to say.
    pub names: Vec<String>,
}

/// How far the mesh has come, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum State {
    /// On its way.
    Processing,
    /// Being taken down.
    Deleting,
    /// As wanted.
    Ready,
    /// It can't.
    Error,
    /// Works, but somebody should look.
    Warning,
}
