//! Other routes that match an API's path: found anywhere, and reported with both sides.

use super::*;

/// A route with this match at that host and gateway; of an ExposedAPI of the same name when it is owned.
fn route(name: &str, uri: &Value, host: &str, gateway: &str, owned: bool) -> String {
    let owners = if owned { json!([{"kind": "ExposedAPI", "name": name}]) } else { json!([]) };
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
           "metadata": {"name": name, "namespace": "other", "ownerReferences": owners},
           "spec": {"hosts": [host], "gateways": [gateway], "http": [{"match": [{"uri": uri}]}]}})
    .to_string()
}

fn exclusive(routes: &[String], path: &str) -> (Option<bool>, String, String) {
    let cluster = routes.iter().fold(mesh().with(&slice("s", "[{}]")), |cluster, route| cluster.with(route));
    let outcome = outcome_in(&cluster, &json!({"path": path}));
    let exclusive = condition(&outcome, "PathExclusive");
    assert_eq!(outcome.readiness == Readiness::Ready, exclusive.0 == Some(true), "{exclusive:?}");
    assert_eq!(outcome.desired.unwrap().len(), 1, "another route on the path does not remove the API's");
    exclusive
}

const OURS: &str = "canvas/component-gateway";

#[test]
fn a_path_of_its_own_is_exclusive() {
    let elsewhere = [
        route("neighbour", &json!({"prefix": "/ab/"}), "*", OURS, true),
        route("host", &json!({"exact": "/a"}), "a.example.com", OURS, true),
        route("gateway", &json!({"exact": "/a"}), "*", "canvas/another", true),
        route("mesh", &json!({"exact": "/a"}), "*", "mesh", false),
        route("parent", &json!({"exact": "/"}), "*", OURS, false),
    ];
    assert_eq!(exclusive(&elsewhere, "/a").1, "Exclusive");
}

#[test]
fn the_same_path_is_a_clash_that_names_both_sides() {
    for (uri, owned, other) in [
        (json!({"exact": "/a"}), true, "ExposedAPI other/x"),
        (json!({"prefix": "/a/"}), true, "ExposedAPI other/x"),
        (json!({"prefix": "/a"}), false, "VirtualService other/x"),
    ] {
        let (status, reason, message) = exclusive(&[route("x", &uri, "*", OURS, owned)], "/a");
        assert_eq!((status, reason.as_str()), (Some(false), "Clash"));
        assert!(message.contains("ExposedAPI shop/cat") && message.contains(other), "{message}");
    }
}

#[test]
fn a_path_above_or_below_is_an_overlap_that_names_both_sides() {
    for (uri, path) in [
        (json!({"prefix": "/"}), "/a/b"),
        (json!({"prefix": "/a"}), "/a/b"),
        (json!({"prefix": "/a/"}), "/a/b"),
        (json!({"prefix": "/ab"}), "/abc"),
        (json!({"prefix": "/a/b/c"}), "/a/b"),
        (json!({"exact": "/a/b/c"}), "/a/b"),
        (json!({"exact": "/anything"}), "/"),
    ] {
        let (status, reason, message) = exclusive(&[route("x", &uri, "*", OURS, false)], path);
        assert_eq!((status, reason.as_str()), (Some(false), "Overlap"), "{uri}");
        assert!(message.contains("shop/cat") && message.contains("VirtualService other/x"), "{message}");
    }
}

#[test]
fn a_regular_expression_that_matches_the_path_or_one_below_is_an_overlap() {
    for (regex, relation) in [
        ("/a", "also matches it, by a regular expression"),
        ("/[a-c](/.*)?", "also matches it, by a regular expression"),
        (".*", "also matches it, by a regular expression"),
        ("/a/v[0-9]+", "matches some paths below it, by a regular expression"),
        ("/[", "may match it, by a regular expression that is not valid here"),
    ] {
        let (status, reason, message) = exclusive(&[route("x", &json!({"regex": regex}), "*", OURS, false)], "/a");
        assert_eq!((status, reason.as_str()), (Some(false), "Overlap"), "{regex}");
        assert!(
            message.contains("shop/cat") && message.contains(&format!("VirtualService other/x {relation}")),
            "{message}"
        );
    }
    let elsewhere = [
        route("neighbour", &json!({"regex": "/a[0-9]+(/.*)?"}), "*", OURS, false),
        route("host", &json!({"regex": ".*"}), "a.example.com", OURS, false),
        route("gateway", &json!({"regex": ".*"}), "*", "canvas/another", false),
    ];
    assert_eq!(exclusive(&elsewhere, "/a").1, "Exclusive");
}

#[test]
fn a_match_by_headers_alone_overlaps_every_path_of_its_host() {
    let by_header =
        json!([{"match": [{"headers": {"canary": {"exact": "yes"}}}]}, {"match": [{"uri": {"prefix": "/"}}]}]);
    for (uri, host, gateway, expected) in [
        (json!({"prefix": "/"}), "*", OURS, "Overlap"),
        (json!({"regex": "/elsewhere"}), "*", OURS, "Overlap"),
        (json!({"prefix": "/"}), "a.example.com", OURS, "Exclusive"),
        (json!({"prefix": "/"}), "*", "canvas/another", "Exclusive"),
    ] {
        let mut canary: Value = serde_json::from_str(&route("x", &json!({}), host, gateway, false)).unwrap();
        canary["spec"]["http"] = by_header.clone();
        canary["spec"]["http"][1]["match"][0]["uri"] = uri.clone();
        let (_, reason, message) = exclusive(&[canary.to_string()], "/a");
        assert_eq!(reason, expected, "{uri} {host} {gateway}: {message}");
    }
}

#[test]
fn a_host_in_capitals_is_the_same_host() {
    let cluster = mesh().with(&route("x", &json!({"exact": "/a"}), "API.Example.COM", OURS, false));
    let outcome = outcome_in(&cluster, &json!({"hostname": "Api.example.com"}));
    assert_eq!(condition(&outcome, "PathExclusive").1, "Clash");
}

#[test]
fn each_side_is_named_by_its_kind() {
    let older = api(&json!({})).replace("ExposedAPI", "API").replace("tmforum.org/v1", "tmforum.org/v1alpha4");
    let cluster = mesh().with(&route("x", &json!({"exact": "/a"}), "*", OURS, true));
    let outcome = testing::reconcile::<ApiOperator>(&cluster, &older, &json!({})).unwrap();
    let (_, _, message) = condition(&outcome, "PathExclusive");
    assert!(message.starts_with("API shop/cat ") && message.contains("ExposedAPI other/x"), "{message}");
}

#[test]
fn a_rule_without_a_match_is_not_an_overlap() {
    let rest = route("rest", &json!({"exact": "x"}), "*", OURS, false)
        .replace(r#""match":[{"uri":{"exact":"x"}}]"#, r#""route":[]"#);
    assert!(!rest.contains("match"));
    assert_eq!(exclusive(&[rest], "/a").1, "Exclusive");
}

#[test]
fn the_most_severe_overlaps_are_named_and_the_others_counted() {
    let below = |at: usize| route(&format!("below-{at}"), &json!({"exact": format!("/a/{at}")}), "*", OURS, true);
    let mut routes: Vec<_> = (0..8).map(below).collect();
    routes.push(route("same", &json!({"exact": "/a"}), "*", OURS, true));
    let (_, reason, message) = exclusive(&routes, "/a");
    assert_eq!(reason, "Clash");
    assert!(message.contains("other/same matches the same path") && message.ends_with("and 4 more"), "{message}");
}

#[test]
fn an_apis_own_route_is_not_an_overlap() {
    let own = route("cat", &json!({"exact": "/a"}), "*", OURS, true).replace("\"other\"", "\"shop\"");
    assert_eq!(exclusive(&[own], "/a").1, "Exclusive");
}
