//! Which reads are allowed, and what they return.

use serde_json::{Value, json};

use super::*;
use crate::{Failure, clock, cluster, log, renderers};

const PODS: &str = "
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns}}
---
{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: ns}}
---
{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: ns}}
";

fn pod() -> Kind {
    Kind::new("v1", "Pod")
}

/// Runs `tries` in a reconciler that declares reads of Pods and Secrets.
fn seen<T>(cluster: &Cluster, function: impl FnOnce() -> T) -> T {
    let description = Description::new("a", "1", "", pod())
        .reads(pod(), "")
        .reads(Kind::new("v1", "Secret"), "")
        .reads_fields("ports", Kind::new("v1", "Service"), &["spec.ports"], "");
    serving(cluster, &description, function)
}

fn names(pods: impl Iterator<Item = Result<Value, AccessError>>) -> Vec<String> {
    pods.map(|pod| pod.unwrap()["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_scan_goes_over_all_pages_and_can_end_early() {
    let cluster = Cluster::new().with(PODS);
    let scan = || cluster::scan::<Value>(&Query::of(pod())).unwrap();
    assert_eq!(seen(&cluster, || names(scan())), ["a", "b", "c"]);
    assert_eq!(seen(&cluster, || names(scan().take(1))), ["a"]);
}

#[test]
fn a_secret_can_not_be_read_even_if_declared() {
    let secret = ObjectRef::new(Kind::new("v1", "Secret"), Some("ns"), "a");
    let result = seen(&Cluster::new(), || cluster::get::<Value>(&secret, None));
    assert!(matches!(result, Err(AccessError::Denied(why)) if why.contains("credential")));
}

#[test]
fn a_kind_must_be_declared_before_it_is_looked_up() {
    let serves = |kind: Kind| seen(&Cluster::new(), || cluster::serves(&kind));
    assert!(serves(pod()));
    let job = std::panic::catch_unwind(|| serves(Kind::new("batch/v1", "Job")));
    assert_eq!(
        *job.unwrap_err().downcast::<String>().unwrap(),
        "`serves` of batch/v1 Job, which `describe` does not declare"
    );
}

#[test]
fn a_field_set_belongs_to_one_kind() {
    let result = seen(&Cluster::new(), || cluster::count(&Query::of(pod()).fields("ports")));
    assert_eq!(result, Err(AccessError::Invalid("field set `ports` is of Service, not of Pod".into())));
}

fn ports(values: &[(&str, Text)]) -> Query {
    Query::of(Kind::new("v1", "Service")).fields("ports").where_any(values.iter().cloned())
}

#[test]
fn objects_are_found_by_a_text_in_one_of_their_fields() {
    let cluster = Cluster::new().with(
        "
{apiVersion: v1, kind: Service, metadata: {name: a, namespace: ns}, \
    spec: {ports: [{name: http, port: 80}, {name: tls}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: b, namespace: ns}, spec: {ports: [{name: http-alt}]}}
",
    );
    let count = |values: &[(&str, Text)]| seen(&cluster, || cluster::count(&ports(values))).unwrap();
    let name = "spec.ports[*].name";
    assert_eq!(count(&[(name, Text::equals("http"))]), 1);
    assert_eq!(count(&[(name, Text::starts_with("http"))]), 2);
    assert_eq!(count(&[(name, Text::equals("http-alt")), (name, Text::prefix_of("tls-1"))]), 2);
    assert_eq!(count(&[("spec.ports[*].port", Text::equals("80"))]), 0, "a number is not a text");
    assert_eq!(count(&[]), 0, "any of none");
}

#[test]
fn only_returned_fields_can_be_searched() {
    let cluster = Cluster::new();
    let error = |query: Query| seen(&cluster, || cluster::count(&query)).unwrap_err().to_string();
    assert!(error(ports(&[("spec.type", Text::equals("x"))])).contains("`spec.type`, which field set `ports`"));
    assert!(error(ports(&[("spec..x", Text::equals("x"))])).contains("empty step"));
    assert!(error(Query::of(pod()).where_any([("spec.x", Text::equals("x"))])).contains("need a field set"));
    assert!(error(ports(&vec![("spec.ports", Text::equals("x")); 65])).contains("the limit is 64"));
}

#[test]
fn selecting_by_namespace_labels_reads_namespaces() {
    let query = Query::of(pod()).namespace_selector("mesh=yes");
    let result = seen(&Cluster::new(), || cluster::count(&query));
    assert!(matches!(result, Err(AccessError::Denied(why)) if why.contains("Namespace")));
}

#[test]
fn the_test_sets_the_time() {
    let later = Cluster::new().at(Duration::from_micros(7_500));
    assert_eq!(seen(&later, clock::now), Duration::from_millis(7));
    log::write(Level::Debug, "a log line returns nothing", &[("pods", &3)]);
}

/// A cluster whose renderer makes a ConfigMap of a document's `name`.
fn rendering() -> Cluster {
    Cluster::new().with_renderer("maps", &[("example.com/version", "1")], |document| match &document["name"] {
        Value::String(name) => Ok(vec![crate::object(&Kind::new("v1", "ConfigMap"), None, name, json!({}))]),
        _ => Err(RenderError::Rejected("`name` is missing".into())),
    })
}

#[test]
fn a_renderer_is_chosen_by_its_labels_and_returns_objects_or_an_error() {
    let description = Description::new("a", "1", "", pod()).renderer("maps");
    serving(&rendering(), &description, || {
        let chosen = renderers::available().remove(0);
        assert_eq!(chosen.labels["example.com/version"], "1");
        assert_eq!(renderers::render(&chosen.name, &json!({"name": "m"})).unwrap()[0]["metadata"]["name"], "m");
        let rejected = renderers::render("maps", &json!({}));
        assert_eq!(rejected, Err(RenderError::Rejected("`name` is missing".into())));
        assert_eq!(Failure::from(rejected.unwrap_err()), Failure::Invalid("`name` is missing".into()));
        assert!(matches!(
            renderers::render("charts", &json!({})),
            Err(RenderError::Access(AccessError::Denied(why))) if why.contains("`charts` is not granted")
        ));
    });
}

#[test]
fn a_reconciler_that_does_not_declare_renderers_has_none() {
    seen(&rendering(), || {
        assert!(renderers::available().is_empty());
        let denied = renderers::render("maps", &json!({"name": "m"}));
        assert!(matches!(denied, Err(RenderError::Access(AccessError::Denied(why))) if why.contains("describe")));
    });
}

#[test]
fn a_reconciler_that_panics_leaves_no_state_behind() {
    let cluster = Cluster::new().with(PODS);
    let panicked = std::panic::catch_unwind(|| seen(&cluster, || assert_eq!(cluster::count(&Query::of(pod())), Ok(0))));
    assert!(panicked.is_err());
    assert!(matches!(cluster::count(&Query::of(pod())), Err(AccessError::Unavailable(_))));
}
