//! What the operator of the cluster decides. Users of the mesh decide in the custom resource.

use mizzen_istio_api::Supported;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::merge::{Provider, Size};

/// How Istio is installed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The version to install, e.g. `1.31.0`; a renderer labelled `istio.io/version` with it must be granted. Default: the highest of
    /// those that are.
    pub version: Option<String>,
    /// Istio's own profile that everything else is laid over.
    #[schemars(length(min = 1))]
    pub profile: String,
    /// Where the control plane and its gateways run.
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// Where images come from, e.g. `docker.io/istio`. Default: the renderer's own.
    pub hub: Option<String>,
    /// The images' tag. Default: the renderer's own.
    pub tag: Option<String>,
    /// Names of the Secrets in the namespace that images are pulled with.
    pub pull_secrets: Vec<String>,
    /// Whether an Istio that was not installed from here is taken over. Its fields are other managers' then: the grants need `force`.
    pub adopt: bool,
    /// Which versions of a user's own Istio do.
    pub supported: Supported,
    /// Where the cluster runs. Default: what its nodes say.
    pub provider: Option<Provider>,
    /// How large the cluster is. Default: what its nodes say; below 5 CPU or 10 GB in all it is small.
    pub size: Option<Size>,
    /// Fields of an `IstioOperator`'s spec, over the defaults and under the custom resource.
    pub overlay: Map<String, Value>,
    /// Namespaces that the sidecar injector is to leave alone besides its own rules: a label selector's `matchExpressions`, all of which
    /// must hold for it to inject.
    pub injector_expressions: Vec<Value>,
    /// Name of the pace at which workloads are restarted without their sidecars when Istio goes. Default: all at once.
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
