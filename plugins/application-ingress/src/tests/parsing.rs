//! An invalid field is named, and changes nothing.

use super::*;

#[test]
fn an_error_names_the_invalid_field() {
    let path = |path: Value| json!({"paths": [path]});
    let policy = |policy: Value| json!({"paths": [{"path": "/a", "authorizationPolicy": policy}]});
    let to = |destination: Value| json!({"destination": destination});
    let from = json!({"requestPrincipals": ["*"]});
    let twice = json!({"paths": [{"path": "/a"}, {"path": "/a", "pathType": "exact"}]});
    let beside = json!({"paths": [{"path": "/a*"}, {"path": "/", "authorizationPolicy": {"rules": [{"from": from}]}}]});
    for (changes, field, why) in [
        (json!({"hosts": "a"}), "hosts", "invalid type: string"),
        (json!({"hosts": ["a b"]}), "hosts", "`a b` is not a valid host"),
        (to(json!({"host": "x", "port": "80"})), "destination.port", "invalid type: string"),
        (to(json!({"host": "x", "port": -1})), "destination.port", "-1"),
        (to(json!({"host": "x", "port": 70000})), "destination.port", "70000 is not a valid port"),
        (to(json!({"port": 80})), "destination.host", "required with `port`"),
        (to(json!({"host": "x", "httpCookie": {"ttl": 1}})), "destination.httpCookie.name", "a cookie needs a name"),
        (
            to(json!({"host": "x", "httpCookie": {"name": "a", "ttl": "1s"}})),
            "destination.httpCookie.ttl",
            "invalid type",
        ),
        (path(json!({"path": "a"})), "paths[0].path", "start it with `/`"),
        (path(json!({"path": "/a b"})), "paths[0].path", "not a valid path of a URL"),
        (path(json!({"path": "/a", "pathType": 1})), "paths[0].pathType", "invalid type"),
        (twice, "paths[1]", "write it once"),
        (policy(json!({"rules": []})), "paths[0].authorizationPolicy.rules", "write who is allowed"),
        (policy(json!({"rules": [{}]})), "paths[0].authorizationPolicy.rules[0].from.requestPrincipals", "write who"),
        (
            policy(json!({"rules": [{"from": from, "when": [{"key": "request.colour", "values": ["red"]}]}]})),
            "paths[0].authorizationPolicy.rules[0].when[0].key",
            "no attribute `request.colour`",
        ),
        (
            policy(json!({"rules": [{"from": from, "when": [{"key": "source.ip"}]}]})),
            "paths[0].authorizationPolicy.rules[0].when[0].values",
            "needs values",
        ),
        (
            policy(json!({"rules": [{"from": from, "when": [
                {"key": "source.ip", "values": ["192.0.2.1"]},
                {"key": "remote.ip", "values": ["192.0.2.0/24", "office"]},
            ]}]})),
            "paths[0].authorizationPolicy.rules[0].when[1].values",
            "`office` is neither an IP address nor a range",
        ),
        (
            path(json!({"path": "/a.*", "pathType": "regex", "authorizationPolicy": {"rules": [{"from": from}]}})),
            "paths[0].authorizationPolicy",
            "does not support regular expressions",
        ),
        (beside, "paths[0].path", "a pattern in policies"),
    ] {
        let message = refused(&outcome(&one_rule(&changes)));
        assert!(
            message.starts_with(&format!("`spec.rules[0].{field}`: ")) && message.contains(why),
            "{changes}: {message}"
        );
    }
}

#[test]
fn a_trait_has_rules_and_an_application() {
    assert!(refused(&outcome(&json!({}))).starts_with("`spec.rules`: it is empty"));
    let mut subject = ingress(&one_rule(&json!({})));
    subject["metadata"]["labels"] = json!({});
    assert!(refused(&reconciled(&mesh(), &subject)).starts_with("`metadata.labels`: `app.oam.dev/name` is missing"));
}

#[test]
fn without_hosts_or_a_domain_to_make_one_of_the_way_out_is_named() {
    let subject = ingress(&one_rule(&json!({"hosts": []}))).to_string();
    let outcome = testing::reconcile::<ApplicationIngress>(&mesh(), &subject, &json!({})).unwrap();
    assert!(refused(&outcome).contains("set `domain` in the configuration"));
}

#[test]
fn two_cookies_for_one_host_are_refused() {
    let rule = |cookie: &str| {
        let destination = json!({"host": "x", "httpCookie": {"name": cookie}});
        json!({"hosts": ["shop.example.com"], "destination": destination})
    };
    let why = refused(&outcome(&json!({"rules": [rule("a"), rule("b")]})));
    assert!(why.starts_with("`spec.rules[1].destination.httpCookie`: another rule has another cookie"), "{why}");
    assert_eq!(outcome(&json!({"rules": [rule("a"), rule("a")]})).readiness, Readiness::Ready);
}

#[test]
fn a_host_is_the_same_however_much_of_its_name_is_written() {
    let rule = |host: &str, cookie: &str| {
        let destination = json!({"host": host, "httpCookie": {"name": cookie}});
        json!({"hosts": ["shop.example.com"], "destination": destination})
    };
    for (one, other) in [
        ("cart", "cart.shop"),
        ("cart", "cart.shop.svc"),
        ("cart.shop", "cart.shop.svc.cluster.local"),
        ("cart", "cart.shop.svc.cluster.local."),
    ] {
        let why = refused(&outcome(&json!({"rules": [rule(one, "a"), rule(other, "b")]})));
        assert!(why.starts_with("`spec.rules[1].destination.httpCookie`: another rule"), "{one}, {other}: {why}");
    }
    let elsewhere = json!({"rules": [rule("cart", "a"), rule("cart.yard", "b")]});
    assert_eq!(outcome(&elsewhere).readiness, Readiness::Ready);
}

#[test]
fn the_policy_of_a_path_is_found_under_either_name() {
    let policy = json!({"rules": [{"from": {"requestPrincipals": ["*"]}}]});
    for field in ["authorizationPolicy", "policy"] {
        let outcome = outcome(&one_rule(&json!({"paths": [{"path": "/a", field: policy}]})));
        assert_eq!(wanted(&outcome, "AuthorizationPolicy").len(), 1, "{field}");
    }
}
