//! Loading documents into a cluster in memory.

use std::path::Path;

use mizzen_model::{Kind, ObjectRef, yaml};
use serde_json::json;

use super::{TYPED, VERSIONS, apply, document};
use crate::memory::Memory;
use crate::{ForeignField, WriteError};

fn errors(text: &str) -> Vec<String> {
    let documents = yaml::parse(Path::new("shops.yaml"), text).unwrap();
    let found = Memory::from_documents(&documents).err().unwrap_or_default();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn every_invalid_document_is_reported_with_line_object_and_field() {
    let text = format!(
        "{TYPED}---
apiVersion: example.com/v1
kind: Shop
metadata: {{name: one, namespace: a}}
spec: {{size: big, color: red}}
---
apiVersion: example.com/v1
kind: Mall
metadata: {{name: two}}
"
    );
    let first = TYPED.lines().count() + 2;
    let expected = [
        format!(r#"shops.yaml:{}: Shop a/one: `spec.size` "big" is not of type "integer""#, first + 3),
        format!(
            "shops.yaml:{}: Mall two: example.com/v1 Mall is not served: it is not built in, and its CRD is not among \
             the documents; add the CRD, or leave the object out",
            first + 5
        ),
    ];
    assert_eq!(errors(&text), expected);
}

#[test]
fn every_problem_of_an_invalid_crd_is_reported() {
    let text = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops}
spec: {group: example.com, names: {kind: Shop}, versions: [{name: v1}]}
";
    let fields = ["`metadata.name`", "`spec.names.plural`", "`spec.scope`"];
    let errors = errors(text);
    assert!(fields.iter().all(|field| errors.iter().any(|error| error.contains(field))), "{errors:#?}");
}

#[test]
fn crds_apply_whatever_their_place_among_the_documents() {
    let shop = "apiVersion: example.com/v1\nkind: Shop\nmetadata: {name: x, namespace: a}\n";
    assert_eq!(errors(&format!("{shop}---{TYPED}")), [""; 0]);
}

#[test]
fn crds_can_be_given_separately() {
    let shop = "apiVersion: example.com/v1\nkind: Shop\nmetadata: {name: x, namespace: a}\nspec: {unknown: 1}\n";
    let documents = yaml::parse(Path::new("shops.yaml"), shop).unwrap();
    let crds = yaml::parse(Path::new("crds.yaml"), TYPED).unwrap();
    let memory = Memory::from_documents_with(&documents, &crds).unwrap();
    let spec = &memory.find(&super::shop()).unwrap()["spec"];
    assert_eq!(spec, &json!({"size": 1}), "an unknown field is dropped, and a missing field has its default");
}

#[test]
fn a_crd_with_a_conversion_webhook_serves_only_the_stored_version() {
    let memory = Memory::from_yaml(&VERSIONS.replace("scope:", "conversion: {strategy: Webhook}\n  scope:")).unwrap();
    let served =
        |version: &str| memory.state().kinds.get(&Kind::new(format!("example.com/{version}"), "Shop")).is_some();
    assert_eq!(["v1", "v2"].map(served), [true, false]);
}

#[test]
fn an_object_without_a_namespace_is_in_the_default_namespace() {
    let memory =
        Memory::from_yaml("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, creationTimestamp: null}\n").unwrap();
    assert!(memory.find(&ObjectRef::new(Kind::new("v1", "ConfigMap"), Some("default"), "c")).is_some());
}

#[tokio::test]
async fn fields_of_a_file_are_owned_by_the_file_manager() {
    let shop = "apiVersion: example.com/v1\nkind: Shop\nmetadata: {name: x, namespace: a}\nspec: {size: 2}\n";
    let memory = Memory::from_yaml(&format!("{TYPED}---\n{shop}")).unwrap();
    let conflict = apply(&memory, "one", &document(json!({"size": 3})), false).await.unwrap_err();
    let WriteError::Conflict { fields, .. } = conflict else { panic!("{conflict}") };
    assert_eq!(fields, [ForeignField { field: ".spec.size".into(), manager: "file".into(), applied: false }]);
}

#[tokio::test]
async fn the_managed_fields_of_an_exported_object_are_kept() {
    let shop = r#"
apiVersion: example.com/v1
kind: Shop
metadata:
  name: x
  namespace: a
  generation: 7
  managedFields:
    - {manager: theirs, operation: Apply, apiVersion: example.com/v1, fieldsV1: {"f:spec": {"f:size": {}}}}
spec: {size: 2}
"#;
    let memory = Memory::from_yaml(&format!("{TYPED}---{shop}")).unwrap();
    let conflict = apply(&memory, "one", &document(json!({"size": 3})), false).await.unwrap_err();
    let WriteError::Conflict { fields, .. } = conflict else { panic!("{conflict}") };
    assert_eq!(fields, [ForeignField { field: ".spec.size".into(), manager: "theirs".into(), applied: true }]);
    apply(&memory, "theirs", &document(json!({})), false).await.unwrap();
    let after = memory.find(&super::shop()).unwrap();
    assert_eq!((&after["spec"]["size"], &after["metadata"]["generation"]), (&json!(1), &json!(8)));
}

#[test]
fn fields_that_the_schema_does_not_declare_are_dropped_and_named_with_their_line() {
    let shop =
        "apiVersion: example.com/v1\nkind: Shop\nmetadata: {name: x, namespace: a}\nx-help: 1\nspec:\n  sice: 2\n";
    let documents = yaml::parse(Path::new("x.yaml"), &format!("{TYPED}---\n{shop}")).unwrap();
    let warnings = Memory::load_documents(&documents).unwrap().warnings;
    let first = TYPED.lines().count() + 2;
    let found: Vec<_> = warnings.iter().map(|warning| (warning.line, &*warning.field)).collect();
    assert_eq!(found, [(first + 3, "x-help"), (first + 5, "spec.sice")]);
    assert!(warnings[1].to_string().contains("Shop a/x: `spec.sice` is not declared in the schema"), "{}", warnings[1]);
}
