//! Who may call an application.

use super::*;

fn principals(outcome: &Outcome) -> Vec<String> {
    let policy = only(outcome, "AuthorizationPolicy");
    serde_json::from_value(policy["spec"]["rules"][0]["from"][0]["source"]["principals"].clone()).unwrap()
}

#[test]
fn its_own_pods_the_ingress_gateway_and_prometheus_may_call_it() {
    let outcome = outcome_in(&mesh());
    assert_eq!(
        only(&outcome, "AuthorizationPolicy"),
        json!({
            "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
            "metadata": {"name": "store", "namespace": "shop"},
            "spec": {
                "selector": {"matchLabels": {"app.oam.dev/name": "store"}},
                "action": "ALLOW",
                "rules": [{"from": [{"source": {"principals": [
                    "cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account",
                    "cluster.local/ns/shop/sa/store",
                    "cluster.local/ns/verrazzano-monitoring/sa/prometheus-operator-kube-p-prometheus",
                ]}}]}],
            },
        })
    );
    let account = only(&outcome, "ServiceAccount");
    assert_eq!(account["metadata"]["name"], "store");
    assert_eq!(account["metadata"]["labels"], json!({"app.oam.dev/name": "store"}));
    assert_eq!(outcome.readiness, Readiness::Ready);
}

#[test]
fn an_account_that_its_pods_use_instead_is_allowed_too() {
    let cluster = mesh().with(&pod("a", "cart-account", &json!({}))).with(&pod("b", "store", &json!({})));
    let principals = principals(&outcome_in(&cluster));
    assert_eq!(principals.len(), 4);
    assert!(principals.contains(&"cluster.local/ns/shop/sa/cart-account".to_owned()), "{principals:?}");
}

#[test]
fn the_default_account_is_not_allowed() {
    let outcome = outcome_in(&mesh().with(&pod("a", "default", &json!({}))));
    assert_eq!(principals(&outcome).len(), 3);
    let Readiness::Warning(why) = &outcome.readiness else { panic!("{:?}", outcome.readiness) };
    assert!(why.contains("among them a: set `serviceAccountName: store`"), "{why}");
}

#[test]
fn without_sidecars_there_is_no_policy() {
    let outcome = outcome_in(&mesh().with("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"));
    assert_eq!(wanted(&outcome, "AuthorizationPolicy"), Vec::<Value>::new());
    assert_eq!(wanted(&outcome, "ServiceAccount").len(), 1);
}

#[test]
fn a_namespace_with_a_revision_is_in_the_mesh() {
    let revision = "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio.io/rev: canary}}}";
    assert_eq!(principals(&outcome_in(&mesh().with(revision))).len(), 3);
}

#[test]
fn other_accounts_than_verrazzanos_can_be_configured() {
    let config = json!({
        "trustDomain": "example.org",
        "ingressGateway": {"namespace": "edge", "name": "door"},
        "prometheus": {"namespace": "watch", "name": "eye"},
    });
    let outcome = testing::reconcile::<Application>(&mesh(), &application(&[]), &config).unwrap();
    let expected = ["example.org/ns/edge/sa/door", "example.org/ns/shop/sa/store", "example.org/ns/watch/sa/eye"];
    assert_eq!(principals(&outcome), expected);
}
