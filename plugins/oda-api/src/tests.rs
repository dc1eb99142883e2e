//! What authors may write, in which version, and what is refused.

use serde_json::{Value, json};

use super::*;

fn spec(changes: &Value) -> Result<Spec, serde_json::Error> {
    let mut spec =
        json!({"name": "cat", "apiType": "openapi", "implementation": "catalog", "path": "/a", "port": 8080});
    for (field, value) in changes.as_object().unwrap() {
        spec[field] = value.clone();
    }
    serde_json::from_value(spec)
}

#[test]
fn a_specification_has_a_shape_in_each_version() {
    let urls = |shape: Value| {
        let all = spec(&json!({"specification": shape})).unwrap().specification;
        all.into_iter().map(|one| (one.url.unwrap_or_default(), one.version.unwrap_or_default())).collect::<Vec<_>>()
    };
    let of = |url: &str, version: &str| (url.to_owned(), version.to_owned());
    assert_eq!(urls(json!("https://a")), [of("https://a", "")]);
    assert_eq!(urls(json!(["https://a", "https://b"])), [of("https://a", ""), of("https://b", "")]);
    assert_eq!(urls(json!({"url": "https://a", "version": "v4"})), [of("https://a", "v4")]);
    assert_eq!(urls(json!([{"url": "https://a"}, {"version": "v5"}])), [of("https://a", ""), of("", "v5")]);
    assert_eq!(urls(Value::Null), []);
    assert!(spec(&json!({"specification": 7})).unwrap_err().to_string().contains("a list of either"));
}

#[test]
fn the_older_kind_has_the_type_in_lower_case() {
    let older = json!({"apitype": "prometheus", "implementation": "a", "path": "/a", "port": 1});
    assert_eq!(serde_json::from_value::<Spec>(older).unwrap().api_type, ApiType::Prometheus);
}

#[test]
fn a_type_that_is_not_known_is_kept_by_its_name() {
    let kind = spec(&json!({"apiType": "graphql"})).unwrap().api_type;
    assert_eq!((kind.is_metrics(), kind.to_string()), (false, "graphql".into()));
}

#[test]
fn a_path_knows_the_paths_above_and_below_it() {
    let path = |text: &str| Path::try_from(text.to_owned()).unwrap();
    let above: Vec<_> = path("/a/b/c/").ancestors().map(|path| path.to_string()).collect();
    assert_eq!(above, ["/a/b", "/a", "/"]);
    assert_eq!((path("/a/").below(), path("/").below()), ("/a/".into(), "/".into()));
    assert_eq!(path("/").ancestors().count(), 0);
}

#[test]
fn a_path_that_proxies_normalise_is_refused() {
    for text in ["a", "", "/a b", "/a?b", "/a#b", "/a//b", "/a/../b", "/./a", "//"] {
        assert!(Path::try_from(text.to_owned()).is_err(), "{text}");
    }
}

#[test]
fn hosts_and_services_have_names_of_dns() {
    for host in ["a.example.com", "*.example.com", "a"] {
        assert!(Host::try_from(host.to_owned()).is_ok(), "{host}");
    }
    for host in ["*", "a..b", "a_b", "a.*.b", "", "a b", "ä.b"] {
        assert!(Host::try_from(host.to_owned()).is_err(), "{host}");
    }
    assert!(ServiceName::try_from("a.b".to_owned()).is_err());
}

#[test]
fn a_host_is_the_same_in_capitals() {
    let host = |text: &str| spec(&json!({"hostname": text})).unwrap().hostname.unwrap().to_string();
    assert_eq!((host("API.Example.COM"), host("*.Example.com")), ("api.example.com".into(), "*.example.com".into()));
    let why = spec(&json!({"hostname": "Not A Host"})).unwrap_err().to_string();
    assert!(why.contains("`Not A Host` is not a valid host name"), "{why}");
}

#[test]
fn an_empty_host_or_a_star_means_any_host() {
    for none in [json!(""), json!("*"), Value::Null] {
        assert_eq!(spec(&json!({"hostname": none})).unwrap().hostname, None, "{none}");
    }
}

#[test]
fn an_empty_type_or_segment_is_the_default() {
    for open in [Value::Null, json!("")] {
        let spec = spec(&json!({"apiType": open, "segment": open})).unwrap();
        assert_eq!((spec.api_type, spec.segment), (ApiType::Openapi, Segment::CoreFunction), "{open}");
    }
}

#[test]
fn a_segment_that_is_not_known_is_kept_by_its_name() {
    let segment = spec(&json!({"segment": "salesFunction"})).unwrap().segment;
    assert_eq!(segment, Segment::Unknown("salesFunction".into()));
}

#[test]
fn scraping_needs_a_user_name_and_a_password_or_neither() {
    let (key, open) = (json!({"name": "a", "key": "b"}), json!({"name": "", "key": ""}));
    let auth = |changes: Value| spec(&json!({"basicAuth": changes})).map(|spec| spec.basic_auth);
    for none in [json!({}), Value::Null, json!({"username": null, "password": null}), json!({"username": open})] {
        assert_eq!(auth(none.clone()).unwrap(), None, "{none}");
    }
    assert!(auth(json!({"username": key, "password": key})).unwrap().is_some());
    let why = |changes| auth(changes).unwrap_err().to_string();
    assert_eq!(why(json!({"username": key})), "missing field `password`");
    assert_eq!(why(json!({"username": open, "password": key})), "missing field `username`");
}

#[test]
fn policies_that_charts_render_empty_have_no_effect() {
    let empty = spec(&json!({
        "CORS": {"enabled": false, "allowOrigins": "",
            "handlePreflightRequests": {"enabled": false, "allowHeaders": ""}},
        "rateLimit": {"enabled": false, "identifier": "", "limit": "", "interval": ""},
        "quota": {"identifier": "", "limit": ""},
        "OASValidation": {"requestEnabled": false},
        "apiKeyVerification": {"enabled": false, "location": ""},
    }))
    .unwrap();
    assert!(!empty.cors.unwrap().enabled && !empty.rate_limit.unwrap().enabled);
    assert!(!empty.quota.unwrap().is_asked_for());
}

#[test]
fn policies_that_charts_render_as_null_are_missing() {
    let open = spec(&json!({
        "developerUI": null, "template": null, "quota": null,
        "CORS": {"enabled": null, "allowCredentials": null, "allowOrigins": null, "handlePreflightRequests": null},
        "rateLimit": {"enabled": null, "identifier": null, "limit": null, "interval": null},
        "OASValidation": {"requestEnabled": null, "responseEnabled": null},
        "apiKeyVerification": {"enabled": null, "location": null},
    }))
    .unwrap();
    let (cors, rate) = (open.cors.unwrap(), open.rate_limit.unwrap());
    assert!(!cors.enabled && !cors.allow_credentials && cors.handle_preflight_requests.enabled);
    assert_eq!((rate.enabled, rate.interval), (false, Interval::Second));
    let validation = open.oas_validation.unwrap();
    assert!(!validation.request_enabled && !validation.response_enabled && !open.api_key_verification.unwrap().enabled);
}

#[test]
fn missing_settings_of_preflight_requests_have_the_definitions_defaults() {
    let preflight = json!({"enabled": null, "allowHeaders": "", "allowMethods": null, "maxAge": null});
    let read = spec(&json!({"CORS": {"enabled": true, "handlePreflightRequests": preflight}})).unwrap();
    let (own, usual) = (read.cors.unwrap().handle_preflight_requests, Preflight::default());
    assert_eq!((own.enabled, own.max_age), (true, 1800));
    assert_eq!((own.allow_headers, own.allow_methods), (usual.allow_headers, usual.allow_methods));
}

#[test]
fn a_policy_of_the_wrong_type_is_refused_and_not_ignored() {
    assert!(spec(&json!({"rateLimit": 7})).is_err());
    assert!(spec(&json!({"rateLimit": {"enabled": true, "interval": 7}})).is_err());
}

#[test]
fn an_interval_that_is_not_known_is_kept_by_its_name() {
    let interval = |text: &str| spec(&json!({"rateLimit": {"interval": text}})).unwrap().rate_limit.unwrap().interval;
    assert_eq!((interval("ps"), interval("pm"), interval("")), (Interval::Second, Interval::Minute, Interval::Second));
    assert_eq!(interval("ph"), Interval::Unknown("ph".into()));
}
