//! What a Component's status reports about its APIs.

use mizzen_sdk::Readiness;
use mizzen_sdk::testing::{self, Cluster};
use serde_json::{Value, json};

use super::*;

const COMPONENT: &str = "{apiVersion: oda.tmforum.org/v1, kind: Component, \
    metadata: {name: shop, namespace: components, uid: c-1}, spec: {}}";

fn api(name: &str, owner: &str, segment: &Value, ready: bool) -> String {
    json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI",
           "metadata": {"name": name, "namespace": "components", "uid": format!("u-{name}"),
               "ownerReferences": [{"uid": owner}]},
           "spec": {"segment": segment, "path": "/x"},
           "status": {"apiStatus": {"url": format!("https://a/{name}"), "developerUI": null},
               "implementation": {"ready": ready}}})
    .to_string()
}

fn summed(apis: &[String]) -> (Readiness, Value) {
    let cluster = apis.iter().fold(Cluster::new(), |cluster, api| cluster.with(api));
    let outcome = testing::reconcile::<ComponentStatus>(&cluster, COMPONENT, &json!({})).unwrap();
    (outcome.readiness, outcome.status.unwrap())
}

#[test]
fn each_segment_lists_its_own_apis() {
    let (readiness, status) = summed(&[
        api("a", "c-1", &json!("coreFunction"), true),
        api("b", "c-1", &json!("managementFunction"), true),
        api("c", "c-1", &json!("securityFunction"), true),
    ]);
    let names = |list: &str| status[list].as_array().unwrap().iter().map(|own| own["name"].clone()).collect::<Vec<_>>();
    assert_eq!(
        (names("coreAPIs"), names("managementAPIs"), names("securityAPIs")),
        (vec![json!("a")], vec![json!("b")], vec![json!("c")])
    );
    assert_eq!(
        status["coreAPIs"][0],
        json!({"name": "a", "uid": "u-a", "url": "https://a/a", "developerUI": null, "ready": true})
    );
    assert_eq!(readiness, Readiness::Ready);
}

#[test]
fn an_api_that_becomes_unready_is_reported() {
    let (readiness, status) = summed(&[api("a", "c-1", &json!("coreFunction"), false)]);
    assert_eq!(status["coreAPIs"][0]["ready"], false);
    assert_eq!(readiness, Readiness::Progressing("not ready: a".into()));
}

#[test]
fn apis_of_other_components_are_ignored() {
    let (_, status) = summed(&[api("a", "c-2", &json!("coreFunction"), true)]);
    assert_eq!(status, json!({"coreAPIs": [], "managementAPIs": [], "securityAPIs": []}));
}

#[test]
fn an_api_without_a_status_is_listed_as_not_ready() {
    let fresh = "{apiVersion: oda.tmforum.org/v1, kind: ExposedAPI, metadata: {name: a, namespace: components, uid: u, \
                 ownerReferences: [{uid: c-1}]}, spec: {path: /a}}";
    let (_, status) = summed(&[fresh.to_owned()]);
    assert_eq!(
        status["coreAPIs"],
        json!([{"name": "a", "uid": "u", "url": null, "developerUI": null, "ready": false}])
    );
}

/// A Component of two APIs: a complete one, and one with this spec and status.
fn beside(spec: &Value, status: &Value) -> (Readiness, Value) {
    let other = json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI", "spec": spec, "status": status,
                       "metadata": {"name": "b", "namespace": "components", "uid": "u-b",
                           "ownerReferences": [{"uid": "c-1"}]}});
    summed(&[api("a", "c-1", &json!("coreFunction"), true), other.to_string()])
}

#[test]
fn an_api_with_an_incomplete_status_is_listed_as_not_ready_and_hides_no_other() {
    let url = "https://a/b";
    for (status, url) in [
        (Value::Null, Value::Null),
        (json!({"apiStatus": null, "implementation": null}), Value::Null),
        (json!({"apiStatus": {"url": url}, "implementation": {"ready": null}}), json!(url)),
        (json!({"apiStatus": {"url": url, "developerUI": 7}, "implementation": {"ready": "yes"}}), json!(url)),
    ] {
        let (readiness, summed) = beside(&json!({"segment": "coreFunction"}), &status);
        let last = json!({"name": "b", "uid": "u-b", "url": url, "developerUI": null, "ready": false});
        assert_eq!((&summed["coreAPIs"][0]["name"], &summed["coreAPIs"][1]), (&json!("a"), &last), "{status}");
        assert_eq!(readiness, Readiness::Progressing("not ready: b".into()));
    }
}

#[test]
fn an_empty_segment_is_the_core() {
    for spec in [Value::Null, json!({}), json!({"segment": null}), json!({"segment": ""})] {
        let (readiness, status) = beside(&spec, &json!({"implementation": {"ready": true}}));
        assert_eq!((readiness, &status["coreAPIs"][1]["name"]), (Readiness::Ready, &json!("b")), "{spec}");
    }
}

#[test]
fn an_api_of_an_unknown_segment_is_named_and_hides_no_other() {
    for segment in [json!("salesFunction"), json!(7)] {
        let (readiness, status) = beside(&json!({"segment": segment}), &json!({"implementation": {"ready": true}}));
        assert_eq!((status["coreAPIs"].as_array().unwrap().len(), &status["coreAPIs"][0]["name"]), (1, &json!("a")));
        let why = format!("not ready: b (`segment` is {segment}, which is not a known segment)");
        assert_eq!(readiness, Readiness::Progressing(why));
    }
}
