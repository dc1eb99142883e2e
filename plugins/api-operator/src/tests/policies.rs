//! Policies of an API, and what is refused.

use super::*;

#[test]
fn a_wrong_field_is_named() {
    for (changes, field) in [
        (json!({"path": "a"}), "`path`"),
        (json!({"path": ""}), "`path`"),
        (json!({"port": 0}), "`port`"),
        (json!({"port": 65536}), "`port`"),
        (json!({"port": -1}), "`port`"),
        (json!({"port": "http"}), "`port`"),
        (json!({"implementation": ""}), "`implementation`"),
    ] {
        assert!(invalid(&changes).contains(field), "{changes}");
    }
}

#[test]
fn an_unknown_field_of_the_configuration_is_invalid() {
    let result = testing::reconcile::<ApiOperator>(&mesh(), &api(&json!({})), &json!({"gatway": "x/y"}));
    assert!(matches!(result, Err(Failure::Invalid(why)) if why.contains("gatway")));
}

fn cors(changes: &Value) -> Value {
    let mut cors = json!({"enabled": true, "allowOrigins": "https://a.example.com"});
    for (field, value) in changes.as_object().unwrap() {
        cors[field] = value.clone();
    }
    json!({"CORS": cors})
}

#[test]
fn the_gateway_enforces_cors() {
    let rules = outcome(&cors(&json!({"allowCredentials": true}))).desired.unwrap()[0]["spec"]["http"].take();
    let [rule] = rules.as_array().unwrap().as_slice() else { panic!("{rules}") };
    assert_eq!(
        rule["corsPolicy"],
        json!({
            "allowOrigins": [{"exact": "https://a.example.com"}],
            "allowCredentials": true,
            "allowMethods": ["GET", "POST", "HEAD", "OPTIONS"],
            "allowHeaders": ["Origin", "Accept", "X-Requested-With", "Content-Type", "Access-Control-Request-Method",
                             "Access-Control-Request-Headers"],
            "maxAge": "1800s",
        })
    );
    assert_eq!(outcome(&json!({"CORS": {"enabled": false}})).desired, outcome(&json!({})).desired);
}

#[test]
fn an_origin_matches_exactly_or_by_stars_or_is_any() {
    let origins = |text: &str| {
        let rule = outcome(&cors(&json!({"allowOrigins": text}))).desired.unwrap()[0]["spec"]["http"][0].take();
        rule["corsPolicy"]["allowOrigins"].clone()
    };
    assert_eq!(origins(" https://a.b , http://c:8080,"), json!([{"exact": "https://a.b"}, {"exact": "http://c:8080"}]));
    assert_eq!(origins("https://*.a.b"), json!([{"regex": "https://[A-Za-z0-9.-]+\\.a\\.b"}]));
    assert_eq!((origins("*"), origins("")), (json!([{"exact": "*"}]), json!([{"exact": "*"}])));
}

#[test]
fn preflight_requests_reach_an_implementation_that_handles_them() {
    let own = cors(&json!({"handlePreflightRequests": {"enabled": false}}));
    let rules = outcome(&own).desired.unwrap()[0]["spec"]["http"].take();
    assert_eq!(rules[0]["match"][0], json!({"uri": {"exact": "/a"}, "method": {"exact": "OPTIONS"}}));
    assert_eq!((&rules[0]["corsPolicy"], &rules[1]["corsPolicy"]["maxAge"]), (&Value::Null, &Value::Null));
    assert!(rules[1]["corsPolicy"].is_object());
}

/// A Service with this target port, its endpoints at 9090.
fn served_at(target: &str) -> Cluster {
    mesh()
        .with(&format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: catalog, namespace: shop}}, \
             spec: {{selector: {{app: catalog}}, ports: [{{name: http, port: 8080{target}}}]}}}}"
        ))
        .with(&slice("s", "[{}]").replace("endpoints:", "ports: [{name: http, port: 9090}], endpoints:"))
}

fn limited(limit: &str, interval: &str) -> Value {
    json!({"rateLimit": {"enabled": true, "limit": limit, "interval": interval}})
}

#[test]
fn the_implementations_sidecars_enforce_a_rate_limit() {
    let cluster = served_at(", targetPort: 9090");
    let filter = outcome_in(&cluster, &limited("100", "pm")).desired.unwrap().remove(1);
    assert_eq!((&filter["kind"], &filter["metadata"]["namespace"]), (&json!("EnvoyFilter"), &json!("shop")));
    assert_eq!(filter["spec"]["workloadSelector"], json!({"labels": {"app": "catalog"}}));
    let patch = &filter["spec"]["configPatches"][0];
    assert_eq!(patch["match"]["listener"]["portNumber"], 9090);
    let settings = &patch["patch"]["value"]["typed_config"];
    let bucket = json!({"max_tokens": 100, "tokens_per_fill": 100, "fill_interval": "60s"});
    assert_eq!(settings["descriptors"][0]["token_bucket"], bucket);
    let header = &settings["rate_limits"][0]["actions"][0]["header_value_match"]["headers"][0];
    assert_eq!(header["string_match"]["safe_regex"]["regex"], "/a([/?].*)?");
    let root = json!({"path": "/", "rateLimit": {"enabled": true, "limit": "5"}});
    let filter = outcome_in(&cluster, &root).desired.unwrap().remove(1);
    let settings = &filter["spec"]["configPatches"][0]["patch"]["value"]["typed_config"];
    assert_eq!(settings["token_bucket"], json!({"max_tokens": 5, "tokens_per_fill": 5, "fill_interval": "1s"}));
    assert_eq!(settings["descriptors"], Value::Null);
}

#[test]
fn a_limit_applies_to_the_port_that_the_pods_listen_at() {
    for (target, port) in [(", targetPort: 9091", 9091), (", targetPort: web", 9090), ("", 8080)] {
        let filter = outcome_in(&served_at(target), &limited("1", "ps")).desired.unwrap().remove(1);
        assert_eq!(filter["spec"]["configPatches"][0]["match"]["listener"]["portNumber"], port);
    }
}

#[test]
fn a_limit_applies_to_every_port_that_some_pods_listen_at() {
    let slice_at = |name: &str, port: &str| {
        slice(name, "[{}]").replace("endpoints:", &format!("ports: [{{name: http, port: {port}}}], endpoints:"))
    };
    let cluster = served_at(", targetPort: web")
        .with(&slice_at("a", "null"))
        .with(&slice_at("b", "9091"))
        .with(&slice_at("t", "9090"))
        .with(&slice_at("u", "7000").replace("name: http", "name: another"));
    let filter = outcome_in(&cluster, &limited("1", "ps")).desired.unwrap().remove(1);
    let patches = filter["spec"]["configPatches"].as_array().unwrap();
    let ports: Vec<_> = patches.iter().map(|patch| &patch["match"]["listener"]["portNumber"]).collect();
    assert_eq!(ports, [9090, 9091], "each once");
}

#[test]
fn a_port_for_udp_of_the_same_number_is_not_the_apis() {
    let both = "{apiVersion: v1, kind: Service, metadata: {name: catalog, namespace: shop}, \
        spec: {selector: {app: catalog}, ports: [
        {name: dns, port: 8080, protocol: UDP, targetPort: 53},
        {name: http, port: 8080, protocol: TCP, targetPort: 9091}]}}";
    let filter = outcome_in(&mesh().with(both), &limited("1", "ps")).desired.unwrap().remove(1);
    assert_eq!(filter["spec"]["configPatches"][0]["match"]["listener"]["portNumber"], 9091);
    let alone = both.replace("protocol: TCP", "protocol: SCTP");
    assert_eq!(condition(&outcome_in(&mesh().with(&alone), &limited("1", "ps")), "Supported").1, "RateLimitPending");
}

#[test]
fn unsupported_and_waiting_policies_are_both_named() {
    let mut changes = limited("1", "ps");
    changes["quota"] = json!({"limit": "100"});
    let (_, reason, message) = condition(&outcome(&changes), "Supported");
    assert_eq!(reason, "Unsupported");
    assert!(message.contains("not enforced: quota") && message.contains("rate limit awaits"), "{message}");
    changes["apiType"] = json!("graphql");
    let (_, reason, message) = condition(&outcome(&changes), "Supported");
    assert_eq!(reason, "UnknownApiType");
    for part in ["`graphql`", "not enforced: quota", "rate limit awaits"] {
        assert!(message.contains(part), "{part} in {message}");
    }
}

#[test]
fn a_limit_that_can_not_be_enforced_yet_is_reported_as_waiting() {
    let outcome = outcome_in(&mesh(), &limited("1", "ps"));
    assert_eq!(outcome.desired.as_ref().unwrap().len(), 1);
    assert_eq!(condition(&outcome, "Supported").1, "RateLimitPending");
}

#[test]
fn a_type_that_is_not_known_is_named() {
    let (status, reason, message) = condition(&outcome(&json!({"apiType": "graphql"})), "Supported");
    assert_eq!((status, reason.as_str()), (Some(false), "UnknownApiType"));
    assert!(message.contains("`graphql`"), "{message}");
}

#[test]
fn an_invalid_policy_is_reported_with_its_field() {
    assert!(invalid(&json!({"rateLimit": 7})).contains("rateLimit"));
    for (changes, field) in [
        (limited("", "ps"), "spec.rateLimit.limit"),
        (limited("0", "ps"), "spec.rateLimit.limit"),
        (limited("ten", "ps"), "spec.rateLimit.limit"),
        (limited("1", "ph"), "spec.rateLimit.interval"),
        (cors(&json!({"allowOrigins": "a.example.com"})), "spec.CORS.allowOrigins"),
        (cors(&json!({"allowOrigins": "https://a/b"})), "spec.CORS.allowOrigins"),
        (cors(&json!({"allowOrigins": "*", "allowCredentials": true})), "spec.CORS.allowCredentials"),
        (cors(&json!({"handlePreflightRequests": {"allowMethods": "get"}})), "allowMethods"),
        (cors(&json!({"handlePreflightRequests": {"allowHeaders": "a b"}})), "allowHeaders"),
    ] {
        assert!(refused_in(&mesh(), &changes).0.contains(field), "{changes}");
    }
}

#[test]
fn all_invalid_policies_are_reported_at_once() {
    let mut both = cors(&json!({"allowOrigins": "a.example.com"}));
    both["rateLimit"] = limited("ten", "ps")["rateLimit"].take();
    let (why, _) = refused_in(&mesh(), &both);
    assert!(why.contains("spec.CORS.allowOrigins") && why.contains("spec.rateLimit.limit"), "{why}");
}

#[test]
fn an_api_with_an_invalid_policy_still_reports_its_readiness() {
    for ready in [true, false] {
        let cluster = mesh().with(&slice("s", &format!("[{{conditions: {{ready: {ready}}}}}]")));
        for changes in [limited("ten", "ps"), cors(&json!({"allowOrigins": "a.example.com"}))] {
            let (_, status) = refused_in(&cluster, &changes);
            assert_eq!(status["implementation"], json!({"ready": ready}), "{changes}");
            assert_eq!(status["apiStatus"], api_status(&cluster, &json!({})), "{changes}");
        }
    }
}

#[test]
fn it_declares_no_more_than_it_uses() {
    let description = format!("{:?}", ApiOperator::describe());
    for kind in ["Secret", "Pod\"", "Deployment", "Namespace", "ConfigMap", "access: Patch", "access: Delete"] {
        assert!(!description.contains(kind), "{kind} in {description}");
    }
}
