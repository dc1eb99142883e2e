//! A reconciler that passes its native tests does not fail in the host.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use std::time::Duration;

use super::*;
use crate::describe::config_schema;
use crate::{AccessError, Deletion, Description, Kind, ObjectRef, Patch, Query, Readiness, cluster};

const TEAM: &str = "{apiVersion: example.com/v1, kind: Team, metadata: {name: a, namespace: ns}, spec: {}}";
const PODS: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: ns, labels: {mesh: 'yes'}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: ns, labels: {app: x}}, \
    spec: {nodeName: n1, hostNetwork: true}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns, labels: {app: y}}, spec: {nodeName: n1}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: other, labels: {app: x}}, spec: {nodeName: m1}}
";

fn pod() -> Kind {
    Kind::new("v1", "Pod")
}

fn service() -> Kind {
    Kind::new("v1", "Service")
}

/// What is tried within a call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
enum Try {
    Get { kind: String, name: String, fields: Option<String> },
    Names { namespace: Option<String>, labels: String, namespace_labels: String },
    Serves { kind: String },
    Undeclared,
    Predecessors,
    Writes,
}

/// Tries one thing and reports the result in its status.
struct Tries;

impl Reconciler for Tries {
    type Spec = Value;
    type Config = Try;

    fn describe() -> Description {
        Description::new("tries", "0.1.0", "Tries", Kind::new("example.com/v1", "Team"))
            .reads_fields("node", pod(), &["spec.nodeName"], "to try")
            .reads(service(), "to try")
            .reads(Kind::new("v1", "Namespace"), "to try")
            .patches(pod(), "to try")
            .deletes(pod(), "to try")
            .finalizes()
    }

    fn reconcile(request: &Request<Value, Try>) -> Result<Outcome, Failure> {
        let outcome = Outcome::ready();
        Ok(match &request.config {
            Try::Get { kind, name, fields } => {
                let object = ObjectRef::new(Kind::new("v1", kind), Some("ns"), name);
                outcome.status(json!({"got": cluster::get::<Value>(&object, fields.as_deref())?}))
            }
            Try::Names { namespace, labels, namespace_labels } => {
                let query = Query::of(pod()).selector(labels).namespace_selector(namespace_labels).fields("node");
                let query = namespace.iter().fold(query, |query, namespace| query.namespace(namespace));
                let found = cluster::list::<Value>(&query)?;
                assert_eq!(cluster::count(&query)?, found.len() as u64);
                outcome.status(json!({"got": found.iter().map(|pod| &pod["metadata"]["name"]).collect::<Vec<_>>()}))
            }
            Try::Serves { kind } => outcome.status(json!({"got": cluster::serves(&Kind::new("v1", kind))})),
            Try::Undeclared => outcome.desire([crate::object(&service(), Some("ns"), "a", json!({}))]),
            Try::Predecessors => outcome
                .status(json!({"got": request.predecessors.iter().map(|before| &before.name).collect::<Vec<_>>()})),
            Try::Writes => {
                let object = ObjectRef::new(pod(), Some("ns"), "a");
                outcome
                    .patch(Patch::new(object.clone(), json!({"metadata": {"labels": {"a": "b"}}}), "why"))
                    .delete(Deletion::new(object, "u", "why").paced_by("restarts"))
                    .requeue_after(Duration::from_secs(1))
            }
        })
    }

    fn finalize(_: &Request<Value, Try>) -> Result<Outcome, Failure> {
        Ok(Outcome::progressing("not yet"))
    }
}

fn status(cluster: &Cluster, config: &Value) -> Result<Value, Failure> {
    reconcile::<Tries>(cluster, TEAM, config).map(|outcome| outcome.status.unwrap()["got"].take())
}

fn invalid(result: Result<Value, Failure>) -> String {
    let Err(Failure::Invalid(why)) = result else { panic!("not invalid: {result:?}") };
    why
}

#[test]
fn a_field_set_returns_only_its_own_fields() {
    let cluster = Cluster::new().with(PODS);
    let found = status(&cluster, &json!({"get": {"kind": "Pod", "name": "b", "fields": "node"}})).unwrap();
    assert_eq!(found["spec"], json!({"nodeName": "n1"}));
}

#[test]
fn a_kind_that_is_not_declared_can_not_be_read() {
    let cluster = Cluster::new().with(PODS);
    let why = invalid(status(&cluster, &json!({"get": {"kind": "Secret", "name": "b"}})));
    assert!(why.contains("Secret"), "{why}");
    let why = invalid(status(&cluster, &json!({"get": {"kind": "Pod", "name": "b", "fields": "all"}})));
    assert!(why.contains("`all`"), "{why}");
    let why = invalid(status(&cluster, &json!({"get": {"kind": "Pod", "name": "b"}})));
    assert!(why.contains("name one of them"), "{why}");
}

#[test]
fn a_missing_object_is_none_and_an_unavailable_kind_is_a_temporary_failure() {
    let read = json!({"get": {"kind": "Service", "name": "b"}});
    assert_eq!(status(&Cluster::new(), &read), Ok(Value::Null));
    let unavailable = status(&Cluster::new().with_unavailable(service()), &read);
    assert!(matches!(unavailable, Err(Failure::Retry(_))), "{unavailable:?}");
    let unserved = Cluster::new().without_kind(service());
    assert!(matches!(status(&unserved, &read), Err(Failure::Retry(_))));
    assert_eq!(status(&unserved, &json!({"serves": {"kind": "Service"}})), Ok(json!(false)));
    assert_eq!(status(&unserved, &json!({"serves": {"kind": "Pod"}})), Ok(json!(true)));
}

#[test]
fn a_list_is_filtered_by_namespace_and_labels_and_ordered() {
    let cluster = Cluster::new().with(PODS);
    let names = |namespace: Option<&str>, labels: &str, namespace_labels: &str| {
        let query = json!({"namespace": namespace, "labels": labels, "namespace_labels": namespace_labels});
        status(&cluster, &json!({"names": query})).unwrap()
    };
    assert_eq!(names(None, "", ""), json!(["a", "b", "a"]));
    assert_eq!(names(Some("ns"), "", ""), json!(["a", "b"]));
    assert_eq!(names(None, "app=x", ""), json!(["b", "a"]));
    assert_eq!(names(None, "app=x", "mesh=yes"), json!(["b"]));
    let why = invalid(status(&cluster, &json!({"names": {"labels": "a in", "namespace_labels": ""}})));
    assert!(!why.is_empty());
}

#[test]
fn a_reconciler_sees_the_readiness_of_its_predecessors() {
    let before = vec![Predecessor { name: "mtls".into(), readiness: Readiness::Ready }];
    let outcome = reconcile_after::<Tries>(before, &Cluster::new(), TEAM, &json!("predecessors")).unwrap();
    assert_eq!(outcome.status, Some(json!({"got": ["mtls"]})));
}

#[test]
fn patches_and_deletions_are_in_the_outcome() {
    let outcome = reconcile::<Tries>(&Cluster::new(), TEAM, &json!("writes")).unwrap();
    assert_eq!(outcome.patches[0].fragment, json!({"metadata": {"labels": {"a": "b"}}}));
    assert_eq!((&*outcome.deletions[0].uid, outcome.deletions[0].pace.as_deref()), ("u", Some("restarts")));
    assert_eq!(outcome.desired, None, "nothing is pruned without a complete set");
    assert_eq!(outcome.requeue_after, Some(Duration::from_secs(1)));
}

#[test]
#[should_panic(expected = "applies")]
fn an_object_of_a_kind_that_is_not_declared_ends_the_test() {
    drop(reconcile::<Tries>(&Cluster::new(), TEAM, &json!("undeclared")));
}

#[test]
fn finalize_differs_from_reconcile() {
    let outcome = finalize::<Tries>(&Cluster::new(), TEAM, &json!("writes")).unwrap();
    assert_eq!(outcome.readiness, Readiness::Progressing("not yet".into()));
}

#[test]
fn an_error_says_whether_the_configuration_or_the_subject_is_invalid() {
    let why = invalid(status(&Cluster::new(), &json!({"gte": {}})));
    assert!(why.starts_with("the configuration: ") && why.contains("gte"), "{why}");
    let Err(Failure::Invalid(why)) = reconcile::<Tries>(&Cluster::new(), "{kind: Team}", &json!("writes")) else {
        panic!()
    };
    assert!(why.starts_with("the subject: "), "{why}");
}

#[test]
fn nothing_can_be_read_outside_of_a_call() {
    let object = ObjectRef::new(service(), None, "a");
    assert!(matches!(cluster::get::<Value>(&object, None), Err(AccessError::Unavailable(_))));
}

#[test]
fn the_schema_of_a_configuration_has_no_references() {
    /// Contains another type.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Outer {
        inner: Vec<Try>,
    }
    let schema = config_schema::<Outer>().to_string();
    assert!(!schema.contains("$ref") && schema.contains("predecessors"), "{schema}");
}
