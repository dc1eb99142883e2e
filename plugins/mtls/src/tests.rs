//! What users of the mesh's mutual TLS can rely on.

use mizzen_sdk::Readiness;
use mizzen_sdk::testing::{Cluster, reconcile};

use super::*;

const ISTIO: &str =
    "{apiVersion: mizzen.dev/v1alpha1, kind: Istio, metadata: {name: default, namespace: istio-system}, spec: {}}";

fn there(mode: &str) -> Cluster {
    Cluster::new().with(&format!(
        "{{apiVersion: security.istio.io/v1, kind: PeerAuthentication, \
         metadata: {{name: default, namespace: istio-system}}, spec: {{mtls: {{mode: {mode}}}}}}}"
    ))
}

#[test]
fn the_default_is_strict_for_the_whole_mesh_for_subjects_of_any_kind_and_namespace() {
    let kyma = "{apiVersion: operator.kyma-project.io/v1alpha2, kind: Istio, \
        metadata: {name: default, namespace: kyma-system}}";
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
        "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, \
         metadata: {name: default, namespace: kyma-system}, spec: {mtls: {mode: STRICT}}}",
    );
    let outcome = reconcile::<Mtls>(&elsewhere, ISTIO, &json!({})).unwrap();
    assert!(matches!(outcome.readiness, Readiness::Progressing(why) if why.contains("istio-system/default")));
}

#[test]
fn an_empty_namespace_is_invalid() {
    let result = reconcile::<Mtls>(&Cluster::new(), ISTIO, &json!({"namespace": ""}));
    assert!(matches!(result, Err(Failure::Invalid(why)) if why.contains("`namespace`")));
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
fn an_unavailable_mode_is_a_temporary_failure() {
    let cluster = Cluster::new().with_unavailable(peer_authentication());
    assert!(matches!(reconcile::<Mtls>(&cluster, ISTIO, &json!({})), Err(Failure::Retry(_))));
}

#[test]
fn without_istios_definitions_it_waits_and_desires_nothing() {
    let outcome = reconcile::<Mtls>(&Cluster::new().without_kind(peer_authentication()), ISTIO, &json!({})).unwrap();
    assert_eq!(outcome.readiness, Readiness::Progressing("Istio's CRDs are not installed yet".into()));
    assert_eq!(outcome.desired, None, "existing objects stay");
}

/// The desired mode, and another object of its namespace.
fn beside(name: &str, at: &str, spec: &str) -> Cluster {
    there("STRICT").with(&format!(
        "{{apiVersion: security.istio.io/v1, kind: PeerAuthentication, \
         metadata: {{name: default, namespace: istio-system, creationTimestamp: '2026-01-01T12:00:00Z'}}, \
         spec: {{mtls: {{mode: STRICT}}}}}}
---
{{apiVersion: security.istio.io/v1, kind: PeerAuthentication, \
    metadata: {{name: {name}, namespace: istio-system, creationTimestamp: '{at}'}}, spec: {spec}}}"
    ))
}

#[test]
fn modes_that_do_not_override_the_default_are_ignored() {
    for cluster in [
        beside("legacy", "2025-01-01T00:00:00Z", "{selector: {matchLabels: {app: legacy}}, mtls: {mode: PERMISSIVE}}"),
        beside("same", "2025-01-01T00:00:00Z", "{mtls: {mode: STRICT}}"),
        beside("newer", "2026-02-01T00:00:00Z", "{mtls: {mode: PERMISSIVE}}"),
    ] {
        let outcome = reconcile::<Mtls>(&cluster, ISTIO, &json!({})).unwrap();
        assert_eq!(outcome.readiness, Readiness::Ready);
        assert_eq!(outcome.desired.unwrap().len(), 1, "and nothing is wanted of theirs");
    }
}

#[test]
fn an_older_mode_for_the_whole_mesh_is_named_because_istio_uses_it() {
    let outcome = reconcile::<Mtls>(&beside("older", "2025-01-01T00:00:00Z", "{}"), ISTIO, &json!({})).unwrap();
    assert!(matches!(outcome.readiness, Readiness::Warning(why) if why.contains("istio-system/older")));
}

#[test]
fn a_selector_of_another_field_manager_is_reported() {
    let narrowed = Cluster::new().with(
        "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, \
         metadata: {name: default, namespace: istio-system}, \
         spec: {selector: {matchLabels: {app: a}}, mtls: {mode: STRICT}}}",
    );
    let outcome = reconcile::<Mtls>(&narrowed, ISTIO, &json!({})).unwrap();
    assert!(matches!(outcome.readiness, Readiness::Warning(why) if why.contains("selector")));
}
