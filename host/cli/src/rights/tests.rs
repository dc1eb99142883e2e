use std::collections::BTreeMap;
use std::path::PathBuf;

use mizzen_cluster::memory::Memory;
use mizzen_config::{Component, Grant, Grants, Limits, Mode, Origin, Reconciler, Subject};
use mizzen_model::{Access, Description, Kind, Need};
use serde_json::{Value, json};

use super::*;

const THINGS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: thingies.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Thing, plural: thingies}
  versions: [{name: v1, served: true, subresources: {status: {}}, schema: {openAPIV3Schema: {}}}]
";

mod network;

fn thing() -> Kind {
    Kind::new("example.com/v1", "Thing")
}

fn grant(kind: &Kind, namespaces: &[&str]) -> Grant {
    let namespaces = namespaces.iter().map(|&name| name.to_owned()).collect();
    Grant { namespaces, ..Grant::everywhere(kind.clone()) }
}

fn reconciler(grants: Grants) -> Reconciler {
    Reconciler {
        name: "r".into(),
        origin: Origin::Cluster,
        generation: 1,
        component: Component::File(PathBuf::from("r.wasm")),
        subject: Subject::every(thing()),
        after: Vec::new(),
        after_any: Vec::new(),
        config: json!({}),
        grants,
        limits: Limits::default(),
        pace: BTreeMap::new(),
        mode: Mode::Enforce,
    }
}

/// A plugin whose subjects are Things, and which declares all that is granted.
fn description(grants: &Grants) -> Description {
    let needs = [Access::Read, Access::Apply, Access::Patch, Access::Delete].into_iter().flat_map(|access| {
        grants.of(access).iter().map(move |grant| Need { kind: grant.kind.clone(), access, why: String::new() })
    });
    Description {
        name: "r".into(),
        version: "1".into(),
        summary: String::new(),
        subject: thing(),
        config_schema: json!({}),
        needs: needs.collect(),
        field_sets: BTreeMap::new(),
        credentials: Vec::new(),
        http: Vec::new(),
        renderers: Vec::new(),
        finalizes: false,
    }
}

async fn rights(reconciler: &Reconciler) -> Rights {
    let mut rights = Rights::default();
    let definitions = Memory::from_yaml(THINGS).unwrap();
    rights.add(reconciler, &description(&reconciler.grants), &definitions).await;
    rights
}

/// The verbs of a resource; `None`: there is no rule.
fn verbs(rules: &Rules, resource: &str) -> Option<Value> {
    rules
        .value()
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| rule["resources"][0] == resource)
        .map(|rule| rule["verbs"].clone())
}

#[tokio::test]
async fn a_reconciler_that_only_reads_gets_no_right_to_write_but_the_status_of_its_subjects() {
    let grants = Grants { read: vec![grant(&Kind::new("v1", "Service"), &[])], ..Grants::default() };
    let rights = rights(&reconciler(grants)).await;
    assert_eq!(verbs(&rights.cluster, "services"), Some(json!(["list", "watch"])));
    assert_eq!(verbs(&rights.cluster, "thingies"), Some(json!(["list", "watch"])));
    assert_eq!(verbs(&rights.cluster, "thingies/status"), Some(json!(["patch"])));
    assert_eq!(rights.notes.len(), 0, "{:?}", rights.notes);
}

#[tokio::test]
async fn an_applied_kind_may_be_written_and_the_finalizers_of_its_subjects_managed() {
    let grants = Grants { apply: vec![grant(&Kind::new("v1", "ConfigMap"), &[])], ..Grants::default() };
    let rights = rights(&reconciler(grants)).await;
    assert_eq!(
        verbs(&rights.cluster, "configmaps"),
        Some(json!(["get", "list", "watch", "create", "patch", "delete"]))
    );
    assert_eq!(verbs(&rights.cluster, "thingies"), Some(json!(["get", "list", "watch", "patch"])));
}

#[tokio::test]
async fn a_grant_in_namespaces_is_a_role_in_each_for_writing_and_one_in_the_cluster_for_watching() {
    let grants = Grants { apply: vec![grant(&Kind::new("v1", "ConfigMap"), &["a", "b"])], ..Grants::default() };
    let rights = rights(&reconciler(grants)).await;
    assert_eq!(verbs(&rights.cluster, "configmaps"), Some(json!(["list", "watch"])));
    for namespace in ["a", "b"] {
        assert_eq!(
            verbs(&rights.namespaces[namespace], "configmaps"),
            Some(json!(["get", "create", "patch", "delete"]))
        );
    }
    assert!(rights.notes.iter().any(|note| note.contains("watched in the whole cluster")), "{:?}", rights.notes);
}

#[tokio::test]
async fn writing_roles_needs_escalate_and_binding_them_needs_bind_and_both_are_explained() {
    let of = |kind| Kind::new("rbac.authorization.k8s.io/v1", kind);
    let grants =
        Grants { apply: vec![grant(&of("Role"), &["a"]), grant(&of("ClusterRoleBinding"), &[])], ..Grants::default() };
    let rights = rights(&reconciler(grants)).await;
    assert_eq!(verbs(&rights.namespaces["a"], "roles"), Some(json!(["get", "create", "patch", "delete", "escalate"])));
    assert_eq!(verbs(&rights.cluster, "clusterroles"), Some(json!(["bind"])));
    for verb in ["`escalate`", "`bind`"] {
        assert!(rights.notes.iter().any(|note| note.contains(verb)), "{verb}: {:?}", rights.notes);
    }
}

#[tokio::test]
async fn the_resource_name_of_an_undefined_kind_is_guessed_with_a_note() {
    let grants = Grants { delete: vec![grant(&Kind::new("example.com/v1", "Policy"), &[])], ..Grants::default() };
    let rights = rights(&reconciler(grants)).await;
    assert_eq!(verbs(&rights.cluster, "policies"), Some(json!(["list", "watch", "delete"])));
    assert!(rights.notes.iter().any(|note| note.contains("`policies`, is a guess")), "{:?}", rights.notes);
}

#[tokio::test]
async fn a_grant_that_the_plugin_does_not_declare_is_left_out_with_a_note() {
    let grants = Grants { patch: vec![grant(&Kind::new("v1", "Node"), &[])], ..Grants::default() };
    let (reconciler, mut rights) = (reconciler(grants), Rights::default());
    rights.add(&reconciler, &description(&Grants::default()), &Memory::from_yaml(THINGS).unwrap()).await;
    assert_eq!(verbs(&rights.cluster, "nodes"), None);
    assert!(rights.notes.iter().any(|note| note.contains("does not declare")), "{:?}", rights.notes);
}

#[tokio::test]
async fn a_reconciler_that_only_plans_gets_no_right_to_write() {
    let grants = Grants { apply: vec![grant(&Kind::new("v1", "ConfigMap"), &[])], ..Grants::default() };
    let rights = rights(&Reconciler { mode: Mode::Plan, ..reconciler(grants) }).await;
    assert_eq!(verbs(&rights.cluster, "configmaps"), Some(json!(["get", "list", "watch"])));
    assert_eq!(verbs(&rights.cluster, "thingies"), Some(json!(["list", "watch"])));
    assert_eq!(verbs(&rights.cluster, "thingies/status"), None);
}

#[tokio::test]
async fn a_grant_of_a_cluster_scoped_kind_in_a_namespace_is_noted_to_grant_nothing() {
    let grants = Grants { apply: vec![grant(&Kind::new("v1", "Namespace"), &["a"])], ..Grants::default() };
    let rights = rights(&reconciler(grants)).await;
    assert_eq!(rights.namespaces.len(), 0);
    assert!(rights.notes.iter().any(|note| note.contains("grants nothing")), "{:?}", rights.notes);
}
