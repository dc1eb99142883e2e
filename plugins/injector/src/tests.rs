//! What owners of excluded namespaces, and of the injector, can rely on.

use mizzen_sdk::Readiness;
use mizzen_sdk::testing::{Cluster, finalize, reconcile};

use super::*;

const ISTIO: &str =
    "{apiVersion: mizzen.dev/v1alpha1, kind: Istio, metadata: {name: default, namespace: istio-system}}";
const NAMESPACES: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: kube-system, labels: {purpose: system}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: garden, labels: {purpose: system, team: a}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: legacy, labels: {sidecars: never}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
";
const TWO: &str = "!(request.namespace in ['garden', 'kube-system'])";

fn config() -> Value {
    json!({"excludeNamespaces": ["purpose=system"]})
}

/// An injector of two webhooks, with these match conditions on both.
fn injector(conditions: &Value) -> Cluster {
    let webhook = |name: &str| json!({"name": name, "matchConditions": conditions, "failurePolicy": "Fail"});
    let injector = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "istio-sidecar-injector", "labels": {"app": "sidecar-injector"}},
        "webhooks": [webhook("namespace.sidecar-injector.istio.io"), webhook("object.sidecar-injector.istio.io")],
    });
    Cluster::new().with(NAMESPACES).with(&injector.to_string())
}

fn with_expression(expression: &str) -> Value {
    json!([{"name": "theirs", "expression": "true"}, {"name": OURS, "expression": expression}])
}

fn reconciled(cluster: &Cluster, config: &Value) -> Outcome {
    reconcile::<Injector>(cluster, ISTIO, config).unwrap()
}

/// The desired expression of every webhook.
fn patched(outcome: &Outcome) -> String {
    let [patch] = &outcome.patches[..] else { panic!("{:?}", outcome.patches) };
    assert_eq!((&*patch.object.name, &patch.object.namespace), ("istio-sidecar-injector", &None));
    let webhooks = patch.fragment["webhooks"].as_array().unwrap();
    let names: Vec<_> = webhooks.iter().map(|webhook| webhook["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["namespace.sidecar-injector.istio.io", "object.sidecar-injector.istio.io"]);
    let first = &webhooks[0]["matchConditions"];
    assert_eq!((&webhooks[1]["matchConditions"], first.as_array().unwrap().len()), (first, 1));
    assert_eq!(first[0]["name"], OURS);
    first[0]["expression"].as_str().unwrap().to_owned()
}

#[test]
fn namespaces_with_the_label_are_excluded_at_every_webhook_by_one_condition() {
    let outcome = reconciled(&injector(&json!([])), &config());
    assert_eq!(patched(&outcome), TWO);
    let fields: Vec<_> = outcome.patches[0].fragment["webhooks"][0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["matchConditions", "name"]);
    assert!(matches!(outcome.readiness, Readiness::Progressing(why) if why.contains("istio-sidecar-injector")));
}

#[test]
fn an_injector_with_the_condition_is_not_patched() {
    let outcome = reconciled(&injector(&with_expression(TWO)), &config());
    assert_eq!((outcome.readiness, outcome.patches), (Readiness::Ready, Vec::new()));
}

#[test]
fn any_of_several_selectors_excludes() {
    let config = json!({"excludeNamespaces": ["purpose=system,team=a", "sidecars in (never)"]});
    assert_eq!(patched(&reconciled(&injector(&json!([])), &config)), "!(request.namespace in ['garden', 'legacy'])");
}

#[test]
fn a_namespace_without_the_label_is_injected_again() {
    let none = json!({"excludeNamespaces": ["purpose=none"]});
    assert_eq!(patched(&reconciled(&injector(&with_expression(TWO)), &none)), "true");
    assert_eq!(reconciled(&injector(&json!([])), &none).patches, [], "no condition is added where none was");
}

#[test]
fn only_webhooks_of_the_configured_selector_are_patched() {
    let outcome = reconciled(&Cluster::new().with(NAMESPACES), &config());
    assert_eq!(outcome.readiness, Readiness::Progressing("no sidecar injector is installed yet".into()));
    let mut elsewhere = config();
    elsewhere["webhooks"] = json!("app=other");
    assert_eq!(reconciled(&injector(&json!([])), &elsewhere).patches, []);
}

#[test]
fn no_namespace_stays_excluded_after_the_deletion() {
    let leave = |cluster: &Cluster| finalize::<Injector>(cluster, ISTIO, &config()).unwrap();
    let outcome = leave(&injector(&with_expression(TWO)));
    assert_eq!((&outcome.readiness, &*patched(&outcome)), (&Readiness::Ready, "true"));
    assert_eq!(leave(&injector(&with_expression("true"))).patches, []);
}

#[test]
fn an_invalid_selector_is_named() {
    let invalid =
        |selector: &str| reconcile::<Injector>(&injector(&json!([])), ISTIO, &json!({"excludeNamespaces": [selector]}));
    assert!(matches!(invalid(""), Err(Failure::Invalid(why)) if why.contains("`excludeNamespaces`")));
    assert!(matches!(invalid("a in"), Err(Failure::Invalid(why)) if why.contains("a in")));
}
