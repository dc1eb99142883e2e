//! What a trait waits for, and what its status reports meanwhile.

use super::*;

fn published(outcome: &Outcome) -> (Option<bool>, &str) {
    let found = outcome.conditions.iter().find(|condition| condition.kind == "Published").unwrap();
    (found.status, &found.reason)
}

#[test]
fn a_trait_is_published_once_its_applications_gateway_lets_its_hosts_in() {
    let spec = one_rule(&json!({}));
    let ready = outcome(&spec);
    assert_eq!(ready.readiness, Readiness::Ready);
    assert_eq!(published(&ready), (Some(true), "Published"));

    let alone = reconciled(&Cluster::new(), &ingress(&spec));
    assert_eq!(published(&alone), (Some(false), "GatewayMissing"));
    assert!(matches!(&alone.readiness, Readiness::Progressing(why) if why.contains("ApplicationConfiguration store")));
    assert_eq!(alone.desired, ready.desired, "the routes are there before the Gateway");

    let other = outcome(&one_rule(&json!({"hosts": ["b.example.com"]})));
    assert_eq!(published(&other), (Some(false), "GatewayBehind"));
}

#[test]
fn a_status_names_what_was_made() {
    let status = outcome(&one_rule(&json!({}))).status.unwrap();
    assert_eq!(
        status,
        json!({"resources": [
            {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "name": "shop.web-cert"},
            {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "name": "web-rule-0-vs"},
        ]})
    );
}

#[test]
fn without_istio_the_desired_set_is_unknown() {
    let cluster = mesh().without_kind(kind("networking.istio.io/v1", "VirtualService"));
    let outcome = reconciled(&cluster, &ingress(&one_rule(&json!({}))));
    assert_eq!(outcome.desired, None);
    assert!(matches!(outcome.readiness, Readiness::Progressing(_)));
}

#[test]
fn without_cert_manager_the_rest_is_there_and_nothing_is_pruned() {
    let cluster = mesh().without_kind(kind("cert-manager.io/v1", "Certificate"));
    let outcome = reconciled(&cluster, &ingress(&one_rule(&json!({}))));
    assert!(outcome.so_far);
    assert_eq!(wanted(&outcome, "VirtualService").len(), 1);
    assert_eq!(wanted(&outcome, "Certificate"), Vec::<Value>::new());
    assert!(matches!(&outcome.readiness, Readiness::Progressing(why) if why.contains("spec.tls.secretName")));

    let mut own = one_rule(&json!({}));
    own["tls"] = json!({"secretName": "own"});
    assert_eq!(reconciled(&cluster, &ingress(&own)).readiness, Readiness::Ready, "it needs none");
}
