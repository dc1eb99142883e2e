//! The versions of Istio that can be installed: each is a renderer that the operator granted, which
//! turns an `IstioOperator` into objects.

use mizzen_istio_api::Version;
use mizzen_sdk::renderers::{self, RenderError, Renderer};
use serde_json::Value;

use crate::config::Config;

/// The label of a renderer that names its version of Istio.
pub(crate) const LABEL: &str = "istio.io/version";

/// One version of Istio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) version: Version,
    renderer: String,
}

/// Why no version can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoClient {
    #[error(
        "no renderer labelled `{LABEL}` is granted: add one for the version to install, \
         and `grants.renderers` that selects it"
    )]
    None,
    #[error("no renderer for Istio {wanted} is granted, only for {there}: grant one labelled `{LABEL}: {wanted}`")]
    Version { wanted: String, there: String },
    #[error("`version` in the configuration: {0}")]
    Config(#[from] mizzen_istio_api::NotAVersion),
}

impl Client {
    /// Chooses the configured version, or the highest. Of two renderers for one version it takes
    /// the first by name.
    pub(crate) fn choose(config: &Config) -> Result<Self, NoClient> {
        let mut there: Vec<_> = renderers::available().into_iter().filter_map(Self::of).collect();
        there.sort_by(|a, b| (b.version, &a.renderer).cmp(&(a.version, &b.renderer)));
        let Some(wanted) = &config.version else { return there.into_iter().next().ok_or(NoClient::None) };
        let version = Version::parse(wanted)?;
        if let Some(client) = there.iter().find(|client| client.version == version) {
            return Ok(client.clone());
        }
        if there.is_empty() {
            return Err(NoClient::None);
        }
        let there: Vec<_> = there.iter().map(|client| client.version.to_string()).collect();
        Err(NoClient::Version { wanted: wanted.clone(), there: there.join(", ") })
    }

    fn of(renderer: Renderer) -> Option<Self> {
        let version = Version::parse(renderer.labels.get(LABEL)?).ok()?;
        Some(Self { version, renderer: renderer.name })
    }

    /// The objects of an `IstioOperator`.
    pub(crate) fn render(&self, operator: &Value) -> Result<Vec<Value>, RenderError> {
        renderers::render(&self.renderer, operator)
    }
}
