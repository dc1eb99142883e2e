//! Replaces `installation` where another party installs Istio: with istioctl, Helm, the Sail
//! operator or a cloud's own service.
//!
//! It writes nothing. It finds the control plane by its Deployment (`app=istiod`), reads the
//! version from its image, and is ready when that version is supported and available: so its
//! successors run as after `installation`. If the two are swapped, objects of `installation` stay
//! unchanged, also if the subject is deleted meanwhile, and are managed again when they are swapped
//! back.

use mizzen_istio_api::{Supported, oldest, plane};
use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct InstallationExternal;

/// The supported versions. Other fields are ignored, so that the two can be swapped by changing the
/// component alone, with `installation`'s configuration in place.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// The supported versions.
    pub supported: Supported,
}

impl Reconciler for InstallationExternal {
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Waits for an Istio that another party installs, and checks its version";
        let istio = Kind::new("mizzen.dev/v1alpha1", "Istio");
        let description = Description::new("installation-external", env!("CARGO_PKG_VERSION"), summary, istio);
        plane::declare(oldest::declare(description))
    }

    fn reconcile(Request { subject, config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        if let Some(older) = oldest::instead_of(subject)? {
            return Ok(oldest::outcome(&older));
        }
        Ok(plane::judge(&plane::control_planes()?, config.supported))
    }
}

mizzen_sdk::export!(InstallationExternal);

#[cfg(test)]
mod tests {
    use mizzen_sdk::Readiness;
    use mizzen_sdk::testing::{Cluster, reconcile};
    use serde_json::json;

    use super::*;

    const ISTIO: &str =
        "{apiVersion: mizzen.dev/v1alpha1, kind: Istio, metadata: {name: default, namespace: istio-system}, spec: {}}";

    /// A cluster with a control plane of this image.
    fn with(name: &str, image: &str, available: u32) -> Cluster {
        Cluster::new().with(
            &json!({"apiVersion": "apps/v1", "kind": "Deployment",
                    "metadata": {"name": name, "namespace": "mesh", "labels": {"app": "istiod"}},
                    "spec": {"template": {"spec": {"containers": [{"name": "discovery", "image": image}]}}},
                    "status": {"availableReplicas": available}})
            .to_string(),
        )
    }

    fn reconciled(cluster: &Cluster, config: &Value) -> (Readiness, String) {
        let outcome = reconcile::<InstallationExternal>(cluster, ISTIO, config).unwrap();
        assert_eq!(outcome.desired, None, "it never wants anything");
        (outcome.readiness, outcome.conditions[0].message.clone())
    }

    #[test]
    fn a_control_plane_is_found_in_any_namespace_and_its_version_reported() {
        let (readiness, message) =
            reconciled(&with("istiod-canary", "registry:5000/istio/pilot:1.30.2-distroless", 1), &json!({}));
        assert_eq!(readiness, Readiness::Ready);
        assert_eq!(message, "Deployment mesh/istiod-canary is 1.30.2, installed by another party, and left unchanged");
    }

    #[test]
    fn a_control_plane_of_the_installation_is_reported_as_such() {
        let ours = json!({"apiVersion": "apps/v1", "kind": "Deployment",
                          "metadata": {"name": "istiod", "namespace": "mesh",
                                       "labels": {"app": "istiod", "mizzen.dev/owner": "o"}},
                          "spec": {"template": {"spec": {"containers": [
                              {"name": "discovery", "image": "istio/pilot:1.31.0"}]}}},
                          "status": {"availableReplicas": 1}});
        let (readiness, message) = reconciled(&Cluster::new().with(&ours.to_string()), &json!({}));
        assert_eq!(readiness, Readiness::Ready);
        assert!(message.ends_with("is 1.31.0, installed by Mizzen before, and left unchanged"), "{message}");
    }

    #[test]
    fn a_control_plane_that_is_missing_or_not_available_is_awaited() {
        for cluster in [Cluster::new(), with("istiod", "istio/pilot:1.30.2", 0)] {
            assert!(matches!(reconciled(&cluster, &json!({})).0, Readiness::Progressing(_)));
        }
    }

    #[test]
    fn an_unsupported_version_gates_successors() {
        let cluster = with("istiod", "istio/pilot:1.20.0", 1);
        let (readiness, message) = reconciled(&cluster, &json!({"supported": {"from": "1.30", "to": "1.31"}}));
        assert!(
            matches!(readiness, Readiness::Failed(_)) && message.ends_with("supported are 1.30 to 1.31"),
            "{message}"
        );
        assert_eq!(reconciled(&cluster, &json!({"supported": {"from": "1.20"}})).0, Readiness::Ready);
    }

    #[test]
    fn the_configuration_of_the_installation_is_accepted() {
        let config = json!({"version": "1.31.0", "namespace": "mesh", "supported": {"to": "1.32"}});
        assert_eq!(reconciled(&with("istiod", "istio/pilot:1.32.0", 1), &config).0, Readiness::Ready);
    }

    #[test]
    fn the_oldest_of_several_subjects_counts() {
        let older = ISTIO
            .replace("default", "older")
            .replace("istio-system}", "mesh, creationTimestamp: '2026-01-01T00:00:00Z'}");
        let own = ISTIO.replace("istio-system}", "istio-system, creationTimestamp: '2026-01-02T00:00:00Z'}");
        let cluster = with("istiod", "istio/pilot:1.31.0", 1).with(&own).with(&older);
        let (readiness, message) = reconciled(&cluster, &json!({}));
        assert!(matches!(readiness, Readiness::Failed(_)) && message.contains("mesh/older"), "{message}");
    }

    #[test]
    fn a_reversed_range_is_invalid() {
        let result = reconcile::<InstallationExternal>(&Cluster::new(), ISTIO, &json!({"supported": {"from": "new"}}));
        assert!(matches!(result, Err(Failure::Invalid(why)) if why.contains("e.g. `1.31`")));
    }
}
