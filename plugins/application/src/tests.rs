//! What an application's author can rely on: Verrazzano's behaviour, and its faults that are fixed,
//! each with a test.
//!
//! | Verrazzano's behaviour | test |
//! |---|---|
//! | one Gateway, a server for each trait | `an_application_has_one_gateway_with_a_server_for_each_trait` |
//! | an account, and a policy of its callers | `its_own_pods_the_ingress_gateway_and_prometheus_may_call_it` |
//! | ServiceMonitors, with certificates in the mesh | `metrics_in_the_mesh_are_scraped_with_istios_certificates` |
//! | … and in plain outside | `metrics_outside_the_mesh_are_scraped_in_plain` |
//! | numbered annotations decide about the targets | `annotations_select_pods_ports_and_paths_for_scraping` |
//!
//! | its fault | test |
//! |---|---|
//! | ServiceMonitors of two components have one name | `components_with_ambiguous_names_have_different_monitors` |
//! | a Gateway's name that no route can have | `the_name_of_a_gateway_is_one_label_because_routes_can_name_no_other` |
//! | a revision counts as without sidecars | `a_namespace_with_a_revision_is_in_the_mesh` |
//! | a host that Istio refuses stops the other traits | `a_trait_with_an_invalid_host_does_not_stop_the_others` |
//! | `default` has the default account | `an_application_named_default_does_not_adopt_the_default_account` |

mod access;
mod gateway;
mod metrics;
mod names;

use mizzen_sdk::testing::{self, Cluster};
use mizzen_sdk::{Kind, Outcome, Readiness};
use serde_json::{Value, json};

use crate::Application;

const MESHED: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}";

fn mesh() -> Cluster {
    Cluster::new().with(MESHED)
}

/// The application `store` of these components in namespace `shop`.
fn application(components: &[&str]) -> String {
    let components: Vec<_> = components.iter().map(|name| json!({"componentName": name})).collect();
    json!({
        "apiVersion": "core.oam.dev/v1alpha2", "kind": "ApplicationConfiguration",
        "metadata": {"name": "store", "namespace": "shop"}, "spec": {"components": components},
    })
    .to_string()
}

fn outcome_in(cluster: &Cluster) -> Outcome {
    reconciled(cluster, &application(&["cart"]))
}

fn reconciled(cluster: &Cluster, subject: &str) -> Outcome {
    testing::reconcile::<Application>(cluster, subject, &json!({"domain": "mesh.example.com"})).unwrap()
}

/// The desired objects of a kind.
fn wanted(outcome: &Outcome, kind: &str) -> Vec<Value> {
    outcome.desired.iter().flatten().filter(|object| object["kind"] == kind).cloned().collect()
}

fn only(outcome: &Outcome, kind: &str) -> Value {
    let mut all = wanted(outcome, kind);
    assert_eq!(all.len(), 1, "{kind}: {all:?}");
    all.remove(0)
}

/// The condition about the mesh.
fn meshed(outcome: &Outcome) -> (Option<bool>, &str, &str) {
    let found = outcome.conditions.iter().find(|condition| condition.kind == "Meshed").unwrap();
    (found.status, &found.reason, &found.message)
}

/// A pod of component `cart` with these annotations and this account.
fn pod(name: &str, account: &str, annotations: &Value) -> String {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "shop", "annotations": annotations,
            "labels": {"app.oam.dev/name": "store", "app.oam.dev/component": "cart"},
        },
        "spec": {"serviceAccountName": account},
    })
    .to_string()
}

/// A trait of the application, created at this second of a minute.
fn ingress(name: &str, second: u8, spec: &Value) -> String {
    json!({
        "apiVersion": "oam.verrazzano.io/v1alpha1", "kind": "IngressTrait",
        "metadata": {
            "name": name, "namespace": "shop", "labels": {"app.oam.dev/name": "store"},
            "creationTimestamp": format!("2026-01-01T00:00:{second:02}Z"),
        },
        "spec": spec,
    })
    .to_string()
}

fn hosts(hosts: &[&str]) -> Value {
    json!({"rules": [{"hosts": hosts}]})
}

#[test]
fn every_row_of_the_table_is_a_test() {
    let tests = [
        include_str!("tests/access.rs"),
        include_str!("tests/gateway.rs"),
        include_str!("tests/metrics.rs"),
        include_str!("tests/names.rs"),
        include_str!("../../oam-api/src/names.rs"),
    ];
    assert_eq!(testing::rows(include_str!("tests.rs"), &tests), 10);
}
