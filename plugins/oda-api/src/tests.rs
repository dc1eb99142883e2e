//! What an author may write, in which version, and what is refused.

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
fn the_older_kind_says_the_type_in_lower_case() {
    let older = json!({"apitype": "prometheus", "implementation": "a", "path": "/a", "port": 1});
    assert_eq!(serde_json::from_value::<Spec>(older).unwrap().api_type, ApiType::Prometheus);
}

#[test]
fn a_type_that_is_not_known_is_kept_by_its_name() {
    let kind = spec(&json!({"apiType": "graphql"})).unwrap().api_type;
    assert_eq!((kind.is_metrics(), kind.to_string()), (false, "graphql".into()));
}

#[test]
fn a_path_knows_what_lies_above_and_below_it() {
    let path = |text: &str| Path::try_from(text.to_owned()).unwrap();
    let above: Vec<_> = path("/a/b/c/").ancestors().map(|path| path.to_string()).collect();
    assert_eq!(above, ["/a/b", "/a", "/"]);
    assert_eq!((path("/a/").below(), path("/").below()), ("/a/".into(), "/".into()));
    assert_eq!(path("/").ancestors().count(), 0);
}

#[test]
fn what_proxies_read_in_two_ways_is_no_path() {
    for text in ["a", "", "/a b", "/a?b", "/a#b", "/a//b", "/a/../b", "/./a", "//"] {
        assert!(Path::try_from(text.to_owned()).is_err(), "{text}");
    }
}

#[test]
fn hosts_and_services_have_names_of_dns() {
    for host in ["a.example.com", "*.example.com", "a"] {
        assert!(Host::try_from(host.to_owned()).is_ok(), "{host}");
    }
    for host in ["*", "A.b", "a..b", "a_b", "a.*.b", "", "a b"] {
        assert!(Host::try_from(host.to_owned()).is_err(), "{host}");
    }
    assert!(ServiceName::try_from("a.b".to_owned()).is_err());
    assert_eq!(spec(&json!({"hostname": ""})).unwrap().hostname, None);
}

#[test]
fn policies_that_charts_render_empty_ask_for_nothing() {
    let empty = spec(&json!({
        "CORS": {"enabled": false, "allowOrigins": "", "handlePreflightRequests": {"enabled": false, "allowHeaders": ""}},
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
fn a_policy_of_the_wrong_type_is_refused_rather_than_taken_for_none() {
    assert!(spec(&json!({"rateLimit": 7})).is_err());
    assert!(spec(&json!({"rateLimit": {"enabled": true, "interval": "ph"}})).is_err());
}
