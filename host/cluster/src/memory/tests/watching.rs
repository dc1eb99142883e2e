//! Views and their changes.

use std::path::Path;

use mizzen_model::{Fields, Kind, ObjectRef, yaml};
use serde_json::json;

use super::{CRD, VERSIONS, apply, document, memory, shop};
use crate::memory::Memory;
use crate::{Change, Cluster, RECONCILER_LABEL, ReadError, Scope, Selection, View, WriteError};

#[tokio::test]
async fn a_kind_without_a_crd_is_not_served() {
    let memory = Memory::new();
    let error = apply(&memory, "one", &document(json!({})), false).await.unwrap_err();
    assert!(matches!(error, WriteError::NotFound { .. }), "{error}");
    let view = View { kind: shop().kind, scope: Scope::All, fields: Fields::Whole };
    assert_eq!(memory.watch(view).await, Err(ReadError::NotServed(shop().kind)));
}

#[tokio::test]
async fn a_view_reports_changes_of_its_fields_and_no_others() {
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

#[tokio::test]
async fn a_view_of_a_kind_that_is_not_served_starts_with_its_crd() {
    let memory = Memory::new();
    let view = View { kind: shop().kind, scope: Scope::All, fields: Fields::Whole };
    memory.watch(view).await.unwrap_err();
    let mut changes = memory.subscribe();
    for document in yaml::parse(Path::new("crd.yaml"), CRD).unwrap() {
        memory.put("x", &document.value).unwrap();
    }
    assert!(matches!(changes.try_recv(), Ok(Change::Served(kind)) if kind == shop().kind));
    apply(&memory, "one", &document(json!({})), false).await.unwrap();
    assert!(matches!(changes.try_recv(), Ok(Change::Object { before: None, .. })));
    assert!(memory.get(Scope::All, &shop()).unwrap().is_some());
}

#[tokio::test]
async fn changes_while_a_kind_can_not_be_read_are_reported_when_it_can() {
    let memory = memory();
    memory.watch(View { kind: shop().kind, scope: Scope::All, fields: Fields::Whole }).await.unwrap();
    let away = ReadError::Unavailable { kind: shop().kind, message: "away".into() };
    memory.fail_reads(&shop().kind, Some(away.clone()));
    let mut changes = memory.subscribe();
    apply(&memory, "one", &document(json!({})), false).await.unwrap();
    assert_eq!(memory.get(Scope::All, &shop()), Err(away));
    assert!(changes.try_recv().is_err());
    memory.fail_reads(&shop().kind, None);
    assert!(matches!(changes.try_recv(), Ok(Change::Object { before: None, .. })));
    assert!(matches!(changes.try_recv(), Ok(Change::Served(_))));
    assert!(memory.get(Scope::All, &shop()).unwrap().is_some());
}

#[tokio::test]
async fn a_view_is_widened_and_never_narrowed() {
    let memory = memory();
    apply(&memory, "one", &document(json!({"a": 1, "b": 2})), false).await.unwrap();
    for (path, spec) in
        [("spec.a", json!({"a": 1})), ("spec.b", json!({"a": 1, "b": 2})), ("spec.a", json!({"a": 1, "b": 2}))]
    {
        memory
            .watch(View { kind: shop().kind, scope: Scope::All, fields: Fields::parse([path]).unwrap() })
            .await
            .unwrap();
        assert_eq!(memory.get(Scope::All, &shop()).unwrap().unwrap().value()["spec"], spec);
    }
}

#[tokio::test]
async fn objects_with_the_reconciler_label_are_in_the_owned_view() {
    let memory = memory();
    memory.watch(View { kind: shop().kind, scope: Scope::Owned, fields: Fields::Whole }).await.unwrap();
    let mut changes = memory.subscribe();
    apply(&memory, "one", &document(json!({})), false).await.unwrap();
    assert!(changes.try_recv().is_err());
    memory.edit("x", &shop(), |shop| shop["metadata"]["labels"] = json!({RECONCILER_LABEL: "r"})).unwrap();
    assert!(matches!(changes.try_recv(), Ok(Change::Object { before: None, after: Some(_), scope: Scope::Owned })));
    memory.edit("x", &shop(), |shop| shop["metadata"]["labels"] = json!({})).unwrap();
    assert!(matches!(changes.try_recv(), Ok(Change::Object { before: Some(_), after: None, .. })));
    assert!(memory.list(Scope::Owned, &shop().kind, &Selection::default()).unwrap().is_empty());
}

#[tokio::test]
async fn an_object_is_readable_in_every_served_version() {
    let memory = Memory::from_yaml(VERSIONS).unwrap();
    let of = |version: &str| ObjectRef::new(Kind::new(format!("example.com/{version}"), "Shop"), Some("a"), "x");
    for version in ["v1", "v2"] {
        memory.watch(View { kind: of(version).kind, scope: Scope::All, fields: Fields::Whole }).await.unwrap();
    }
    let mut changes = memory.subscribe();
    let mut document = document(json!({"a": 1}));
    document["apiVersion"] = json!("example.com/v2");
    let applied = apply(&memory, "one", &document, false).await.unwrap();
    assert_eq!(applied.reference, of("v2"));
    for _ in ["v1", "v2"] {
        assert!(matches!(changes.try_recv(), Ok(Change::Object { before: None, .. })));
    }
    for version in ["v1", "v2"] {
        let object = memory.get(Scope::All, &of(version)).unwrap().unwrap();
        assert_eq!((object.reference.clone(), object.value()["spec"].clone()), (of(version), json!({"a": 1})));
    }
    assert_eq!(memory.objects().iter().filter(|(object, _)| &*object.kind.name == "Shop").count(), 1);
    assert!(memory.facts(&of("v3").kind).await.is_err(), "v3 is defined, but not served");
}
