//! The configuration. Users of the mesh configure it by the custom resource.

use mizzen_istio_api::Supported;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::environment::{Provider, Size};

/// How Istio is installed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The version to install, e.g. `1.31.0`; a renderer with the label `istio.io/version` of this
    /// value must be granted. Default: the highest granted version.
    pub version: Option<String>,
    /// Istio's own profile, the base of all other settings.
    #[schemars(length(min = 1))]
    pub profile: String,
    /// The namespace of the control plane and its gateways.
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// The registry of images, e.g. `docker.io/istio`. Default: the renderer's own.
    pub hub: Option<String>,
    /// The tag of images. Default: the renderer's own.
    pub tag: Option<String>,
    /// Names of the image pull Secrets in the namespace.
    pub pull_secrets: Vec<String>,
    /// Whether an Istio that another party installed is adopted. Its fields then belong to other
    /// field managers: the grants need `force`.
    pub adopt: bool,
    /// The supported versions of an Istio that another party installed.
    pub supported: Supported,
    /// The cluster's provider. Default: detected from its nodes.
    pub provider: Option<Provider>,
    /// The cluster's size. Default: detected from its nodes; `small` below 5 CPU or 10 GB in total.
    pub size: Option<Size>,
    /// Fields of an `IstioOperator`'s spec, which override the defaults and are overridden by the
    /// custom resource.
    pub overlay: Map<String, Value>,
    /// Namespaces for which the sidecar injector is not called, besides its own rules:
    /// `matchExpressions` of a label selector, all of which must match for injection.
    pub injector_expressions: Vec<Value>,
    /// Name of the pace at which workloads are restarted without their sidecars when Istio is
    /// removed. Default: all at once.
    pub restart_pace: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: None,
            profile: "default".into(),
            namespace: "istio-system".into(),
            hub: None,
            tag: None,
            pull_secrets: Vec::new(),
            adopt: false,
            supported: Supported::default(),
            provider: None,
            size: None,
            overlay: Map::new(),
            injector_expressions: Vec::new(),
            restart_pace: None,
        }
    }
}
