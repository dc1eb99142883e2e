//! What a trait's author can rely on: Verrazzano's behaviour, and its faults that are fixed, each
//! with a test.
//!
//! | Verrazzano's behaviour | test |
//! |---|---|
//! | a VirtualService for each rule, on its Gateway | `a_rule_becomes_a_route_on_its_applications_gateway` |
//! | one http route, a match for each path | `each_rule_has_a_route_of_its_own_and_one_match_for_each_path` |
//! | `/` is a prefix, others are exact | `the_root_is_a_prefix_and_other_paths_are_exact_unless_they_say_otherwise` |
//! | rules without hosts | `a_rule_without_hosts_is_served_at_the_applications_own` |
//! | rules without destination | `a_rule_without_destination_is_routed_to_the_components_only_service` |
//! | a DestinationRule only with a cookie | `a_cookie_sends_a_user_to_the_same_endpoint_with_mutual_tls_in_the_mesh` |
//! | its TLS is off outside the mesh | `tls_to_the_destination_is_off_in_a_namespace_without_sidecars` |
//! | AuthorizationPolicies beside the gateway | `a_path_with_a_policy_is_denied_to_all_other_callers` |
//! | a Certificate, or a Secret | `a_certificate_is_desired_in_the_gateways_namespace_unless_the_trait_has_one` |
//!
//! | its fault | test |
//! |---|---|
//! | AuthorizationPolicies' names collide | `authorization_policies_of_traits_of_one_name_in_two_namespaces_collide` |
//! | … and the slashes of the path | `authorization_policies_of_paths_that_differ_in_slashes_collide` |
//! | Certificates of two namespaces have one name | `a_certificate_of_another_namespace_can_have_the_same_name` |
//! | a policy blocks all other hosts | `a_policy_blocks_every_other_host_of_the_ingress_gateway` |
//! | … and the other paths of its rule | `a_prefix_excepts_paths_within_it_that_have_their_own_rules` |
//! | … and those of other rules | `a_path_that_is_open_in_another_rule_stays_open_on_the_hosts_of_both` |
//! | the policy of a prefix covers one path | `a_policy_on_a_prefix_covers_the_one_path_alone` |
//! | the policy of a regular expression is compared as text | `a_policy_on_a_regular_expression_is_compared_as_text` |
//! | a revision counts as without sidecars | `tls_is_switched_off_where_a_revision_injects_sidecars` |
//! | an unknown `pathType` is exact | `an_unknown_path_type_is_taken_for_exact` |
//! | names over 253 characters | `names_that_are_too_long_are_refused_by_the_api_server` |
//! | a Gateway's name that no route can have | `the_name_of_a_gateway_is_one_label_because_routes_can_name_no_other` |

mod authorization;
mod faults;
mod parsing;
mod routes;
mod services;
mod waiting;

use mizzen_sdk::testing::{self, Cluster};
use mizzen_sdk::{Kind, Outcome, Readiness};
use serde_json::{Value, json};

use crate::ApplicationIngress;

/// A namespace in the mesh, and an application's Gateway that serves `shop.example.com`.
const MESH: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop-store-gw, namespace: shop}
spec: {servers: [{hosts: [shop.example.com, store.shop.mesh.example.com]}]}
";

fn mesh() -> Cluster {
    Cluster::new().with(MESH)
}

/// The trait `web` of application `store` in namespace `shop`.
fn ingress(spec: &Value) -> Value {
    json!({
        "apiVersion": "oam.verrazzano.io/v1alpha1", "kind": "IngressTrait",
        "metadata": {
            "name": "web", "namespace": "shop",
            "labels": {"app.oam.dev/name": "store", "app.oam.dev/component": "cart"},
        },
        "spec": spec,
    })
}

/// A spec with one rule: `shop.example.com` to `cart` at port 8080, with these fields changed.
fn one_rule(changes: &Value) -> Value {
    let mut rule = json!({"hosts": ["shop.example.com"], "destination": {"host": "cart", "port": 8080}});
    for (field, value) in changes.as_object().unwrap() {
        rule[field] = value.clone();
    }
    json!({"rules": [rule]})
}

fn reconciled(cluster: &Cluster, subject: &Value) -> Outcome {
    testing::reconcile::<ApplicationIngress>(cluster, &subject.to_string(), &json!({"domain": "mesh.example.com"}))
        .unwrap()
}

fn outcome(spec: &Value) -> Outcome {
    reconciled(&mesh(), &ingress(spec))
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

/// Why a trait waits; its existing objects stay.
fn waits(outcome: &Outcome) -> String {
    unsynced(outcome, "ServiceMissing", Readiness::Progressing)
}

/// Why a trait is refused; its existing objects stay.
fn refused(outcome: &Outcome) -> String {
    unsynced(outcome, "ReconcileError", Readiness::Failed)
}

fn unsynced(outcome: &Outcome, reason: &str, readiness: fn(String) -> Readiness) -> String {
    assert_eq!(outcome.desired, None);
    let condition = outcome.conditions.iter().find(|condition| condition.kind == "Synced").unwrap();
    assert_eq!((condition.status, &*condition.reason), (Some(false), reason));
    assert_eq!(outcome.readiness, readiness(condition.message.clone()));
    condition.message.clone()
}

fn kind(api_version: &str, name: &str) -> Kind {
    Kind::new(api_version, name)
}

#[test]
fn every_row_of_the_table_is_a_test() {
    let tests = [
        include_str!("tests/authorization.rs"),
        include_str!("tests/faults.rs"),
        include_str!("tests/routes.rs"),
        include_str!("tests/services.rs"),
        include_str!("../../oam-api/src/names.rs"),
    ];
    assert_eq!(testing::rows(include_str!("tests.rs"), &tests), 21);
}

#[test]
fn a_policy_by_either_name_reaches_the_plugin_through_the_samples_definition() {
    let definition = include_str!("../../../deploy/samples/crds/ingresstraits.oam.verrazzano.io.yaml");
    let indent = |field: &str| {
        definition.lines().find_map(|line| Some(line.find(field)?).filter(|_| line.trim_start().starts_with(field)))
    };
    assert!(indent("policy:").is_some(), "the API server would leave it out");
    assert_eq!(indent("policy:"), indent("authorizationPolicy:"));
}
