//! What an API's author and its callers can rely on.
//!
//! The original is the TM Forum ODA Canvas's API operator for Istio and Prometheus.
//!
//! | behaviour | test |
//! |---|---|
//! | a VirtualService by the API's name | `routes::an_api_has_a_route_of_its_name_at_the_component_gateway` |
//! | the public host name for APIs that name none | `routes::the_hostname_of_an_api_overrides_the_public_one` |
//! | every served version, and the predecessor `API` | `routes::every_version_and_the_older_kind_is_published` |
//! | `openapi` and `mcp` are routed, `prometheus` and `openmetrics` scraped as well | `scraping::metrics_are_scraped` |
//! | `basicAuth` in a ServiceMonitor | `scraping::the_scraper_authenticates_by_a_secret_that_the_plugin_never_reads` |
//! | DataDog's and `prometheus.io`'s annotations | the plugin `metrics-annotations` |
//! | url, developer UI, address and readiness in the status | `status::the_status_has_the_apis_url` |
//! | an address that is an IP, or a host name | `status::an_address_can_be_a_host_name` |
//! | children go with the API | the host's owner references |
//!
//! | fault | test |
//! |---|---|
//! | 1. never sets ready to false | `status::an_api_without_a_ready_endpoint_is_not_ready` |
//! | 2. errors never reach the status | `policies::an_invalid_policy_is_reported_with_its_field` |
//! | … | `policies::an_api_with_an_invalid_policy_still_reports_its_readiness` |
//! | 3. creating what exists loops on 409 | server-side apply: an outcome has only desired objects |
//! | 4. changes of type, host, developer UI, basicAuth are ignored | `status::a_changed_field_takes_effect` |
//! | … | `scraping::an_api_that_stops_serving_metrics_is_not_scraped` |
//! | 5. changes of the address or the Gateway go unnoticed | `status::the_url_follows_the_address_and_the_gateway` |
//! | 6. `/a` takes `/ab`, clashes go unnoticed | `routes::a_path_matches_paths_below_it_and_not_its_siblings` |
//! | … | `overlaps::the_same_path_is_a_clash_that_names_both_sides` |
//! | 7. https on an http port | `status::the_url_has_the_scheme_and_port_of_the_gateway`, `address::…` |
//! | 8. annotations of live Pods are lost | the plugin `metrics-annotations` |
//! | 9. ignored policies | `policies::…`, `fields::every_field_has_an_effect_or_is_named_or_only_describes` |
//! | 10. rights for everything | `policies::it_declares_no_more_than_it_uses` |

mod address;
mod fields;
mod overlaps;
mod policies;
mod routes;
mod scraping;
mod status;

use mizzen_sdk::testing::{self, Cluster};
use mizzen_sdk::{Kind, Readiness};
use serde_json::{Value, json};

use super::*;

/// A mesh: an ingress gateway with an address, and a Gateway with HTTPS at its default port.
const MESH: &str = "
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system, labels: {istio: ingressgateway}}
status: {loadBalancer: {ingress: [{ip: 192.0.2.7}]}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: component-gateway, namespace: canvas}
spec: {servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*']}]}
";

fn mesh() -> Cluster {
    Cluster::new().with(MESH)
}

/// A mesh whose Gateway has this server.
fn listening(protocol: &str, port: u16) -> Cluster {
    mesh().with(&format!(
        "{{apiVersion: networking.istio.io/v1, kind: Gateway, \
         metadata: {{name: component-gateway, namespace: canvas}}, \
         spec: {{servers: [{{port: {{number: {port}, name: x, protocol: {protocol}}}}}]}}}}"
    ))
}

/// A slice of the Service `catalog` with these endpoints.
fn slice(name: &str, endpoints: &str) -> String {
    format!(
        "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: {name}, namespace: shop, \
         labels: {{kubernetes.io/service-name: catalog}}}}, endpoints: {endpoints}}}"
    )
}

/// An API of the Service `catalog` at `/a`, with these fields changed.
fn api(changes: &Value) -> String {
    let mut spec =
        json!({"name": "cat", "apiType": "openapi", "implementation": "catalog", "path": "/a", "port": 8080});
    for (field, value) in changes.as_object().unwrap() {
        spec[field] = value.clone();
    }
    json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI",
           "metadata": {"name": "cat", "namespace": "shop"}, "spec": spec})
    .to_string()
}

fn outcome_in(cluster: &Cluster, changes: &Value) -> Outcome {
    testing::reconcile::<ApiOperator>(cluster, &api(changes), &json!({})).unwrap()
}

fn outcome(changes: &Value) -> Outcome {
    outcome_in(&mesh(), changes)
}

fn ready_with(slices: &[&str]) -> bool {
    let cluster = slices
        .iter()
        .enumerate()
        .fold(mesh(), |cluster, (at, endpoints)| cluster.with(&slice(&format!("s{at}"), endpoints)));
    let outcome = outcome_in(&cluster, &json!({}));
    let ready = outcome.status.unwrap()["implementation"]["ready"] == json!(true);
    assert_eq!(outcome.readiness == Readiness::Ready, ready);
    ready
}

fn api_status(cluster: &Cluster, changes: &Value) -> Value {
    outcome_in(cluster, changes).status.unwrap()["apiStatus"].take()
}

/// Whether a route matches a path, by Istio's rules.
fn takes(route: &Value, path: &str) -> bool {
    route["spec"]["http"][0]["match"].as_array().unwrap().iter().any(|m| {
        match (&m["uri"]["exact"], &m["uri"]["prefix"]) {
            (Value::String(exact), Value::Null) => path == exact,
            (Value::Null, Value::String(prefix)) => path.starts_with(prefix.as_str()),
            _ => panic!("{m}"),
        }
    })
}

fn invalid(changes: &Value) -> String {
    match testing::reconcile::<ApiOperator>(&mesh(), &api(changes), &json!({})) {
        Err(Failure::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// The message for an API that can't be published: nothing is applied or pruned, and the status
/// stays.
fn refused_in(cluster: &Cluster, changes: &Value) -> (String, Value) {
    let outcome = outcome_in(cluster, changes);
    let Readiness::Failed(why) = outcome.readiness.clone() else { panic!("{outcome:?}") };
    let (supported, reason, message) = condition(&outcome, "Supported");
    assert_eq!((&outcome.desired, supported, reason.as_str()), (&None, Some(false), "Invalid"));
    assert!(message.contains(&why), "{message}");
    (why, outcome.status.unwrap())
}

fn condition(outcome: &Outcome, kind: &str) -> (Option<bool>, String, String) {
    let found = outcome.conditions.iter().find(|own| own.kind == kind).unwrap();
    (found.status, found.reason.clone(), found.message.clone())
}
