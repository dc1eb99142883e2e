//! The specs and statuses of the host's own kinds. The CRDs in `deploy/crds` are generated from
//! these types.

pub mod http;
pub mod pace;
mod renderer;
mod shared;

use std::collections::BTreeMap;

use mizzen_model::crd::{Names, definition};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use http::{CredentialSpec, HttpGrantSpec};
use pace::PaceSpec;
pub use renderer::{RenderLimitsSpec, RendererSpec, RendererStatus, renderer_crd};
pub use shared::{ComponentSpec, StatusCondition};

/// A reconciler: its plugin, its grants, and its place in the order.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReconcilerSpec {
    /// The source of its component.
    pub component: ComponentSpec,
    /// Its subjects: the objects that the plugin is called for, and is given.
    pub subject: SubjectSpec,
    /// Predecessors that must be ready: for the same subject, or, if their subjects have another
    /// kind, for all of their subjects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Predecessors that must have an outcome, of any readiness.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_any: Vec<String>,
    /// The plugin's configuration, validated against the plugin's own schema.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
    pub config: Map<String, Value>,
    /// What the plugin may do. Default: nothing.
    #[serde(default)]
    pub grants: GrantsSpec,
    /// The limits of one call.
    #[serde(default)]
    pub limits: LimitsSpec,
    /// The paces of its disruptions of objects that other parties own, by the names that its
    /// patches and deletions use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pace: BTreeMap<String, PaceSpec>,
    /// Whether its outcomes are applied.
    #[serde(default)]
    pub mode: ModeSpec,
}

/// The subjects of a reconciler.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubjectSpec {
    /// `group/version`, or `version` alone for the core group.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// Only objects with these labels, in the syntax of `kubectl -l`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label_selector: String,
    /// Only objects in these namespaces. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// The only fields that the plugin is given, e.g. `spec.selector`. Default: all, except those
    /// that no author of a subject sets, such as its status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// What a plugin may do.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrantsSpec {
    /// Kinds that it may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<GrantSpec>,
    /// Kinds of which it may have objects applied, repaired after drift, and pruned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apply: Vec<GrantSpec>,
    /// Kinds of which it may patch objects that other parties own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patch: Vec<GrantSpec>,
    /// Kinds of which it may delete objects that other parties own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<GrantSpec>,
    /// Whether the statuses of its subjects are written: its fields and conditions, and the host's
    /// condition `mizzen.dev/<name>`. Default: unless the subject is of a built-in kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<bool>,
    /// Whether its subjects may have its finalizer, so that they are deleted only after its cleanup.
    /// Default: unless the subject is of a built-in kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finalizer: Option<bool>,
    /// Renderers that it may call. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renderers: Option<RendererGrantSpec>,
    /// Hosts to which it may send HTTPS requests; the first match decides. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpGrantSpec>,
    /// Credentials for its requests, by the names that the plugin uses. Each host names those that
    /// it may be sent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<String, CredentialSpec>,
}

/// The renderers that may be called.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RendererGrantSpec {
    /// Renderers that have all of these labels; `{}` matches all renderers.
    pub match_labels: BTreeMap<String, String>,
}

/// The grant of one kind.
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
    /// Whether objects that exist already, and that no reconciler applied, may be adopted: applied
    /// from then on, and released instead of deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopt: bool,
    /// The only fields that patches may set, e.g. `spec.template.metadata.annotations['example.com/restarted']`.
    /// Default: all, except metadata that decides about the life of an object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// The limits of one call.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitsSpec {
    /// Memory, e.g. `64Mi`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Time from the call to its outcome, e.g. `5s`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The size of the outcome, e.g. `4Mi`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The number of reads and other calls of the host. Default: 10000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub reads: Option<u64>,
    /// The number of HTTPS requests, redirects included. Default: 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub requests: Option<u64>,
}

/// Whether the outcomes of a reconciler are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ModeSpec {
    /// They are applied.
    #[default]
    Enforce,
    /// The plugin is called and nothing is written: log lines, metrics and this status report what
    /// would be written. Subjects keep its finalizer.
    Plan,
    /// The plugin is not called, and its objects are left as they are, without drift repair.
    /// Subjects keep its finalizer; successors do not wait for it.
    Paused,
}

/// The status of a reconciler.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReconcilerStatus {
    /// The generation of the spec that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The digest of the running component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The numbers of its subjects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects: Option<SubjectCounts>,
    /// The last error of any of its subjects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Loaded: the newest component runs. Ordered: the reconciler has a place in the order. Ready:
    /// it is ready for all of its subjects.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    #[serde(default)]
    pub conditions: Vec<StatusCondition>,
}

/// The numbers of a reconciler's subjects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SubjectCounts {
    /// All subjects.
    pub total: usize,
    /// Subjects that are ready.
    pub ready: usize,
    /// Subjects whose last reconcile failed.
    pub failed: usize,
}

/// The CRD of the kind `Reconciler`.
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
