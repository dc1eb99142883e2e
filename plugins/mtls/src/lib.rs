//! Keeps the mesh's default mutual TLS mode: the PeerAuthentication `default` in the mesh's root namespace.
//!
//! Behaviour: Kyma's PeerAuthentication reconciler (`istio-system/default`, `STRICT`). Ready once the API server has it so: what comes
//! after in the order can rely on an encrypted mesh. The namespace is not the subject's: Kyma's Istio objects live elsewhere, and there
//! Istio would take the object for the mode of that one namespace.

use mizzen_sdk::{Description, Failure, Kind, ObjectRef, Outcome, Reconciler, Request, cluster, object};
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
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Encrypted alone.
    #[default]
    Strict,
    /// Both.
    Permissive,
    /// Plain alone.
    Disable,
}

const MODE: &str = "mode";

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
        .reads_fields(MODE, peer_authentication(), &["spec.mtls.mode"], "to tell when the mode is in force")
        .applies(peer_authentication(), "the mesh's default mode")
    }

    fn reconcile(Request { config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let namespace = config.namespace.as_str();
        if namespace.is_empty() {
            return Err(Failure::invalid("`namespace` in the configuration is empty"));
        }
        let wanted = object(
            &peer_authentication(),
            Some(namespace),
            "default",
            json!({"spec": {"mtls": {"mode": config.mode}}}),
        );
        let there =
            cluster::get::<Value>(&ObjectRef::new(peer_authentication(), Some(namespace), "default"), Some(MODE))?;
        let outcome = match there {
            Some(there) if there["spec"] == wanted["spec"] => Outcome::ready(),
            _ => Outcome::progressing(format!("PeerAuthentication {namespace}/default is not in force yet")),
        };
        Ok(outcome.desire([wanted]))
    }
}

mizzen_sdk::export!(Mtls);

impl Default for Config {
    fn default() -> Self {
        Self { mode: Mode::Strict, namespace: "istio-system".into() }
    }
}

#[cfg(test)]
mod tests {
    use mizzen_sdk::Readiness;
    use mizzen_sdk::testing::{Cluster, reconcile};

    use super::*;

    const ISTIO: &str =
        "{apiVersion: mizzen.dev/v1alpha1, kind: Istio, metadata: {name: default, namespace: istio-system}, spec: {}}";

    fn there(mode: &str) -> Cluster {
        Cluster::new().with(&format!(
            "{{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {{name: default, namespace: istio-system}}, spec: {{mtls: {{mode: {mode}}}}}}}"
        ))
    }

    #[test]
    fn the_default_is_strict_for_the_whole_mesh_whatever_the_subject_and_wherever_it_lives() {
        let kyma = "{apiVersion: operator.kyma-project.io/v1alpha2, kind: Istio, metadata: {name: default, namespace: kyma-system}}";
        let cluster_scoped = "{apiVersion: example.com/v1, kind: Mesh, metadata: {name: mesh}, spec: {}}";
        for subject in [ISTIO, kyma, cluster_scoped] {
            let outcome = reconcile::<Mtls>(&Cluster::new(), subject, &json!({})).unwrap();
            let wanted = &outcome.desired.unwrap()[0];
            assert_eq!(wanted["metadata"], json!({"name": "default", "namespace": "istio-system"}));
            assert_eq!(wanted["spec"], json!({"mtls": {"mode": "STRICT"}}));
        }
    }

    #[test]
    fn a_mode_in_another_namespace_does_not_make_the_mesh_ready() {
        let elsewhere = Cluster::new().with(
            "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: default, namespace: kyma-system}, spec: {mtls: {mode: STRICT}}}",
        );
        let outcome = reconcile::<Mtls>(&elsewhere, ISTIO, &json!({})).unwrap();
        assert!(matches!(outcome.readiness, Readiness::Progressing(why) if why.contains("istio-system/default")));
    }

    #[test]
    fn an_empty_namespace_is_invalid() {
        let answer = reconcile::<Mtls>(&Cluster::new(), ISTIO, &json!({"namespace": ""}));
        assert!(matches!(answer, Err(Failure::Invalid(why)) if why.contains("`namespace`")));
    }

    #[test]
    fn it_is_ready_once_the_mode_is_in_force() {
        let before = reconcile::<Mtls>(&there("PERMISSIVE"), ISTIO, &json!({"mode": "STRICT"})).unwrap();
        assert!(matches!(before.readiness, Readiness::Progressing(_)));
        assert_eq!(
            reconcile::<Mtls>(&there("STRICT"), ISTIO, &json!({"mode": "STRICT"})).unwrap().readiness,
            Readiness::Ready
        );
    }

    #[test]
    fn the_root_namespace_can_be_another() {
        let outcome = reconcile::<Mtls>(&Cluster::new(), ISTIO, &json!({"namespace": "mesh"})).unwrap();
        assert_eq!(outcome.desired.unwrap()[0]["metadata"]["namespace"], "mesh");
    }

    #[test]
    fn an_unknown_mode_is_invalid_and_names_the_choices() {
        let Err(Failure::Invalid(why)) = reconcile::<Mtls>(&Cluster::new(), ISTIO, &json!({"mode": "strict"})) else {
            panic!()
        };
        assert!(why.contains("STRICT"), "{why}");
    }

    #[test]
    fn an_unreadable_mode_is_passing_trouble() {
        let cluster = Cluster::new().with_unavailable(peer_authentication());
        assert!(matches!(reconcile::<Mtls>(&cluster, ISTIO, &json!({})), Err(Failure::Retry(_))));
    }
}
