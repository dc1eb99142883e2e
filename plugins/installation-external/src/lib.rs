//! Stands in for the installation where somebody else installs Istio: with istioctl, Helm, the Sail operator or a cloud's own.
//!
//! It writes nothing. It finds the control plane by its Deployment (`app=istiod`), tells its version by its image, and is ready when that
//! is supported and available: so what comes after in the order runs as it would after `installation`. Where the two are swapped, what
//! `installation` made stays as it is, also when the subject goes meanwhile, and is taken up again when they are swapped back.

use mizzen_istio_api::{Supported, oldest, plane};
use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct InstallationExternal;

/// Which Istio does. Fields of `installation`'s configuration may stand beside it, and say nothing here: so the two are swapped by one
/// edit, that of the component.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Which versions do.
    pub supported: Supported,
}

impl Reconciler for InstallationExternal {
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Waits for an Istio that somebody else installs, and says whether its version does";
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

    fn ask(cluster: &Cluster, config: &Value) -> (Readiness, String) {
        let outcome = reconcile::<InstallationExternal>(cluster, ISTIO, config).unwrap();
        assert_eq!(outcome.desired, None, "it never wants anything");
        (outcome.readiness, outcome.conditions[0].message.clone())
    }

    #[test]
    fn a_control_plane_is_found_wherever_it_is_and_its_version_told() {
        let (readiness, message) =
            ask(&with("istiod-canary", "registry:5000/istio/pilot:1.30.2-distroless", 1), &json!({}));
        assert_eq!(readiness, Readiness::Ready);
        assert_eq!(message, "Deployment mesh/istiod-canary is 1.30.2, installed by somebody else, and left as it is");
    }

    #[test]
    fn one_that_was_installed_from_here_is_said_to_be_so() {
        let ours = json!({"apiVersion": "apps/v1", "kind": "Deployment",
                          "metadata": {"name": "istiod", "namespace": "mesh",
                                       "labels": {"app": "istiod", "mizzen.dev/owner": "o"}},
                          "spec": {"template": {"spec": {"containers": [
                              {"name": "discovery", "image": "istio/pilot:1.31.0"}]}}},
                          "status": {"availableReplicas": 1}});
        let (readiness, message) = ask(&Cluster::new().with(&ours.to_string()), &json!({}));
        assert_eq!(readiness, Readiness::Ready);
        assert!(message.ends_with("is 1.31.0, installed from here before, and left as it is"), "{message}");
    }

    #[test]
    fn one_that_is_not_there_or_not_up_is_waited_for() {
        for cluster in [Cluster::new(), with("istiod", "istio/pilot:1.30.2", 0)] {
            assert!(matches!(ask(&cluster, &json!({})).0, Readiness::Progressing(_)));
        }
    }

    #[test]
    fn one_of_another_version_holds_back_what_comes_after() {
        let cluster = with("istiod", "istio/pilot:1.20.0", 1);
        let (readiness, message) = ask(&cluster, &json!({"supported": {"from": "1.30", "to": "1.31"}}));
        assert!(
            matches!(readiness, Readiness::Failed(_)) && message.ends_with("supported are 1.30 to 1.31"),
            "{message}"
        );
        assert_eq!(ask(&cluster, &json!({"supported": {"from": "1.20"}})).0, Readiness::Ready);
    }

    #[test]
    fn it_takes_the_configuration_of_the_installation_that_it_stands_in_for() {
        let config = json!({"version": "1.31.0", "namespace": "mesh", "supported": {"to": "1.32"}});
        assert_eq!(ask(&with("istiod", "istio/pilot:1.32.0", 1), &config).0, Readiness::Ready);
    }

    #[test]
    fn of_several_subjects_the_oldest_counts() {
        let older = ISTIO
            .replace("default", "older")
            .replace("istio-system}", "mesh, creationTimestamp: '2026-01-01T00:00:00Z'}");
        let own = ISTIO.replace("istio-system}", "istio-system, creationTimestamp: '2026-01-02T00:00:00Z'}");
        let cluster = with("istiod", "istio/pilot:1.31.0", 1).with(&own).with(&older);
        let (readiness, message) = ask(&cluster, &json!({}));
        assert!(matches!(readiness, Readiness::Failed(_)) && message.contains("mesh/older"), "{message}");
    }

    #[test]
    fn a_range_that_is_none_is_invalid() {
        let answer = reconcile::<InstallationExternal>(&Cluster::new(), ISTIO, &json!({"supported": {"from": "new"}}));
        assert!(matches!(answer, Err(Failure::Invalid(why)) if why.contains("e.g. `1.31`")));
    }
}
