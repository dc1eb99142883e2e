//! What an API's author and its callers can rely on.
//!
//! The original is the TM Forum ODA Canvas's API operator for Istio and Prometheus.
//!
//! | what it does | test |
//! |---|---|
//! | a VirtualService by the API's name, at the component gateway | `routes::an_api_gets_a_route_of_its_name_through_the_component_gateway` |
//! | the public host name for APIs that name none | `routes::the_api_s_hostname_goes_before_the_public_one` |
//! | every served version, and the predecessor `API` | `routes::each_version_and_the_older_kind_is_published_alike` |
//! | `openapi` and `mcp` are routed, `prometheus` and `openmetrics` scraped as well | `scraping::metrics_are_scraped` |
//! | `basicAuth` in the ServiceMonitor | `scraping::whoever_scrapes_says_who_it_is_by_a_secret_that_we_never_read` |
//! | DataDog's and `prometheus.io`'s annotations | the plugin `metrics-annotations` |
//! | url, developer UI, address and readiness in the status | `status::the_status_says_where_the_api_is` |
//! | an address that is an IP, or a host name | `status::an_address_can_be_a_host_name` |
//! | children go with the API | the host's owner references |
//!
//! | where it is wrong | test |
//! |---|---|
//! | 1. never sets ready to false | `status::an_api_whose_endpoints_all_turned_unready_is_not_ready` |
//! | 2. errors never reach the status | `policies::what_can_not_be_done_is_said_with_its_field`, `policies::an_api_that_asks_for_the_impossible_goes_on_telling_whether_it_is_ready` |
//! | 3. creating what exists loops on 409 | the host applies on the server's side: `an_api_gets_a_route…` says only what is wanted |
//! | 4. changes of type, host, developer UI, basicAuth are ignored | `status::a_changed_field_takes_effect`, `scraping::an_api_that_is_no_longer_metrics_is_no_longer_scraped` |
//! | 5. changes of the balancer's address or the Gateway go unnoticed | `status::the_url_follows_the_address_and_the_gateway` |
//! | 6. `/a` takes `/ab`, clashes go unnoticed | `routes::a_path_takes_what_is_below_it_and_not_its_neighbours`, `overlaps::the_same_path_is_a_clash_that_names_both_sides_ours_and_foreign` |
//! | 7. https on an http port | `status::the_url_begins_as_the_gateway_listens`, `address::…` |
//! | 8. annotations of live Pods are lost | the plugin `metrics-annotations` |
//! | 9. policies are silently ignored | `policies::…`, `fields::every_field_is_done_or_named_or_only_describes` |
//! | 10. rights for everything | `policies::it_asks_for_no_more_than_it_uses` |

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

/// The mesh: an ingress gateway with an address, and a Gateway that listens for HTTPS at its usual port.
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

/// The mesh, whose Gateway listens so.
fn listening(protocol: &str, port: u16) -> Cluster {
    mesh().with(&format!(
        "{{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {{name: component-gateway, namespace: canvas}}, \
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

/// Whether the route would take a request's path, by Istio's rules.
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

/// What an API is told that can't be published so: nothing is applied and nothing pruned, and the status is kept.
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
