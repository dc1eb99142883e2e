//! Applies the mesh's default mutual TLS mode: the PeerAuthentication `default` in the mesh's root
//! namespace.
//!
//! Behaviour: Kyma's PeerAuthentication reconciler (`istio-system/default`, `STRICT`). Ready once
//! the API server has the mode, so that successors can rely on an encrypted mesh. The namespace is
//! not the subject's: Kyma's Istio objects are in another one, where Istio would apply the mode to
//! that namespace only. There is no `portLevelMtls`: Istio supports it only with a selector, and a
//! PeerAuthentication with a selector does not apply to the mesh.
//!
//! Other `PeerAuthentications` stay unchanged. One that Istio prefers to this one is reported by a
//! warning, because it overrides the mode.

use std::collections::BTreeMap;

use mizzen_sdk::{AccessError, Description, Failure, Kind, Outcome, Query, Reconciler, Request, cluster, object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The reconciler.
#[derive(Debug)]
pub struct Mtls;

/// The mesh's mutual TLS.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Which traffic workloads accept.
    pub mode: Mode,
    /// The mesh's root namespace, where an object named `default` counts for the whole mesh.
    #[schemars(length(min = 1))]
    pub namespace: String,
}

/// Which traffic workloads accept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Encrypted only.
    #[default]
    Strict,
    /// Both.
    Permissive,
    /// Plain only.
    Disable,
}

const MODE: &str = "mode";
const OURS: &str = "default";

/// The fields of a PeerAuthentication that determine the mode of the whole mesh.
#[derive(Deserialize)]
struct Authentication {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    /// As Kubernetes writes times: sorting the texts sorts the times.
    #[serde(default)]
    creation_timestamp: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    mtls: Option<MutualTls>,
    selector: Option<Selector>,
}

#[derive(Deserialize)]
struct MutualTls {
    mode: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    #[serde(default)]
    match_labels: BTreeMap<String, String>,
}

fn peer_authentication() -> Kind {
    Kind::new("security.istio.io/v1", "PeerAuthentication")
}

impl Reconciler for Mtls {
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        Description::new(
            "mtls",
            env!("CARGO_PKG_VERSION"),
            "The mesh's default mutual TLS mode",
            Kind::new("mizzen.dev/v1alpha1", "Istio"),
        )
        .reads_fields(
            MODE,
            peer_authentication(),
            &["spec.mtls.mode", "spec.selector", "metadata.creationTimestamp"],
            "whether the mode is in force, and whether Istio prefers another one",
        )
        .applies(peer_authentication(), "the mesh's default mode")
    }

    fn reconcile(Request { config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let Config { mode, namespace } = config;
        if namespace.is_empty() {
            return Err(Failure::invalid("`namespace` in the configuration is empty"));
        }
        let query = Query::of(peer_authentication()).namespace(namespace).fields(MODE);
        let there = match cluster::list::<Authentication>(&query) {
            Err(AccessError::NotServed(_)) => return Ok(Outcome::progressing("Istio's CRDs are not installed yet")),
            found => found?,
        };
        let wanted = json!({"spec": {"mtls": {"mode": mode}}});
        Ok(judge(&there, *mode, namespace).desire([object(&peer_authentication(), Some(namespace), OURS, wanted)]))
    }
}

mizzen_sdk::export!(Mtls);

/// Whether the mode is in force. Among the `PeerAuthentications` of its root namespace Istio uses the
/// oldest without a selector.
fn judge(there: &[Authentication], mode: Mode, namespace: &str) -> Outcome {
    let Some(own) = there.iter().find(|one| one.metadata.name == OURS).filter(|own| own.has(mode)) else {
        return Outcome::progressing(format!("PeerAuthentication {namespace}/{OURS} is not in force yet"));
    };
    if !own.is_mesh_wide() {
        return Outcome::warning(format!(
            "another field manager added a selector to PeerAuthentication {namespace}/{OURS}, \
             so it does not apply to the whole mesh: remove it"
        ));
    }
    match there.iter().filter(|one| one.is_mesh_wide()).min_by_key(|one| one.age()) {
        Some(first) if !first.has(mode) => Outcome::warning(format!(
            "PeerAuthentication {namespace}/{} is older and also applies to the whole mesh: \
             Istio uses it instead of {OURS}",
            first.metadata.name
        )),
        _ => Outcome::ready(),
    }
}

impl Authentication {
    fn has(&self, mode: Mode) -> bool {
        let own = self.spec.mtls.as_ref().and_then(|mtls| mtls.mode.as_deref());
        own == Some(match mode {
            Mode::Strict => "STRICT",
            Mode::Permissive => "PERMISSIVE",
            Mode::Disable => "DISABLE",
        })
    }

    fn is_mesh_wide(&self) -> bool {
        self.spec.selector.as_ref().is_none_or(|selector| selector.match_labels.is_empty())
    }

    fn age(&self) -> (&str, &str) {
        (&self.metadata.creation_timestamp, &self.metadata.name)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { mode: Mode::Strict, namespace: "istio-system".into() }
    }
}

#[cfg(test)]
mod tests;
