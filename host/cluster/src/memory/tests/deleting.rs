//! Deletion, finalizers and garbage collection.

use mizzen_model::{Fields, Kind, ObjectRef};
use serde_json::json;

use super::{apply, document, memory, shop};
use crate::{Change, Cluster, ReadError, Scope, View, WriteError};

#[tokio::test]
async fn a_dependent_is_deleted_with_its_last_owner() {
    let memory = memory();
    let owner = apply(&memory, "one", &document(json!({})), false).await.unwrap();
    let owners = json!([{"apiVersion": "example.com/v1", "kind": "Shop", "name": "x", "uid": owner.uid}]);
    let metadata = json!({"name": "c", "namespace": "a", "ownerReferences": owners});
    let dependent = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
    memory.put("x", &dependent).unwrap();
    memory.remove(&shop());
    assert_eq!(memory.find(&ObjectRef::new(Kind::new("v1", "ConfigMap"), Some("a"), "c")), None);
}

#[tokio::test]
async fn a_finalizer_delays_the_deletion_until_it_is_removed() {
    let memory = memory();
    let object = apply(&memory, "one", &document(json!({})), false).await.unwrap();
    memory.add_finalizer(&shop(), &object.uid, "a/b").await.unwrap();
    memory.delete(&shop(), &object.uid, None).await.unwrap();
    assert!(memory.find(&shop()).unwrap()["metadata"]["deletionTimestamp"].is_string());
    memory.remove_finalizer(&shop(), &object.uid, "a/b").await.unwrap();
    assert_eq!(memory.find(&shop()), None);
}

#[tokio::test]
async fn adding_a_present_finalizer_or_removing_an_absent_one_is_not_a_write() {
    let memory = memory();
    let uid = apply(&memory, "one", &document(json!({})), false).await.unwrap().uid.clone();
    memory.take_writes();
    memory.remove_finalizer(&shop(), &uid, "a/b").await.unwrap();
    memory.remove_finalizer(&shop(), "another", "a/b").await.unwrap();
    assert!(memory.take_writes().is_empty());
    assert!(matches!(memory.add_finalizer(&shop(), "another", "a/b").await, Err(WriteError::Stale { .. })));
}

#[tokio::test]
async fn a_finalizer_stays_when_its_reconciler_applies_the_object() {
    let memory = memory();
    let uid = apply(&memory, "one", &document(json!({"a": 1})), false).await.unwrap().uid.clone();
    memory.add_finalizer(&shop(), &uid, "a/b").await.unwrap();
    apply(&memory, "one", &document(json!({})), false).await.unwrap();
    assert_eq!(memory.find(&shop()).unwrap()["metadata"]["finalizers"], json!(["a/b"]));
}

#[tokio::test]
async fn another_object_of_the_same_name_is_not_deleted() {
    let memory = memory();
    apply(&memory, "one", &document(json!({})), false).await.unwrap();
    assert!(matches!(memory.delete(&shop(), "another", None).await, Err(WriteError::Stale { .. })));
    let absent = ObjectRef::new(shop().kind, Some("a"), "absent");
    assert_eq!(memory.delete(&absent, "another", None).await, Ok(()));
}

#[tokio::test]
async fn no_finalizer_can_be_added_to_an_object_that_is_being_deleted() {
    let memory = memory();
    let uid = apply(&memory, "one", &document(json!({})), false).await.unwrap().uid.clone();
    memory.add_finalizer(&shop(), &uid, "a/b").await.unwrap();
    memory.remove(&shop());
    assert!(matches!(memory.add_finalizer(&shop(), &uid, "c/d").await, Err(WriteError::Invalid { .. })));
}

#[tokio::test]
async fn a_dependent_of_two_owners_is_deleted_with_the_second() {
    let memory = memory();
    let mut owners = Vec::new();
    for name in ["x", "y"] {
        let mut owner = document(json!({}));
        owner["metadata"]["name"] = json!(name);
        let uid = apply(&memory, "one", &owner, false).await.unwrap().uid.clone();
        owners.push(json!({"apiVersion": "example.com/v1", "kind": "Shop", "name": name, "uid": uid}));
    }
    let dependent = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "c", "namespace": "a", "ownerReferences": owners}});
    memory.put("x", &dependent).unwrap();
    let reference = ObjectRef::new(Kind::new("v1", "ConfigMap"), Some("a"), "c");
    memory.remove(&shop());
    assert_eq!(memory.find(&reference).unwrap()["metadata"]["ownerReferences"], json!([owners[1]]));
    memory.remove(&ObjectRef::new(shop().kind, Some("a"), "y"));
    assert_eq!(memory.find(&reference), None);
}

#[tokio::test]
async fn deleting_a_namespace_deletes_its_objects() {
    let memory = memory();
    apply(&memory, "one", &document(json!({})), false).await.unwrap();
    memory.put("x", &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})).unwrap();
    memory.remove(&ObjectRef::new(Kind::new("v1", "Namespace"), None, "a"));
    assert_eq!(memory.find(&shop()), None);
}

#[tokio::test]
async fn deleting_a_crd_deletes_the_objects_of_its_kind() {
    let memory = memory();
    apply(&memory, "one", &document(json!({})), false).await.unwrap();
    memory.watch(View { kind: shop().kind, scope: Scope::All, fields: Fields::Whole }).await.unwrap();
    let mut changes = memory.subscribe();
    let definition = Kind::new("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    memory.remove(&ObjectRef::new(definition, None, "shops.example.com"));
    assert!(matches!(changes.try_recv(), Ok(Change::Object { before: Some(_), after: None, .. })));
    assert!(matches!(changes.try_recv(), Ok(Change::Served(kind)) if kind == shop().kind));
    assert_eq!(memory.get(Scope::All, &shop()), Err(ReadError::NotServed(shop().kind)));
}

#[tokio::test]
async fn a_deletion_of_one_version_spares_a_later_one() {
    let memory = memory();
    let object = apply(&memory, "m", &document(json!({"a": "1"})), false).await.unwrap();
    memory.edit("user", &shop(), |document| document["metadata"]["labels"] = json!({"a": "b"})).unwrap();
    let deleted = memory.delete(&shop(), &object.uid, Some(object.resource_version)).await;
    assert!(matches!(deleted, Err(WriteError::Stale { .. })));
    let version = memory.lookup(&shop()).await.unwrap().unwrap().object.resource_version;
    assert_eq!(memory.delete(&shop(), &object.uid, Some(version)).await, Ok(()));
    assert!(memory.find(&shop()).is_none());
}
