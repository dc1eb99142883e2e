//! What users who wait for the mesh can rely on.

use mizzen_sdk::Readiness;
use mizzen_sdk::testing::{self, Cluster};
use serde_json::json;

use super::*;

const ISTIO: &str =
    "{apiVersion: mizzen.dev/v1alpha1, kind: Istio, metadata: {name: default, namespace: istio-system}}";

fn config() -> Value {
    json!({"reconcilers": ["installation", "mtls"]})
}

/// Type, status, reason and message of a condition of the latest generation.
fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 2})
}

fn of(name: &str, status: &str, reason: &str, message: &str) -> Value {
    condition(&format!("mizzen.dev/{name}"), status, reason, message)
}

fn ready(name: &str) -> Value {
    of(name, "True", "Ready", "")
}

/// The mesh with these conditions and the finalizers of these reconcilers, at its second
/// generation.
fn mesh(conditions: &[Value], held_by: &[&str]) -> Cluster {
    let finalizers: Vec<_> = held_by.iter().map(|name| format!("mizzen.dev/{name}")).collect();
    let mesh = json!({
        "apiVersion": "mizzen.dev/v1alpha1", "kind": "Istio",
        "metadata": {
            "name": "default", "namespace": "istio-system", "generation": 2, "finalizers": finalizers,
            "creationTimestamp": "2026-01-02T00:00:00Z",
        },
        "status": {"conditions": conditions},
    });
    Cluster::new().with(&mesh.to_string())
}

fn sum(conditions: &[Value]) -> Outcome {
    testing::reconcile::<Sum>(&mesh(conditions, &[]), ISTIO, &config()).unwrap()
}

/// State, status and reason of `Ready`, and the description.
fn summary(outcome: &Outcome) -> (String, Option<bool>, String, String) {
    let status = outcome.status.as_ref().unwrap();
    let [ready] = &outcome.conditions[..] else { panic!("{:?}", outcome.conditions) };
    assert_eq!((&*ready.kind, &status["observedGeneration"]), ("Ready", &json!(2)));
    assert_eq!(status["description"], *ready.message);
    (status["state"].as_str().unwrap().to_owned(), ready.status, ready.reason.clone(), ready.message.clone())
}

fn state(outcome: &Outcome) -> String {
    summary(outcome).0
}

#[test]
fn a_mesh_is_ready_when_all_reconcilers_are() {
    let outcome = sum(&[ready("installation"), ready("mtls")]);
    assert_eq!(outcome.readiness, Readiness::Ready);
    let (state, ready, reason, _) = summary(&outcome);
    assert_eq!((&*state, ready, &*reason), ("Ready", Some(true), "ReconcileSucceeded"));
}

#[test]
fn an_error_overrides_a_warning_and_a_warning_overrides_progress() {
    let (failed, warns, waits) = (
        |name| of(name, "False", "Failed", "no image"),
        |name| of(name, "True", "Warning", "a warning"),
        |name| of(name, "False", "Progressing", "istiod starts"),
    );
    for (one, other, worse) in [
        (failed("installation"), warns("mtls"), "Error"),
        (warns("installation"), failed("mtls"), "Error"),
        (waits("installation"), failed("mtls"), "Error"),
        (waits("installation"), warns("mtls"), "Warning"),
        (ready("installation"), waits("mtls"), "Processing"),
    ] {
        assert_eq!(state(&sum(&[one.clone(), other.clone()])), worse, "{one} {other}");
    }
}

#[test]
fn a_gated_reconciler_does_not_hide_the_error_before_it() {
    let gated = of("mtls", "Unknown", "WaitingForPredecessor", "waits for `installation` to be ready: no image");
    let (state, ready, reason, description) =
        summary(&sum(&[of("installation", "False", "Failed", "no image"), gated]));
    assert_eq!((&*state, ready, &*reason), ("Error", Some(false), "IstioInstallUninstallFailed"));
    assert_eq!(description, "installation: no image");
}

#[test]
fn a_reconciler_without_a_condition_for_the_latest_change_is_awaited() {
    let (state, is_ready, reason, description) = summary(&sum(&[ready("installation")]));
    assert_eq!((&*state, is_ready, &*reason), ("Processing", None, "ReconcileUnknown"));
    assert_eq!(description, "mtls: not reconciled yet");
    let mut old = ready("mtls");
    old["observedGeneration"] = json!(1);
    let (state, .., description) = summary(&sum(&[ready("installation"), old]));
    assert_eq!((&*state, &*description), ("Processing", "mtls: the latest change is not reconciled yet"));
}

#[test]
fn an_equal_description_of_several_reconcilers_is_listed_once() {
    assert_eq!(summary(&sum(&[])).3, "installation, mtls: not reconciled yet");
}

#[test]
fn a_temporary_failure_is_not_an_error() {
    for reason in ["Retrying", "Unavailable", "NotServed"] {
        assert_eq!(state(&sum(&[ready("installation"), of("mtls", "False", reason, "soon")])), "Processing");
    }
    assert_eq!(state(&sum(&[ready("installation"), of("mtls", "False", "Conflict", "gitops has it")])), "Error");
}

#[test]
fn the_reason_is_the_plugins_own_or_kymas() {
    let summary = |conditions: &[Value]| {
        let (state, _, reason, _) = summary(&sum(conditions));
        format!("{state} {reason}")
    };
    let refused = of("installation", "False", "Failed", "1.32.0 is two minors up");
    let why = condition("IstioInstalled", "False", "IstioVersionUpdateNotAllowed", "1.32.0 is two minors up");
    assert_eq!(summary(&[refused, why, ready("mtls")]), "Warning IstioVersionUpdateNotAllowed");
    let invalid = of("installation", "False", "Invalid", "spec.config.authorizers[1].name: twice");
    assert_eq!(summary(&[invalid, ready("mtls")]), "Error ValidationFailed");
    let conflict = of("mtls", "False", "Conflict", "gitops has it");
    assert_eq!(summary(&[ready("installation"), conflict]), "Error CustomResourcesReconcileFailed");
}

#[test]
fn while_disruptions_wait_for_a_pace_the_mesh_is_processing() {
    let paced = |message: &str| of("mtls", "False", "Pacing", message);
    let waits = "290 of 300 disruptions wait for pace `workloads` (at once 10)";
    let (state, is_ready, reason, description) = summary(&sum(&[ready("installation"), paced(waits)]));
    assert_eq!((&*state, is_ready, &*reason), ("Processing", None, "Pacing"));
    assert_eq!(description, format!("mtls: {waits}"));
    let restart =
        condition("ProxySidecarRestartSucceeded", "False", "ProxySidecarManualRestartRequired", "Pod a/b is alone");
    let (state, _, reason, _) =
        summary(&sum(&[ready("installation"), paced(&format!("Pod a/b is alone; {waits}")), restart]));
    assert_eq!((&*state, &*reason), ("Processing", "Pacing"));
}

#[test]
fn the_state_of_paces_does_not_hide_the_plugins_own_reason() {
    let both = "Pod a/b is alone; Deployment a/c (timed out)";
    let restart =
        condition("ProxySidecarRestartSucceeded", "False", "ProxySidecarManualRestartRequired", "Pod a/b is alone");
    let (state, _, reason, description) =
        summary(&sum(&[ready("installation"), of("mtls", "True", "Warning", both), restart]));
    assert_eq!((&*state, &*reason), ("Warning", "ProxySidecarManualRestartRequired"));
    assert_eq!(description, format!("mtls: {both}"));
}

#[test]
fn conditions_of_other_reconcilers_are_ignored() {
    let former = of("former", "False", "Failed", "gone long since");
    let own = condition("Ready", "False", "ReconcileFailed", "gone long since");
    assert_eq!(state(&sum(&[ready("installation"), ready("mtls"), former, own])), "Ready");
}

#[test]
fn its_own_condition_is_ignored() {
    let others = [ready("installation"), of("mtls", "False", "Progressing", "soon")];
    let first = sum(&others);
    let own = &first.conditions[0];
    let mut all = others.to_vec();
    all.push(condition("Ready", "Unknown", &own.reason, &own.message));
    all.push(ready("status"));
    assert_eq!(sum(&all), first);
}

#[test]
fn the_oldest_subject_counts_and_a_second_one_names_it() {
    let older = "{apiVersion: mizzen.dev/v1alpha1, kind: Istio, \
        metadata: {name: first, namespace: kyma-system, creationTimestamp: '2026-01-01T00:00:00Z'}}";
    let all_ready = mesh(&[ready("installation"), ready("mtls")], &[]);
    let outcome = testing::reconcile::<Sum>(&all_ready.clone().with(older), ISTIO, &config()).unwrap();
    let (state, ready, reason, description) = summary(&outcome);
    assert_eq!((&*state, ready, &*reason), ("Warning", Some(false), "OlderCRExists"));
    assert!(description.contains("kyma-system/first"), "{description}");
    let younger = older.replace("2026-01-01", "2026-01-03");
    let outcome = testing::reconcile::<Sum>(&all_ready.with(&younger), ISTIO, &config()).unwrap();
    assert_eq!(summary(&outcome).0, "Ready");
}

#[test]
fn a_deletion_is_reported_until_the_last_finalizer_is_removed() {
    let leaving = |held_by: &[&str], conditions: &[Value]| {
        testing::finalize::<Sum>(&mesh(conditions, held_by), ISTIO, &config()).unwrap()
    };
    let outcome = leaving(&["installation", "mtls", "status"], &[ready("installation"), ready("mtls")]);
    assert!(matches!(&outcome.readiness, Readiness::Progressing(why) if why.contains("`installation`, `mtls`")));
    assert_eq!(state(&outcome), "Deleting");
    let outcome = leaving(&["status"], &[ready("installation"), ready("mtls")]);
    assert_eq!((outcome.readiness, outcome.status), (Readiness::Ready, None));
}

#[test]
fn resources_that_block_a_deletion_are_listed_in_a_warning() {
    let message = "DestinationRule shop/cart remains";
    let conditions = [
        of("installation", "False", "Progressing", message),
        condition("IstioInstalled", "True", "IstioCustomResourcesDangling", message),
    ];
    let outcome = testing::finalize::<Sum>(&mesh(&conditions, &["installation", "status"]), ISTIO, &config()).unwrap();
    let (state, ready, reason, description) = summary(&outcome);
    assert_eq!((&*state, ready, &*reason), ("Warning", Some(false), "IstioCustomResourcesDangling"));
    assert!(description.contains("shop/cart"), "{description}");
}

#[test]
fn kymas_custom_resource_is_summarised_in_the_fields_that_it_has() {
    let kyma = |text: &str| text.replace("mizzen.dev/v1alpha1", "operator.kyma-project.io/v1alpha2");
    let conditions = json!([ready("installation"), ready("mtls")]);
    let there = format!(
        "{{apiVersion: operator.kyma-project.io/v1alpha2, kind: Istio, \
         metadata: {{name: default, namespace: istio-system, generation: 2}}, status: {{conditions: {conditions}}}}}"
    );
    let outcome = testing::reconcile::<Sum>(&Cluster::new().with(&there), &kyma(ISTIO), &config()).unwrap();
    assert_eq!(outcome.status, Some(json!({"state": "Ready", "description": "Istio is in the desired state"})));
    let unknown = ISTIO.replace("mizzen.dev/v1alpha1", "example.com/v1");
    let result = testing::reconcile::<Sum>(&Cluster::new(), &unknown, &config());
    assert!(matches!(result, Err(Failure::Invalid(why)) if why.contains("example.com/v1")));
}
