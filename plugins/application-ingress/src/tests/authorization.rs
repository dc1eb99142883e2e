//! Who may use which path.

use super::*;

/// Lets in whoever is known.
fn known() -> Value {
    json!({"rules": [{"from": {"requestPrincipals": ["*"]}}]})
}

fn policies(paths: &Value) -> Vec<Value> {
    wanted(&outcome(&one_rule(&json!({"paths": paths}))), "AuthorizationPolicy")
}

#[test]
fn a_path_with_a_policy_is_denied_to_whoever_it_does_not_let_in() {
    let policies = policies(&json!([{"path": "/cart", "authorizationPolicy": known()}]));
    let [policy] = policies.as_slice() else { panic!("{policies:?}") };
    assert_eq!(policy["metadata"]["namespace"], "istio-system");
    assert_eq!(
        policy["spec"],
        json!({
            "selector": {"matchLabels": {"istio": "ingressgateway"}},
            "action": "DENY",
            "rules": [{
                "from": [{"source": {"notRequestPrincipals": ["*"]}}],
                "to": [{"operation": {"hosts": ["shop.example.com", "shop.example.com:*"], "paths": ["/cart"]}}],
            }],
        })
    );
}

#[test]
fn without_policies_there_are_none() {
    assert_eq!(policies(&json!([{"path": "/a"}, {"path": "/b"}])), Vec::<Value>::new());
}

#[test]
fn denied_is_who_fits_no_permission() {
    let policy = json!({"rules": [
        {"from": {"requestPrincipals": ["a", "b"]}, "when": [{"key": "request.auth.claims[role]", "values": ["admin"]}]},
        {"from": {"requestPrincipals": ["c"]}},
    ]});
    let policy = policies(&json!([{"path": "/a", "authorizationPolicy": policy}])).remove(0);
    let cases: Vec<_> =
        policy["spec"]["rules"].as_array().unwrap().iter().map(|rule| (&rule["from"], &rule["when"])).collect();
    let not = |principals: Value| json!([{"source": {"notRequestPrincipals": principals}}]);
    let condition = json!([{"key": "request.auth.claims[role]", "notValues": ["admin"]}]);
    assert_eq!(cases, [(&not(json!(["a", "b", "c"])), &Value::Null), (&not(json!(["c"])), &condition)]);
}

#[test]
fn a_prefix_leaves_to_the_paths_within_it_what_they_say_for_themselves() {
    let policies = policies(&json!([
        {"path": "/", "authorizationPolicy": known()},
        {"path": "/public", "pathType": "prefix"},
        {"path": "/admin", "authorizationPolicy": {"rules": [{"from": {"requestPrincipals": ["root"]}}]}},
    ]));
    let operations: Vec<_> =
        policies.iter().map(|policy| policy["spec"]["rules"][0]["to"][0]["operation"].clone()).collect();
    let hosts = json!(["shop.example.com", "shop.example.com:*"]);
    assert_eq!(
        operations,
        [
            json!({"hosts": hosts, "paths": ["/*"], "notPaths": ["/public*", "/admin"]}),
            json!({"hosts": hosts, "paths": ["/admin"]}),
        ]
    );
}

#[test]
fn a_policy_that_would_come_to_too_many_cases_is_refused() {
    let rule = json!({"from": {"requestPrincipals": ["a"]}, "when": [{"key": "source.ip", "values": ["192.0.2.1"]}]});
    let paths =
        |rules: usize| json!({"paths": [{"path": "/a", "authorizationPolicy": {"rules": vec![rule.clone(); rules]}}]});
    assert_eq!(wanted(&outcome(&one_rule(&paths(7))), "AuthorizationPolicy").len(), 1);
    let why = refused(&outcome(&one_rule(&paths(80))));
    assert!(why.starts_with("`spec.rules[0].paths[0].authorizationPolicy`: its rules come to"), "{why}");
}

#[test]
fn a_policy_is_in_force_before_its_path_leads_anywhere() {
    let outcome = outcome(&one_rule(&json!({"paths": [{"path": "/a", "authorizationPolicy": known()}]})));
    let kinds: Vec<_> = outcome.desired.iter().flatten().map(|object| object["kind"].clone()).collect();
    assert_eq!(kinds, ["Certificate", "AuthorizationPolicy", "VirtualService"]);
}
