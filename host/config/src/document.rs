//! The kinds of our own, as they are written: in a file or in the cluster. The definitions in `deploy/crds` are generated from here.

pub mod http;
pub mod pace;
mod renderer;

use std::collections::BTreeMap;

use mizzen_model::crd::{Names, definition};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use http::{CredentialSpec, HttpGrantSpec};
use pace::PaceSpec;
pub use renderer::{RenderLimitsSpec, RendererSpec, RendererStatus, renderer_crd};

/// What a reconciler is, what it may do, and when its turn is.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReconcilerSpec {
    /// Where its component comes from.
    pub component: ComponentSpec,
    /// Which objects it is asked about. Default: all of the plugin's own subject kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectSpec>,
    /// Runs when these reconcilers are ready: for the same subject, or, when they are asked about another kind, for all of theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Runs once these reconcilers have answered, whatever they said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_any: Vec<String>,
    /// The plugin's configuration, checked against the plugin's own schema.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
    pub config: Map<String, Value>,
    /// What it may touch. Nothing by default.
    #[serde(default)]
    pub grants: GrantsSpec,
    /// What one call may cost.
    #[serde(default)]
    pub limits: LimitsSpec,
    /// How fast it may disrupt what others own, by the names that its patches and deletions use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pace: BTreeMap<String, PaceSpec>,
    /// Whether it acts.
    #[serde(default)]
    pub mode: ModeSpec,
}

/// Where a component comes from.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComponentSpec {
    /// A file, relative to the host's plugin folder.
    pub file: String,
}

/// Which objects a reconciler is asked about.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubjectSpec {
    /// `group/version`, or `version` alone for the core group.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// Only those with these labels, in the syntax of `kubectl -l`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label_selector: String,
    /// Only those in these namespaces. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
}

/// What a plugin may touch.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrantsSpec {
    /// Kinds it may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<GrantSpec>,
    /// Kinds it may have applied, kept from drifting, and pruned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apply: Vec<GrantSpec>,
    /// Kinds of which it may set fields in objects that others own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patch: Vec<GrantSpec>,
    /// Kinds of which it may delete objects that others own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<GrantSpec>,
    /// Renderers it may call. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renderers: Option<RendererGrantSpec>,
    /// Hosts that it may send HTTPS requests to; the first that fits decides. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpGrantSpec>,
    /// What its requests may be authenticated with, by the names that the plugin uses. Which hosts are sent it stands with the hosts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<String, CredentialSpec>,
}

/// Which renderers may be called.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RendererGrantSpec {
    /// Those that have all of these labels; `{}` is all renderers.
    pub match_labels: BTreeMap<String, String>,
}

/// One kind that may be touched, and where.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrantSpec {
    /// `group/version`, or `version` alone for the core group.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// Only in these namespaces. Default: everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Whether applies may take over fields that other field managers own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// What one call may cost.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitsSpec {
    /// Memory, e.g. `64Mi`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Time from call to answer, e.g. `5s`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Size of an outcome, e.g. `4Mi`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Calls of the host. Default: 10000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub reads: Option<u64>,
    /// HTTPS requests, redirects included. Default: 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub requests: Option<u64>,
}

/// Whether a reconciler acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ModeSpec {
    /// It does.
    #[default]
    Enforce,
    /// It is asked, and nothing is written: its log lines, its metrics and this status say what would be. A subject that it holds stays.
    Plan,
    /// It is not asked, and its objects are left as they are, drift and all. A subject that it holds stays; others don't wait for it.
    Paused,
}

/// How a reconciler stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReconcilerStatus {
    /// The generation that all of this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Digest of the component that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Its subjects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects: Option<SubjectCounts>,
    /// The last error of one of its subjects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Loaded: the newest component runs. Ordered: it has its place in the order. Ready: it answers for all of its subjects.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    #[serde(default)]
    pub conditions: Vec<StatusCondition>,
}

/// How many subjects a reconciler has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SubjectCounts {
    /// All of them.
    pub total: usize,
    /// Those that are ready.
    pub ready: usize,
    /// Those that ended in an error.
    pub failed: usize,
}

/// A condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusCondition {
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: String,
    /// True, False or Unknown.
    pub status: String,
    /// For machines.
    pub reason: String,
    /// For people.
    #[serde(default)]
    pub message: String,
    /// Since when the status is what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<String>,
    /// The generation it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// The definition of the `Reconciler` kind.
pub fn crd() -> Value {
    let names = Names {
        group: "mizzen.dev",
        version: "v1alpha1",
        kind: "Reconciler",
        plural: "reconcilers",
        singular: "reconciler",
        short: &["rec"],
        categories: &["mizzen"],
        namespaced: false,
    };
    let columns = [
        ("Loaded", "string", ".status.conditions[?(@.type==\"Loaded\")].status"),
        ("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
        ("Subjects", "integer", ".status.subjects.total"),
        ("Failed", "integer", ".status.subjects.failed"),
        ("Mode", "string", ".spec.mode"),
        ("Age", "date", ".metadata.creationTimestamp"),
    ];
    let mut crd = definition::<ReconcilerSpec, ReconcilerStatus>(&names, &columns);
    let version = &mut crd["spec"]["versions"][0];
    version["schema"]["openAPIV3Schema"]["description"] =
        json!("A reconciler: a sandboxed plugin, its configuration, its grants, and its place in the order.");
    crd
}
