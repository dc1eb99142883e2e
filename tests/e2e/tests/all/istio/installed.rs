//! Istio is installed and repaired, and an operator without anything to do writes nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::ResourceExt;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use mizzen_e2e::TestGroup;
use mizzen_e2e::istio::{Mesh, NAMESPACE};
use mizzen_istio_tests::Istioctl;
use serde_json::{Value, json};

const REPAIR_TIME: Duration = Duration::from_secs(2);

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
async fn istio_is_installed_and_repaired_and_fields_of_istiod_are_left_to_it() {
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Mesh::start("1.31.0").await else { return };
    mesh.reaches("Ready").await;
    let deployments = mesh.objects.within(NAMESPACE, "apps/v1", "Deployment", "deployments");
    let istiod = deployments.get("istiod").await.unwrap();
    let container = &istiod.data["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "docker.io/istio/pilot:1.31.0");
    let definitions =
        mesh.objects.of("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions");
    let of_istio = ListParams::default().labels("operator.istio.io/version=1.31.0");
    assert_eq!(definitions.list_metadata(&of_istio).await.unwrap().items.len(), 15);
    mesh.another_call_writes_nothing().await;

    let webhooks = mesh.injectors();
    for (api, name) in [
        (&deployments, "istiod"),
        (&mesh.objects.within(NAMESPACE, "v1", "ConfigMap", "configmaps"), "istio"),
        (&webhooks, "istio-sidecar-injector"),
    ] {
        let took = mesh.repair_time(api, name).await;
        println!("{name} was repaired in {took:?}");
        assert!(took < REPAIR_TIME, "{name} was repaired in {took:?}");
    }
    mesh.reaches("Ready").await;
    // `injector` sets its own fields of the repaired webhook after that.
    mesh.quiet().await;

    let bundle = json!({"clientConfig": {"caBundle": mesh.authority()}});
    let edited = as_istiod(&webhooks, "istio-sidecar-injector", &bundle).await;
    mesh.another_call_writes_nothing().await;
    let now = webhooks.get("istio-sidecar-injector").await.unwrap();
    assert_eq!(now.resource_version(), edited.resource_version(), "istiod's own fields are not drift");

    let webhooks = mesh.validators();
    for own in webhooks.list(&ListParams::default()).await.unwrap() {
        assert_eq!(policies(&own), ["Ignore"], "the webhook must not block writes until istiod is ready");
        let answers = json!({"clientConfig": {"caBundle": mesh.authority()}, "failurePolicy": "Fail"});
        as_istiod(&webhooks, &own.name_any(), &answers).await;
        mesh.another_call_writes_nothing().await;
        let now = webhooks.get(&own.name_any()).await.unwrap();
        assert_eq!(policies(&now), ["Fail"]);
        // Created and edited by istiod, and not written since.
        assert_eq!(now.metadata.generation, Some(2), "{:#?}", now.metadata);
    }
    mesh.stop().await;
}

#[tokio::test]
async fn every_object_that_istioctl_installs_exists_and_a_restart_writes_none_of_them() {
    let _group = TestGroup::enter(module_path!());
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let Some(mesh) = Mesh::start("1.31.1").await else { return };
    mesh.reaches("Ready").await;
    let operator = json!({"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": {
    "profile": "default", "values": {"defaultRevision": "default"},
    "components": {
        "cni": {"enabled": true},
        "pilot": {"k8s": {"hpaSpec": {"minReplicas": 2}}},
        "ingressGateways": [{"name": "istio-ingressgateway", "enabled": true, "k8s": {"hpaSpec": {"minReplicas": 3}}}],
    }}});
    let text = |own: &Value, field: &str| own[field].as_str().unwrap_or_default().to_owned();
    let name_of = |own: &Value| {
        let metadata = &own["metadata"];
        format!("{} {}/{}", text(own, "kind"), text(metadata, "namespace"), text(metadata, "name"))
    };
    let wanted: BTreeSet<_> = istioctl.generate(&operator).unwrap().iter().map(name_of).collect();
    let there: BTreeSet<_> = mesh.installed().await.into_keys().collect();
    println!("{} objects", there.len());
    assert_eq!(there, wanted);

    mesh.scaled().await;
    mesh.another_call_writes_nothing().await;
    let (mesh, written) = mesh.restart().await;
    assert_eq!(written.total(), 0, "{written}");
    mesh.reaches("Ready").await;
    mesh.stop().await;
}
