//! What is installed is kept, by an operator that writes nothing where nothing is to be done.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::ResourceExt;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use mizzen_e2e::TestGroup;
use mizzen_e2e::istio::{Mesh, NAMESPACE};
use mizzen_istio_tests::Istioctl;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(2);

/// Edits every webhook of a configuration as istiod does.
async fn as_istiod(configurations: &Api<DynamicObject>, name: &str, edit: &Value) -> DynamicObject {
    let there = configurations.get(name).await.unwrap();
    let edited = |own: &Value| {
        let mut edit = edit.clone();
        edit["name"] = own["name"].clone();
        edit
    };
    let webhooks: Vec<_> = there.data["webhooks"].as_array().unwrap().iter().map(edited).collect();
    let istiod = PatchParams { field_manager: Some("pilot-discovery".into()), ..PatchParams::default() };
    configurations.patch(name, &istiod, &Patch::Strategic(json!({"webhooks": webhooks}))).await.unwrap()
}

fn policies(configuration: &DynamicObject) -> Vec<Value> {
    configuration.data["webhooks"].as_array().unwrap().iter().map(|own| own["failurePolicy"].clone()).collect()
}

#[tokio::test]
async fn istio_is_installed_and_kept_and_what_is_istiods_is_left_to_istiod() {
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Mesh::start("1.31.0").await else { return };
    mesh.is("Ready").await;
    let deployments = mesh.objects.within(NAMESPACE, "apps/v1", "Deployment", "deployments");
    let istiod = deployments.get("istiod").await.unwrap();
    let container = &istiod.data["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "docker.io/istio/pilot:1.31.0");
    let definitions =
        mesh.objects.of("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions");
    let of_istio = ListParams::default().labels("operator.istio.io/version=1.31.0");
    assert_eq!(definitions.list_metadata(&of_istio).await.unwrap().items.len(), 15);
    mesh.writes_nothing().await;

    let webhooks = mesh.injectors();
    for (api, name) in [
        (&deployments, "istiod"),
        (&mesh.objects.within(NAMESPACE, "v1", "ConfigMap", "configmaps"), "istio"),
        (&webhooks, "istio-sidecar-injector"),
    ] {
        let away = mesh.comes_back(api, name).await;
        println!("{name} was away for {away:?}");
        assert!(away < SOON, "{name} was away for {away:?}");
    }
    mesh.is("Ready").await;
    // `injector` has yet to set its own fields of the webhook that came back.
    mesh.quiet().await;

    let bundle = json!({"clientConfig": {"caBundle": mesh.authority()}});
    let edited = as_istiod(&webhooks, "istio-sidecar-injector", &bundle).await;
    mesh.writes_nothing().await;
    let now = webhooks.get("istio-sidecar-injector").await.unwrap();
    assert_eq!(now.resource_version(), edited.resource_version(), "istiod's own fields are no drift");

    let webhooks = mesh.validators();
    for own in webhooks.list(&ListParams::default()).await.unwrap() {
        assert_eq!(policies(&own), ["Ignore"], "until istiod answers, nothing may fail for it");
        let answers = json!({"clientConfig": {"caBundle": mesh.authority()}, "failurePolicy": "Fail"});
        as_istiod(&webhooks, &own.name_any(), &answers).await;
        mesh.writes_nothing().await;
        let now = webhooks.get(&own.name_any()).await.unwrap();
        assert_eq!(policies(&now), ["Fail"]);
        // Made, edited by istiod, and nothing since: what the operator notes of it is no part of what is wanted.
        assert_eq!(now.metadata.generation, Some(2), "{:#?}", now.metadata);
    }
    mesh.end().await;
}

#[tokio::test]
async fn every_object_that_istioctl_installs_is_there_and_a_restart_writes_none_of_them() {
    let _group = TestGroup::enter(module_path!());
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let Some(mesh) = Mesh::start("1.31.1").await else { return };
    mesh.is("Ready").await;
    let operator = json!({"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": {
    "profile": "default", "values": {"defaultRevision": "default"},
    "components": {
        "cni": {"enabled": true},
        "pilot": {"k8s": {"hpaSpec": {"minReplicas": 2}}},
        "ingressGateways": [{"name": "istio-ingressgateway", "enabled": true, "k8s": {"hpaSpec": {"minReplicas": 3}}}],
    }}});
    let text = |own: &Value, field: &str| own[field].as_str().unwrap_or_default().to_owned();
    let called = |own: &Value| {
        let metadata = &own["metadata"];
        format!("{} {}/{}", text(own, "kind"), text(metadata, "namespace"), text(metadata, "name"))
    };
    let wanted: BTreeSet<_> = istioctl.generate(&operator).unwrap().iter().map(called).collect();
    let there: BTreeSet<_> = mesh.installed().await.into_keys().collect();
    println!("{} objects", there.len());
    assert_eq!(there, wanted);

    mesh.scaled().await;
    mesh.writes_nothing().await;
    let (mesh, written) = mesh.restart().await;
    assert_eq!(written.total(), 0, "{written}");
    mesh.is("Ready").await;
    mesh.end().await;
}
