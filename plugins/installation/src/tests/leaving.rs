//! How an Istio goes.

use super::*;

fn leave(cluster: &Cluster) -> Outcome {
    testing::finalize::<Installation>(cluster, &istio(&json!({})), &json!({})).unwrap()
}

fn there() -> Cluster {
    installed(cluster(&["1.31.0"]), "1.31.0")
}

fn rule(name: &str, labels: &str) -> String {
    format!(
        "{{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {{name: {name}, namespace: shop, labels: {labels}}}}}"
    )
}

#[test]
fn a_users_resource_keeps_it() {
    let outcome = leave(&there().with(&rule("r", "{}")));
    assert_eq!((&outcome.desired, outcome.readiness.clone()), (&None, Readiness::Failed(said(&outcome).1.into())));
    assert_eq!(
        said(&outcome),
        ("IstioCustomResourcesDangling", "Istio stays while resources of users need it; delete DestinationRule shop/r")
    );
}

#[test]
fn five_of_what_keeps_it_are_named_and_the_rest_counted() {
    let full = (0..8).fold(there(), |cluster, at| cluster.with(&rule(&format!("r{at}"), "{}")));
    let outcome = leave(&full);
    assert!(said(&outcome).1.ends_with("shop/r4 and 3 more"), "{}", said(&outcome).1);
}

#[test]
fn what_reconcilers_and_kyma_made_keeps_nothing() {
    let made = ["{mizzen.dev/owner: o}", "{kyma-project.io/module: istio}"];
    let there =
        made.iter().enumerate().fold(there(), |cluster, (at, labels)| cluster.with(&rule(&format!("r{at}"), labels)));
    assert_eq!(said(&leave(&there)).0, "IstioUninstallInProgress");
}

#[test]
fn a_kind_that_is_not_served_keeps_nothing() {
    let there = there().without_kind(Kind::new("extensions.istio.io/v1alpha1", "TrafficExtension"));
    assert_eq!(said(&leave(&there)).0, "IstioUninstallInProgress");
}

#[test]
fn everything_goes_before_workloads_are_restarted() {
    let outcome = leave(&there());
    assert_eq!((outcome.desired.as_deref(), outcome.so_far), (Some(&[][..]), false));
    assert!(outcome.patches.is_empty());
    let injector = "{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: istio-sidecar-injector}}";
    let outcome = leave(&cluster(&["1.31.0"]).with(injector));
    assert!(matches!(outcome.readiness, Readiness::Progressing(_)), "a new pod would get a sidecar again");
}

#[test]
fn nothing_is_left_to_do_without_an_istio_of_ours() {
    assert_eq!(leave(&cluster(&[]).with(&rule("r", "{}"))).readiness, Readiness::Ready);
    let users = foreign(cluster(&["1.31.0"]), "istio/pilot:1.31.0", 1).with(&rule("r", "{}"));
    assert_eq!((leave(&users).readiness, leave(&users).desired), (Readiness::Ready, None));
}

#[test]
fn a_subject_that_never_counted_takes_nothing_with_it() {
    let older = istio(&json!({})).replace("\"default\"", "\"other\"").replace("2026-01-02", "2026-01-01");
    let outcome = leave(&there().with(&older));
    assert_eq!((outcome.readiness, outcome.desired), (Readiness::Ready, None));
}
