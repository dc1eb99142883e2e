//! The route of an API: which requests reach it.

use super::*;

#[test]
fn an_api_has_a_route_of_its_name_at_the_component_gateway() {
    let desired = outcome(&json!({})).desired.unwrap();
    let [route] = desired.as_slice() else { panic!("{desired:?}") };
    assert_eq!(
        *route,
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "cat", "namespace": "shop"},
            "spec": {
                "hosts": ["*"],
                "gateways": ["canvas/component-gateway"],
                "http": [{
                    "match": [{"uri": {"exact": "/a"}}, {"uri": {"prefix": "/a/"}}],
                    "route": [{"destination": {"host": "catalog", "port": {"number": 8080}}}],
                }],
            },
        })
    );
}

#[test]
fn a_path_matches_paths_below_it_and_not_its_siblings() {
    let route = &outcome(&json!({"path": "/a"})).desired.unwrap()[0];
    assert!(takes(route, "/a") && takes(route, "/a/") && takes(route, "/a/b"));
    assert!(!takes(route, "/ab") && !takes(route, "/"));
}

#[test]
fn a_slash_at_the_end_of_a_path_changes_nothing() {
    let route = |path: &str| outcome(&json!({"path": path})).desired.unwrap().remove(0);
    assert_eq!(route("/a/"), route("/a"));
}

#[test]
fn the_root_path_matches_everything() {
    let route = &outcome(&json!({"path": "/"})).desired.unwrap()[0];
    assert!(takes(route, "/") && takes(route, "/ab"));
}

#[test]
fn the_hostname_of_an_api_overrides_the_public_one() {
    let config = json!({"publicHostname": "public.example.com", "gateway": "canvas/component-gateway"});
    let hosts_and_url = |changes: &Value| {
        let outcome = testing::reconcile::<ApiOperator>(&mesh(), &api(changes), &config).unwrap();
        (outcome.desired.unwrap()[0]["spec"]["hosts"].clone(), outcome.status.unwrap()["apiStatus"]["url"].clone())
    };
    assert_eq!(hosts_and_url(&json!({})), (json!(["public.example.com"]), json!("https://public.example.com/a")));
    assert_eq!(
        hosts_and_url(&json!({"hostname": "own.example.com"})),
        (json!(["own.example.com"]), json!("https://own.example.com/a"))
    );
}

#[test]
fn the_route_exists_before_the_implementation() {
    let outcome = outcome(&json!({}));
    assert!(matches!(outcome.readiness, Readiness::Progressing(_)));
    assert_eq!(outcome.desired.unwrap().len(), 1);
}

#[test]
fn a_path_that_is_not_valid_in_urls_is_not_published() {
    assert!(invalid(&json!({"path": "/a b"})).contains("`path`"));
}

#[test]
fn every_version_and_the_older_kind_is_published() {
    let wanted = outcome(&json!({})).desired;
    let shapes = [
        ("v1", "ExposedAPI", json!([{"url": "https://a", "version": "v4"}])),
        ("v1", "ExposedAPI", json!({"url": "https://a", "version": "v4"})),
        ("v1beta4", "ExposedAPI", json!([{"url": "https://a"}])),
        ("v1beta3", "ExposedAPI", json!(["https://a"])),
        ("v1alpha4", "API", json!("https://a")),
    ];
    for (version, kind, specification) in shapes {
        let mut api: Value = serde_json::from_str(&api(&json!({"specification": specification}))).unwrap();
        api["apiVersion"] = json!(format!("oda.tmforum.org/{version}"));
        api["kind"] = json!(kind);
        let result = testing::reconcile::<ApiOperator>(&mesh(), &api.to_string(), &json!({})).unwrap();
        assert_eq!(result.desired, wanted, "{version} {kind}");
    }
}

#[test]
fn a_path_that_proxies_normalise_is_not_published() {
    for path in ["/a//b", "/a/../b", "/./a"] {
        assert!(invalid(&json!({"path": path})).contains("`path`"), "{path}");
    }
}

#[test]
fn an_own_host_must_be_valid() {
    assert!(invalid(&json!({"hostname": "Not A Host"})).contains("`hostname`"));
    let route = |host: &str| outcome(&json!({"hostname": host})).desired.unwrap()[0]["spec"]["hosts"].clone();
    assert_eq!((route("*.example.com"), route("")), (json!(["*.example.com"]), json!(["*"])));
    assert_eq!((route("API.Example.com"), route("*")), (json!(["api.example.com"]), json!(["*"])));
}

#[test]
fn an_empty_public_host_or_a_star_means_any_host() {
    for none in [json!(""), json!("*"), Value::Null] {
        let config = json!({"publicHostname": none});
        let result = testing::reconcile::<ApiOperator>(&mesh(), &api(&json!({})), &config).unwrap();
        assert_eq!(result.desired.unwrap()[0]["spec"]["hosts"], json!(["*"]), "{none}");
        assert_eq!(result.status.unwrap()["apiStatus"]["url"], "https://192.0.2.7/a", "{none}");
    }
}
