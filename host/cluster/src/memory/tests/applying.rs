//! Server-side apply.

use mizzen_model::{Kind, ObjectRef};
use serde_json::{Value, json};

use super::{TYPED, apply, document, memory, shop};
use crate::memory::Memory;
use crate::{Apply, Cluster, ForeignField, Target, WriteError};

#[tokio::test]
async fn two_managers_do_not_erase_each_other() {
    let memory = memory();
    apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap();
    apply(&memory, "two", &document(json!({"b": 2})), false).await.unwrap();
    apply(&memory, "one", &document(json!({"c": 3})), false).await.unwrap();
    assert_eq!(memory.find(&shop()).unwrap()["spec"], json!({"b": 2, "c": 3}));
}

#[tokio::test]
async fn a_conflict_names_the_field_and_its_owner_and_force_takes_it() {
    let memory = memory();
    apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap();
    let conflict = apply(&memory, "two", &document(json!({"a": 2})), false).await.unwrap_err();
    let field = ForeignField { field: ".spec.a".into(), manager: "one".into(), applied: true };
    assert_eq!(
        conflict,
        WriteError::Conflict { object: shop().to_string(), manager: "two".into(), fields: vec![field] }
    );
    apply(&memory, "two", &document(json!({"a": 2})), true).await.unwrap();
    assert_eq!(memory.find(&shop()).unwrap()["spec"], json!({"a": 2}));
}

#[tokio::test]
async fn an_edited_field_differs_from_an_applied_one() {
    let memory = memory();
    apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap();
    memory.edit("kubectl-edit", &shop(), |shop| shop["spec"]["a"] = json!(9)).unwrap();
    let conflict = apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap_err();
    let WriteError::Conflict { fields, .. } = conflict else { panic!("{conflict}") };
    assert!(fields.iter().all(|field| !field.applied && field.manager == "kubectl-edit"), "{fields:?}");
}

#[tokio::test]
async fn each_of_two_managers_keeps_its_own_conditions() {
    let memory = memory();
    apply(&memory, "one", &document(json!({})), false).await.unwrap();
    for manager in ["one", "two"] {
        let mut document = document(json!({}));
        document["status"] = json!({"conditions": [{"type": manager, "status": "True"}]});
        memory.apply(Apply { manager, document: &document, target: Target::Status, force: false }).await.unwrap();
    }
    let status = memory.find(&shop()).unwrap()["status"].clone();
    assert_eq!(status, json!({"conditions": [{"type": "one", "status": "True"}, {"type": "two", "status": "True"}]}));
}

#[tokio::test]
async fn the_generation_counts_changes_of_the_spec_and_not_of_the_status() {
    let memory = memory();
    apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap();
    let mut status = document(json!({}));
    status["status"] = json!({"ready": true});
    memory.apply(Apply { manager: "one", document: &status, target: Target::Status, force: false }).await.unwrap();
    assert_eq!(memory.find(&shop()).unwrap()["metadata"]["generation"], 1);
    let object = apply(&memory, "one", &document(json!({"a": 2})), false).await.unwrap();
    assert_eq!(object.generation, 2);
}

#[tokio::test]
async fn an_apply_that_changes_nothing_is_not_a_write() {
    let memory = memory();
    apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap();
    memory.take_writes();
    apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap();
    assert!(memory.take_writes().is_empty());
}

#[tokio::test]
async fn a_field_is_removed_when_its_last_manager_stops_applying_it() {
    let memory = memory();
    apply(&memory, "one", &document(json!({"a": 1, "b": 1})), false).await.unwrap();
    apply(&memory, "two", &document(json!({"a": 1})), false).await.unwrap();
    apply(&memory, "one", &document(json!({"b": 1})), false).await.unwrap();
    assert_eq!(memory.find(&shop()).unwrap()["spec"], json!({"a": 1, "b": 1}));
    apply(&memory, "two", &document(json!({})), false).await.unwrap();
    assert_eq!(memory.find(&shop()).unwrap()["spec"], json!({"b": 1}));
}

#[tokio::test]
async fn two_managers_own_containers_separately_and_a_selector_only_as_a_whole() {
    let memory = Memory::new();
    let deployment = |spec: Value| {
        let mut document =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "a"}});
        document["spec"] = spec;
        document
    };
    let container = |variable: &str| {
        let containers = json!([{"name": "c", "env": [{"name": variable, "value": "1"}]}]);
        json!({"template": {"spec": {"containers": containers}}})
    };
    apply(&memory, "one", &deployment(container("A")), false).await.unwrap();
    apply(&memory, "two", &deployment(container("B")), false).await.unwrap();
    let reference = ObjectRef::new(Kind::new("apps/v1", "Deployment"), Some("a"), "d");
    let env = [json!({"name": "A", "value": "1"}), json!({"name": "B", "value": "1"})];
    let containers = &memory.find(&reference).unwrap()["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers, &json!([{"name": "c", "env": env}]));

    let selecting = |app: &str| deployment(json!({"selector": {"matchLabels": {app: "x"}}}));
    apply(&memory, "one", &selecting("a"), false).await.unwrap();
    let conflict = apply(&memory, "two", &selecting("b"), false).await.unwrap_err();
    assert!(
        matches!(&conflict, WriteError::Conflict { fields, .. } if fields[0].field == ".spec.selector"),
        "{conflict}"
    );
}

#[tokio::test]
async fn a_port_without_a_protocol_is_a_tcp_port() {
    let memory = Memory::new();
    let service = |port: Value| {
        let metadata = json!({"name": "s", "namespace": "a"});
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [port]}})
    };
    apply(&memory, "one", &service(json!({"port": 80})), false).await.unwrap();
    let named = service(json!({"port": 80, "protocol": "TCP", "name": "web"}));
    apply(&memory, "two", &named, false).await.unwrap();
    let renamed = service(json!({"port": 80, "protocol": "TCP", "name": "http"}));
    let conflict = apply(&memory, "one", &renamed, false).await.unwrap_err();
    let WriteError::Conflict { fields, .. } = conflict else { panic!("{conflict}") };
    assert_eq!(fields[0].field, r#".spec.ports[port=80,protocol="TCP"].name"#);
}

#[tokio::test]
async fn an_apply_with_a_uid_never_creates() {
    let memory = memory();
    let mut other = document(json!({}));
    other["metadata"]["uid"] = json!("other");
    let stale = |result: Result<_, WriteError>| matches!(result, Err(WriteError::Stale { .. }));
    assert!(stale(apply(&memory, "one", &other, false).await));
    apply(&memory, "one", &document(json!({})), false).await.unwrap();
    assert!(stale(apply(&memory, "one", &other, true).await));
}

fn of_status(document: &Value) -> Apply<'_> {
    Apply { manager: "one", document, target: Target::Status, force: false }
}

#[tokio::test]
async fn an_apply_of_a_status_changes_nothing_else_and_never_creates() {
    let memory = memory();
    let mut whole = document(json!({"a": 1}));
    whole["status"] = json!({"url": "x"});
    whole["metadata"]["labels"] = json!({"a": "b"});
    assert!(matches!(memory.apply(of_status(&whole)).await, Err(WriteError::NotFound { .. })));
    apply(&memory, "one", &whole, false).await.unwrap();
    assert_eq!(memory.find(&shop()).unwrap().get("status"), None);
    whole["spec"] = json!({"a": 2});
    memory.apply(of_status(&whole)).await.unwrap();
    let after = memory.find(&shop()).unwrap();
    assert_eq!((&after["spec"], &after["status"]), (&json!({"a": 1}), &json!({"url": "x"})));
}

#[tokio::test]
async fn an_apply_of_an_unknown_field_is_refused_and_names_the_field() {
    let memory = Memory::from_yaml(TYPED).unwrap();
    for (spec, field) in [(json!({"sise": 1}), "`spec.sise`"), (json!({"size": "big"}), "`spec.size`")] {
        let error = apply(&memory, "one", &document(spec), false).await.unwrap_err();
        assert!(matches!(&error, WriteError::Invalid { message, .. } if message.contains(field)), "{error}");
    }
    let object = apply(&memory, "one", &document(json!({})), false).await.unwrap();
    assert_eq!(object.value()["spec"], json!({"size": 1}), "a missing field has its default");
}

#[tokio::test]
async fn wrong_names_and_labels_are_refused() {
    let memory = memory();
    let cases = [
        ("name", json!("X_y"), "`metadata.name`"),
        ("labels", json!({"a": "b c"}), "`metadata.labels.a`"),
        ("labels", json!({"a": 1}), "`metadata.labels.a`"),
        ("labels", json!({"/a": "b"}), "`metadata.labels['/a']`"),
        ("annotations", json!({"a": true}), "`metadata.annotations.a`"),
        ("ownerReferences", json!([{"uid": "u"}]), "`metadata.ownerReferences[0].kind`"),
    ];
    for (place, value, field) in cases {
        let mut document = document(json!({}));
        document["metadata"][place] = value;
        let error = apply(&memory, "one", &document, false).await.unwrap_err();
        assert!(matches!(&error, WriteError::Invalid { message, .. } if message.contains(field)), "{error}");
    }
}

#[tokio::test]
async fn requests_that_change_nothing_are_counted_too() {
    let memory = memory();
    for _ in 0..2 {
        apply(&memory, "one", &document(json!({})), false).await.unwrap();
    }
    assert_eq!((memory.requests(), memory.take_writes().len()), (2, 1));
}

#[tokio::test]
async fn a_snapshot_is_independent_of_its_original() {
    let memory = memory();
    apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap();
    let snapshot = memory.snapshot();
    assert_eq!(snapshot.objects(), memory.objects());
    apply(&memory, "one", &document(json!({"a": 2})), false).await.unwrap();
    assert_eq!(snapshot.find(&shop()).unwrap()["spec"], json!({"a": 1}));
}
