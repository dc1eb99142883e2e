use mizzen_model::Fields;
use serde_json::json;

use super::*;
use crate::{Change, ForeignField, Target};

const CRD: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Shop, plural: shops}
  versions:
    - name: v1
      served: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          properties:
            status: {properties: {conditions: {x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [type]}}}
";

fn shop() -> ObjectRef {
    ObjectRef::new(Kind::new("example.com/v1", "Shop"), Some("a"), "x")
}

fn document(spec: Value) -> Value {
    let mut document =
        json!({"apiVersion": "example.com/v1", "kind": "Shop", "metadata": {"name": "x", "namespace": "a"}});
    document["spec"] = spec;
    document
}

fn memory() -> Memory {
    Memory::from_yaml(CRD).unwrap()
}

async fn apply(memory: &Memory, manager: &str, document: &Value, force: bool) -> Result<Arc<Object>, WriteError> {
    memory.apply(Apply { manager, document, target: Target::Object, force }).await
}

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
async fn an_edit_is_told_from_a_claim() {
    let memory = memory();
    apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap();
    memory.edit("kubectl-edit", &shop(), |shop| shop["spec"]["a"] = json!(9)).unwrap();
    let conflict = apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap_err();
    assert!(
        matches!(conflict, WriteError::Conflict { fields, .. } if fields.iter().all(|f| !f.applied && f.manager == "kubectl-edit"))
    );
}

#[tokio::test]
async fn conditions_of_two_managers_stand_side_by_side() {
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
async fn the_generation_counts_wishes_and_not_statuses() {
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
async fn an_apply_that_changes_nothing_is_no_write() {
    let memory = memory();
    apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap();
    memory.take_writes();
    apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap();
    assert!(memory.take_writes().is_empty());
}

#[tokio::test]
async fn a_kind_without_a_definition_is_not_served() {
    let memory = Memory::new();
    let error = apply(&memory, "one", &document(json!({})), false).await.unwrap_err();
    assert!(matches!(error, WriteError::NotFound { .. }), "{error}");
    let view = View { kind: shop().kind, scope: Scope::All, fields: Fields::Whole };
    assert_eq!(memory.watch(view).await, Err(ReadError::NotServed(shop().kind)));
}

#[tokio::test]
async fn what_its_last_owner_leaves_behind_goes_too() {
    let memory = memory();
    let owner = apply(&memory, "one", &document(json!({})), false).await.unwrap();
    let dependent = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "a", "ownerReferences": [
        {"apiVersion": "example.com/v1", "kind": "Shop", "name": "x", "uid": owner.uid}]}});
    memory.put("x", &dependent).unwrap();
    memory.remove(&shop());
    assert_eq!(memory.find(&ObjectRef::new(Kind::new("v1", "ConfigMap"), Some("a"), "c")), None);
}

#[tokio::test]
async fn a_finalizer_keeps_an_object_until_it_is_taken_off() {
    let memory = memory();
    let object = apply(&memory, "one", &document(json!({})), false).await.unwrap();
    memory.set_finalizer(&shop(), &object.uid, "a/b", true).await.unwrap();
    memory.delete(&shop(), &object.uid).await.unwrap();
    assert!(memory.find(&shop()).unwrap()["metadata"]["deletionTimestamp"].is_string());
    memory.set_finalizer(&shop(), &object.uid, "a/b", false).await.unwrap();
    assert_eq!(memory.find(&shop()), None);
}

#[tokio::test]
async fn a_watcher_sees_a_change_of_the_fields_it_keeps_and_no_other() {
    let memory = memory();
    apply(&memory, "one", &document(json!({"a": 1, "b": 1})), false).await.unwrap();
    memory
        .watch(View { kind: shop().kind, scope: Scope::All, fields: Fields::parse(["spec.a"]).unwrap() })
        .await
        .unwrap();
    let mut changes = memory.subscribe();
    apply(&memory, "one", &document(json!({"a": 1, "b": 2})), false).await.unwrap();
    assert!(changes.try_recv().is_err());
    apply(&memory, "one", &document(json!({"a": 2, "b": 2})), false).await.unwrap();
    assert!(matches!(changes.try_recv(), Ok(Change::Object { before: Some(_), after: Some(_), .. })));
}
