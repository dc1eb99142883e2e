//! The spec and status of the kind `Renderer`.

use mizzen_model::crd::{Names, definition};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::shared::{ComponentSpec, StatusCondition};

/// A renderer. Reconcilers with a grant choose it by the labels of this document.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RendererSpec {
    /// The source of its component: a WASI command that reads a KRM `ResourceList` and writes one.
    pub component: ComponentSpec,
    /// The limits of one rendering.
    #[serde(default)]
    pub limits: RenderLimitsSpec,
}

/// The limits of one rendering.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RenderLimitsSpec {
    /// Memory, e.g. `512Mi`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Time from its first instruction to its result, e.g. `30s`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The size of its standard input, e.g. `1Mi`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The size of its standard output, e.g. `8Mi`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// The status of a renderer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RendererStatus {
    /// The generation of the spec that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The digest of the running component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Loaded: the newest component runs.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    #[serde(default)]
    pub conditions: Vec<StatusCondition>,
}

/// The CRD of the kind `Renderer`.
pub fn renderer_crd() -> Value {
    let names = Names {
        group: "mizzen.dev",
        version: "v1alpha1",
        kind: "Renderer",
        plural: "renderers",
        singular: "renderer",
        short: &["rend"],
        categories: &["mizzen"],
        namespaced: false,
    };
    let columns = [
        ("Loaded", "string", ".status.conditions[?(@.type==\"Loaded\")].status"),
        ("Reason", "string", ".status.conditions[?(@.type==\"Loaded\")].reason"),
        ("File", "string", ".spec.component.file"),
        ("Age", "date", ".metadata.creationTimestamp"),
    ];
    let mut crd = definition::<RendererSpec, RendererStatus>(&names, &columns);
    let version = &mut crd["spec"]["versions"][0];
    version["schema"]["openAPIV3Schema"]["description"] = json!(
        "A renderer: a sandboxed pure function from a document to objects. Reconcilers with a grant choose it by its \
         labels."
    );
    crd
}
