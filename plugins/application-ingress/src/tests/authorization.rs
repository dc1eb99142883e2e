//! Who may use which path.

use super::*;

/// Allows every authenticated caller.
fn known() -> Value {
    json!({"rules": [{"from": {"requestPrincipals": ["*"]}}]})
}

fn policies(paths: &Value) -> Vec<Value> {
    wanted(&outcome(&one_rule(&json!({"paths": paths}))), "AuthorizationPolicy")
}

#[test]
fn a_path_with_a_policy_is_denied_to_all_other_callers() {
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
        {"from": {"requestPrincipals": ["a", "b"]},
            "when": [{"key": "request.auth.claims[role]", "values": ["admin"]}]},
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
fn a_prefix_excepts_paths_within_it_that_have_their_own_rules() {
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
fn a_policy_with_too_many_rules_is_refused() {
    let rule = json!({"from": {"requestPrincipals": ["a"]}, "when": [{"key": "source.ip", "values": ["192.0.2.1"]}]});
    let paths =
        |rules: usize| json!({"paths": [{"path": "/a", "authorizationPolicy": {"rules": vec![rule.clone(); rules]}}]});
    let most = only(&outcome(&one_rule(&paths(7))), "AuthorizationPolicy");
    assert_eq!(most["spec"]["rules"].as_array().unwrap().len(), 128);
    let why = refused(&outcome(&one_rule(&paths(8))));
    assert!(
        why.starts_with("`spec.rules[0].paths[0].authorizationPolicy`: it needs 256 rules, and at most 128 are"),
        "{why}"
    );
    assert!(refused(&outcome(&one_rule(&paths(80)))).contains("it needs"));
}

#[test]
fn a_policy_is_in_force_before_its_path_leads_anywhere() {
    let outcome = outcome(&one_rule(&json!({"paths": [{"path": "/a", "authorizationPolicy": known()}]})));
    let kinds: Vec<_> = outcome.desired.iter().flatten().map(|object| object["kind"].clone()).collect();
    assert_eq!(kinds, ["Certificate", "AuthorizationPolicy", "VirtualService"]);
}

fn rule(hosts: &[&str], paths: &Value) -> Value {
    json!({"hosts": hosts, "paths": paths, "destination": {"host": "cart"}})
}

#[test]
fn a_path_that_is_open_in_another_rule_stays_open_on_the_hosts_of_both() {
    let protected = json!([{"path": "/", "authorizationPolicy": known()}]);
    let open = json!([{"path": "/public", "pathType": "prefix"}, {"path": "/login"},
        {"path": "/login", "pathType": "prefix"}]);
    let outcome = outcome(&json!({"rules": [
        rule(&["shop.example.com", "b.example.com"], &protected),
        rule(&["shop.example.com"], &open),
        rule(&["shop.example.com", "c.example.com"], &json!([{"path": "/login"}])),
    ]}));
    assert_eq!(
        only(&outcome, "AuthorizationPolicy")["spec"]["rules"][0]["to"],
        json!([
            {"operation": {"hosts": ["b.example.com", "b.example.com:*"], "paths": ["/*"]}},
            {"operation": {
                "hosts": ["shop.example.com", "shop.example.com:*"], "paths": ["/*"],
                "notPaths": ["/public*", "/login", "/login*"],
            }},
        ])
    );
}

#[test]
fn a_path_that_another_rule_protects_more_decides_for_itself() {
    let path = |path: &str| json!([{"path": path, "pathType": "prefix", "authorizationPolicy": known()}]);
    let rules =
        json!({"rules": [rule(&["shop.example.com"], &path("/")), rule(&["shop.example.com"], &path("/admin"))]});
    let policies = wanted(&outcome(&rules), "AuthorizationPolicy");
    let inner: Vec<_> =
        policies.iter().map(|policy| policy["spec"]["rules"][0]["to"][0]["operation"]["notPaths"].clone()).collect();
    assert_eq!(inner, [json!(["/admin*"]), Value::Null]);
}

#[test]
fn an_open_regular_expression_within_a_protected_prefix_is_refused_with_both_paths() {
    let protected = |path: &str| json!({"path": path, "pathType": "prefix", "authorizationPolicy": known()});
    let open = |path: &str| json!({"path": path, "pathType": "regex"});
    let one = json!({"rules": [rule(&["shop.example.com"], &json!([protected("/api"), open("/api/v[0-9]+")]))]});
    let two = json!({"rules": [
        rule(&["shop.example.com"], &json!([open("/api/v[0-9]+")])),
        rule(&["b.example.com", "shop.example.com"], &json!([protected("/api")])),
    ]});
    for (spec, open, wider) in [
        (one, "spec.rules[0].paths[1].path", "spec.rules[0].paths[0].path"),
        (two, "spec.rules[0].paths[0].path", "spec.rules[1].paths[0].path"),
    ] {
        let why = refused(&outcome(&spec));
        assert!(why.starts_with(&format!("`{open}`: `/api/v[0-9]+` lies in `/api` of `{wider}`")), "{why}");
    }
    for beside in [open("/other/.*"), open("/.*")] {
        let spec = json!({"rules": [rule(&["shop.example.com"], &json!([protected("/api"), beside]))]});
        assert_eq!(outcome(&spec).readiness, Readiness::Ready, "{beside}: it is wider, or elsewhere");
    }
    let elsewhere = json!({"rules": [
        rule(&["shop.example.com"], &json!([open("/api/v[0-9]+")])),
        rule(&["store.shop.mesh.example.com"], &json!([protected("/api")])),
    ]});
    assert_eq!(outcome(&elsewhere).readiness, Readiness::Ready, "on another host");
}

#[test]
fn a_path_that_is_a_pattern_in_policies_is_refused_with_a_policy_in_another_rule() {
    let protected = json!([{"path": "/", "authorizationPolicy": known()}]);
    let why = refused(&outcome(&json!({"rules": [
        rule(&["shop.example.com"], &protected), rule(&["shop.example.com"], &json!([{"path": "/a*"}])),
    ]})));
    assert!(why.starts_with("`spec.rules[1].paths[0].path`: `/a*` is a pattern in policies"), "{why}");
    let apart = json!({"rules": [rule(&["b.example.com"], &protected),
        rule(&["shop.example.com"], &json!([{"path": "/a*"}]))]});
    assert_eq!(wanted(&outcome(&apart), "VirtualService").len(), 2);
}

#[test]
fn a_value_that_istio_refuses_leaves_no_path_open() {
    for (key, value) in
        [("source.ip", "192.0.2.0/33"), ("destination.port", "http"), ("source.serviceAccount", "shop/web/x")]
    {
        let policy =
            json!({"rules": [{"from": {"requestPrincipals": ["*"]}, "when": [{"key": key, "values": [value]}]}]});
        let why = refused(&outcome(&one_rule(&json!({"paths": [{"path": "/a", "authorizationPolicy": policy}]}))));
        assert!(why.starts_with("`spec.rules[0].paths[0].authorizationPolicy.rules[0].when[0].values`: "), "{why}");
        assert!(why.contains(value), "{why}");
    }
}
