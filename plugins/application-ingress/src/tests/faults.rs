//! What is wrong in Verrazzano, by name, and is not here.

use super::*;

fn known() -> Value {
    json!({"rules": [{"from": {"requestPrincipals": ["*"]}}]})
}

#[test]
fn authorization_policies_of_traits_of_one_name_in_two_namespaces_collide() {
    let spec = one_rule(&json!({"paths": [{"path": "/a", "authorizationPolicy": known()}]}));
    let mut elsewhere = ingress(&spec);
    elsewhere["metadata"]["namespace"] = json!("yard");
    let name = |subject: &Value| only(&reconciled(&mesh(), subject), "AuthorizationPolicy")["metadata"]["name"].clone();
    assert_ne!(name(&ingress(&spec)), name(&elsewhere));
}

#[test]
fn authorization_policies_of_paths_that_differ_in_slashes_collide() {
    let path = |text: &str| json!({"path": text, "authorizationPolicy": known()});
    let outcome = outcome(&one_rule(&json!({"paths": [path("/a/b"), path("/ab"), path("/"), path("/A")]})));
    assert_eq!(wanted(&outcome, "AuthorizationPolicy").len(), 4, "the host refuses an object that is wanted twice");
}

#[test]
fn a_certificate_of_another_namespace_can_have_the_same_name() {
    let named = |namespace: &str, name: &str| {
        let mut subject = ingress(&one_rule(&json!({})));
        subject["metadata"]["namespace"] = json!(namespace);
        subject["metadata"]["name"] = json!(name);
        only(&reconciled(&mesh(), &subject), "Certificate")["metadata"]["name"].clone()
    };
    assert_ne!(named("a-b", "c"), named("a", "b-c"));
}

#[test]
fn a_policy_blocks_every_other_host_of_the_ingress_gateway() {
    let outcome = outcome(&one_rule(&json!({"paths": [{"path": "/a", "authorizationPolicy": known()}]})));
    let spec = only(&outcome, "AuthorizationPolicy")["spec"].clone();
    assert_eq!(spec["action"], "DENY", "one that allows denies what none allows");
    for rule in spec["rules"].as_array().unwrap() {
        assert_eq!(rule["to"][0]["operation"]["hosts"], json!(["shop.example.com", "shop.example.com:*"]));
    }
}

#[test]
fn a_policy_on_a_prefix_covers_the_one_path_alone() {
    let path = json!({"path": "/a", "pathType": "prefix", "authorizationPolicy": known()});
    let outcome = outcome(&one_rule(&json!({"paths": [path]})));
    let operation = &only(&outcome, "AuthorizationPolicy")["spec"]["rules"][0]["to"][0]["operation"];
    assert_eq!(operation["paths"], json!(["/a*"]));
}

#[test]
fn a_policy_on_a_regular_expression_is_compared_as_text() {
    let path = json!({"path": "/v[0-9]+/.*", "pathType": "regex", "authorizationPolicy": known()});
    let why = refused(&outcome(&one_rule(&json!({"paths": [path]}))));
    assert!(why.starts_with("`spec.rules[0].paths[0].authorizationPolicy`: Istio does not support regular"), "{why}");
}

#[test]
fn tls_is_switched_off_where_a_revision_injects_sidecars() {
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio.io/rev: canary}}}";
    let spec = one_rule(&json!({"destination": {"host": "cart", "httpCookie": {"name": "session"}}}));
    let outcome = reconciled(&mesh().with(namespace), &ingress(&spec));
    assert_eq!(only(&outcome, "DestinationRule")["spec"]["trafficPolicy"]["tls"]["mode"], "ISTIO_MUTUAL");
}

#[test]
fn an_unknown_path_type_is_taken_for_exact() {
    let why = refused(&outcome(&one_rule(&json!({"paths": [{"path": "/a", "pathType": "glob"}]}))));
    assert_eq!(why, "`spec.rules[0].paths[0].pathType`: `glob` is not one of exact, prefix, regex");
}

#[test]
fn names_that_are_too_long_are_refused_by_the_api_server() {
    let mut subject = ingress(&one_rule(&json!({
        "paths": [{"path": format!("/{}", "p".repeat(300)), "authorizationPolicy": known()}],
        "destination": {"host": "cart", "httpCookie": {"name": "session"}},
    })));
    subject["metadata"]["name"] = json!("t".repeat(253));
    let outcome = reconciled(&mesh(), &subject);
    let all = outcome.desired.unwrap();
    assert_eq!(all.len(), 4);
    for object in all {
        assert!(object["metadata"]["name"].as_str().unwrap().len() <= 253, "{object}");
    }
}
