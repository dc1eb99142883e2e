//! Refusals, which change nothing.

use mizzen_sdk::AccessError;

use super::*;

/// The reason and message of an outcome without desired objects.
fn refused(outcome: &Outcome) -> (&str, &str) {
    assert_eq!(outcome.desired, None);
    assert!(outcome.patches.is_empty() && outcome.deletions.is_empty());
    assert!(matches!(outcome.readiness, Readiness::Failed(_)));
    reported(outcome)
}

#[test]
fn an_upgrade_that_istio_does_not_support_is_refused() {
    for (there, wanted, why) in [
        ("1.31.0", "1.30.2", "Deployment istio-system/istiod: 1.30.2 is lower than 1.31.0"),
        ("1.30.2", "1.32.0", "upgrade to 1.31 first"),
        ("1.30.2", "2.0.0", "another major version"),
    ] {
        let outcome = reconciled(&installed(cluster(&[wanted]), there), &json!({}));
        let (reason, message) = refused(&outcome);
        assert!(reason == "IstioVersionUpdateNotAllowed" && message.contains(why), "{there} to {wanted}: {message}");
    }
}

#[test]
fn the_upgrade_must_be_supported_from_every_installed_part() {
    let old = up(
        plane(cluster(&["1.31.0"]), "1.31.0"),
        "Deployment",
        "istio-ingressgateway",
        "istio-proxy",
        "hub/proxyv2:1.29.0",
    );
    let outcome = reconciled(&old, &json!({}));
    assert!(refused(&outcome).1.starts_with("Deployment istio-system/istio-ingressgateway: 1.31.0 is more than"));
}

#[test]
fn an_invalid_spec_is_refused_and_its_field_named() {
    for (config, field) in [
        (json!({"proxyStatsMatcher": {"inclusionRegexps": ["("]}}), "inclusionRegexps[0]"),
        (json!({"numTrustedProxies": "many"}), "numTrustedProxies"),
    ] {
        let there = installed(cluster(&["1.31.0"]), "1.31.0");
        let outcome =
            testing::reconcile::<Installation>(&there, &istio(&json!({"config": config})), &json!({})).unwrap();
        let (reason, message) = refused(&outcome);
        assert!(reason == "ValidationFailed" && message.contains(field), "{message}");
    }
}

#[test]
fn a_rejection_by_istio_is_reported_with_its_message() {
    let outcome = reconciled(&cluster(&["1.31.0"]), &json!({"profile": "wrong"}));
    assert_eq!(refused(&outcome), ("ValidationFailed", "Istio rejects the configuration: profile \"wrong\" not found"));
}

#[test]
fn a_failed_renderer_does_not_make_the_spec_invalid_and_is_called_again() {
    let outcome = reconciled(&cluster(&["1.31.0"]), &json!({"profile": "crashing"}));
    let why = "renderer `istio-1.31.0` ended with exit code 2; it said: panic";
    assert_eq!(refused(&outcome), ("IstioInstallUninstallFailed", why));
    assert!(outcome.requeue_after.is_some());
}

#[test]
fn a_renderer_that_is_not_loaded_yet_is_a_temporary_failure() {
    let loading = |_: &Value| Err(AccessError::Unavailable("it is being loaded".into()).into());
    let there = cluster(&[]).with_renderer("istio", &[("istio.io/version", "1.31.0")], loading);
    let result = testing::reconcile::<Installation>(&there, &istio(&json!({})), &json!({}));
    assert_eq!(result, Err(Failure::Retry("it is being loaded".into())));
}

#[test]
fn the_oldest_of_several_subjects_counts() {
    let other = |created: &str| {
        let older = istio(&json!({})).replace("\"default\"", "\"other\"").replace("2026-01-02", created);
        installed(cluster(&["1.31.0"]), "1.31.0").with(&older)
    };
    let second = reconciled(&other("2026-01-01"), &json!({}));
    assert_eq!(
        refused(&second),
        ("OlderCRExists", "the older mesh/other already determines the mesh: delete one of the two")
    );
    assert_eq!(reconciled(&other("2026-01-03"), &json!({})).readiness, Readiness::Ready);
    assert_eq!(
        reconciled(&other("2026-01-02"), &json!({})).readiness,
        Readiness::Ready,
        "the name decides within a second"
    );
}

#[test]
fn subjects_of_kymas_kind_are_supported_and_ordered_by_age() {
    let kyma = istio(&json!({})).replace("mizzen.dev/v1alpha1", "operator.kyma-project.io/v1alpha2");
    let older = kyma.replace("\"default\"", "\"other\"").replace("2026-01-02", "2026-01-01");
    let reconciled = |cluster: &Cluster| testing::reconcile::<Installation>(cluster, &kyma, &json!({})).unwrap();
    let there = installed(cluster(&["1.31.0"]), "1.31.0").with(&kyma);
    assert_eq!(reconciled(&there).readiness, Readiness::Ready);
    assert_eq!(refused(&reconciled(&there.with(&older))).0, "OlderCRExists");
}

#[test]
fn a_version_without_a_renderer_is_reported_with_the_granted_ones() {
    let (none, some) = (cluster(&[]), cluster(&["1.30.2", "1.31.0"]));
    let outcome = reconciled(&some, &json!({"version": "1.29.0"}));
    let (reason, message) = refused(&outcome);
    assert_eq!(reason, "IstioInstallUninstallFailed");
    assert!(message.starts_with("no renderer for Istio 1.29.0 is granted, only for 1.31.0, 1.30.2"), "{message}");
    for config in [json!({}), json!({"version": "1.29.0"})] {
        assert!(refused(&reconciled(&none, &config)).1.contains("no renderer labelled `istio.io/version` is granted"));
    }
    assert!(refused(&reconciled(&some, &json!({"version": "new"}))).1.contains("`new` is not a version of Istio"));
}

#[test]
fn a_users_own_istio_of_a_supported_version_is_ready() {
    let outcome = reconciled(&foreign(cluster(&["1.31.0"]), "docker.io/istio/pilot:1.30.5", 1), &json!({}));
    assert_eq!((&outcome.readiness, &outcome.desired), (&Readiness::Ready, &None));
    let (reason, message) = reported(&outcome);
    assert_eq!(reason, "UserIstioSupported");
    assert!(message.starts_with("Deployment istio-system/istiod is 1.30.5, installed by another party"), "{message}");
}

#[test]
fn a_users_own_istio_needs_no_renderer() {
    assert_eq!(reconciled(&foreign(cluster(&[]), "istio/pilot:1.30.5", 1), &json!({})).readiness, Readiness::Ready);
}

#[test]
fn a_users_own_istio_of_another_version_is_reported_with_the_supported_ones() {
    for image in ["istio/pilot:1.27.0", "istio/pilot:latest"] {
        let outcome = reconciled(&foreign(cluster(&["1.31.0"]), image, 1), &json!({}));
        assert_eq!(refused(&outcome).0, "UserIstioNotSupported", "{image}");
    }
    let old = foreign(cluster(&["1.31.0"]), "istio/pilot:1.27.0", 1);
    assert!(reported(&reconciled(&old, &json!({}))).1.ends_with("supported are 1.29 to 1.31"));
    assert_eq!(reconciled(&old, &json!({"supported": {"from": "1.27"}})).readiness, Readiness::Ready);
}

#[test]
fn a_users_own_istio_is_awaited() {
    let outcome = reconciled(&foreign(cluster(&["1.31.0"]), "istio/pilot:1.31.0", 0), &json!({}));
    assert_eq!((reported(&outcome).0, &outcome.desired), ("IstioInstallInProgress", &None));
}

#[test]
fn an_istio_is_adopted_if_configured_and_the_upgrade_is_supported() {
    let there = |version: &str| foreign(cluster(&["1.31.0"]), &format!("istio/pilot:{version}"), 1);
    let adopt = json!({"adopt": true});
    assert!(reconciled(&there("1.30.5"), &adopt).desired.is_some());
    assert_eq!(refused(&reconciled(&there("1.29.0"), &adopt)).0, "IstioVersionUpdateNotAllowed");
}

#[test]
fn a_failed_read_is_a_temporary_failure() {
    let there = cluster(&["1.31.0"]).with_unavailable(Kind::new("apps/v1", "Deployment"));
    let result = testing::reconcile::<Installation>(&there, &istio(&json!({})), &json!({}));
    assert!(matches!(result, Err(Failure::Retry(_))), "{result:?}");
}
