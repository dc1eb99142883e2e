//! Istio's life: installed, kept, refused, taken away. Istio's own renderer in the sandbox, on a real control plane whose nodes are kwok's, so
//! that Deployments really roll. Each test has a control plane of its own.

use std::time::Duration;

use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use mizzen_e2e::istio::{Mesh, NAMESPACE};
use mizzen_e2e::{apply, eventually};
use serde_json::json;

const SOON: Duration = Duration::from_secs(2);

#[tokio::test]
async fn istio_is_installed_and_kept_and_what_is_istiods_is_left_to_istiod() {
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

    // As istiod does.
    let bundle = |own: &serde_json::Value| json!({"name": own["name"], "clientConfig": {"caBundle": mesh.authority()}});
    let injector = webhooks.get("istio-sidecar-injector").await.unwrap();
    let bundles: Vec<_> = injector.data["webhooks"].as_array().unwrap().iter().map(bundle).collect();
    let istiod = PatchParams { field_manager: Some("pilot-discovery".into()), ..PatchParams::default() };
    let edit = Patch::Strategic(json!({"webhooks": bundles}));
    let edited = webhooks.patch("istio-sidecar-injector", &istiod, &edit).await.unwrap();
    mesh.writes_nothing().await;
    let now = webhooks.get("istio-sidecar-injector").await.unwrap();
    assert_eq!(now.resource_version(), edited.resource_version(), "istiod's own fields are no drift");
    mesh.end().await;
}

#[tokio::test]
async fn a_version_that_may_not_follow_and_a_spec_that_makes_no_sense_touch_nothing() {
    let Some(mesh) = Mesh::start("1.31.1").await else { return };
    mesh.is("Ready").await;
    mesh.configure("installation", &json!({"config": {"version": "1.31.0"}})).await;
    let message = mesh.says("IstioInstalled", "IstioVersionUpdateNotAllowed").await;
    assert!(message.contains("1.31.1") && message.contains("1.31.0"), "{message}");
    mesh.is("Warning").await;
    let istiod = mesh.objects.within(NAMESPACE, "apps/v1", "Deployment", "deployments").get("istiod").await.unwrap();
    let container = &istiod.data["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "docker.io/istio/pilot:1.31.1");

    mesh.configure("installation", &json!({"config": {"version": "1.31.1"}})).await;
    mesh.is("Ready").await;
    let spec = json!({"spec": {"config": {"proxyStatsMatcher": {"inclusionRegexps": ["ok.*", "("]}}}});
    mesh.istios().patch("default", &PatchParams::default(), &Patch::Merge(spec)).await.unwrap();
    let message = mesh.says("IstioInstalled", "ValidationFailed").await;
    assert!(message.contains("inclusionRegexps[1]"), "{message}");
    mesh.end().await;
}

#[tokio::test]
async fn istio_stays_while_users_need_it_and_leaves_nothing_when_it_goes() {
    let Some(mesh) = Mesh::start("1.31.0").await else { return };
    mesh.is("Ready").await;
    let rules = mesh.objects.within("default", "networking.istio.io/v1", "DestinationRule", "destinationrules");
    let rule = json!({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "reviews"},
                      "spec": {"host": "reviews"}});
    apply(&rules, &rule).await;
    mesh.istios().delete("default", &DeleteParams::default()).await.unwrap();
    let message = mesh.says("IstioInstalled", "IstioCustomResourcesDangling").await;
    assert!(message.contains("DestinationRule default/reviews"), "{message}");
    let deployments = mesh.objects.within(NAMESPACE, "apps/v1", "Deployment", "deployments");
    assert!(deployments.get_opt("istiod").await.unwrap().is_some());

    rules.delete("reviews", &DeleteParams::default()).await.unwrap();
    eventually("the mesh is gone", async || mesh.istios().get_opt("default").await.unwrap().is_none()).await;
    eventually("nothing of ours is left", async || mesh.ours().await.is_empty()).await;
    let definitions =
        mesh.objects.of("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions");
    assert!(
        definitions.get_opt("virtualservices.networking.istio.io").await.unwrap().is_some(),
        "users' objects live by it"
    );
    mesh.end().await;
}
