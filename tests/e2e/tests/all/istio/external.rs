//! `installation` is replaced by `installation-external`, and back, by one edit of the configuration. The
//! replacement does not know what `installation` applied, so none of it may be deleted: not even with the
//! subject.

use kube::api::DeleteParams;
use mizzen_e2e::istio::{Mesh, NAMESPACE};
use mizzen_e2e::{TestGroup, apply, eventually};
use serde_json::json;

#[tokio::test]
async fn istio_is_unchanged_under_installation_external_and_repaired_again_after_it() {
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Mesh::start("1.31.0").await else { return };
    mesh.reaches("Ready").await;
    mesh.scaled().await;
    mesh.another_call_writes_nothing().await;
    let before = mesh.installed().await;

    mesh.replace_installation("installation-external.wasm").await;
    let message = mesh.reports("IstioInstalled", "UserIstioSupported").await;
    assert_eq!(message, "Deployment istio-system/istiod is 1.31.0, installed by Mizzen before, and left unchanged");
    mesh.reaches("Ready").await;
    mesh.settled().await;
    assert_eq!(mesh.installed().await, before, "no object was written");

    // A deleted object is not repaired meanwhile, and is after the change back; no other object is written.
    let maps = mesh.objects.within(NAMESPACE, "v1", "ConfigMap", "configmaps");
    maps.delete("istio", &DeleteParams::default()).await.unwrap();
    mesh.replace_installation("installation.wasm").await;
    let lost = "ConfigMap istio-system/istio";
    eventually("the deleted object exists again", async || mesh.installed().await.contains_key(lost)).await;
    mesh.reports("IstioInstalled", "IstioInstallSucceeded").await;
    mesh.reaches("Ready").await;
    mesh.settled().await;
    let mut now = mesh.installed().await;
    now.insert(lost.to_owned(), before[lost].clone());
    assert_eq!(now, before);
    mesh.stop().await;
}

#[tokio::test]
async fn a_subject_deleted_under_installation_external_leaves_istio_complete_for_the_next() {
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Mesh::start("1.31.0").await else { return };
    mesh.reaches("Ready").await;
    mesh.replace_installation("installation-external.wasm").await;
    mesh.reports("IstioInstalled", "UserIstioSupported").await;
    mesh.scaled().await;
    mesh.settled().await;
    let before = mesh.installed().await;

    // The garbage collector deletes it, like everything with the subject as its owner.
    let maps = mesh.objects.within(NAMESPACE, "v1", "ConfigMap", "configmaps");
    let owner = json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "Istio", "name": "default",
                       "uid": mesh.istio().await.metadata.uid});
    let dependent = json!({"apiVersion": "v1", "kind": "ConfigMap",
                       "metadata": {"name": "dependent", "ownerReferences": [owner]}});
    apply(&maps, &dependent).await;
    mesh.istios().delete("default", &DeleteParams::default()).await.unwrap();
    eventually("the mesh is deleted", async || mesh.istios().get_opt("default").await.unwrap().is_none()).await;
    eventually("what it owns is deleted", async || maps.get_opt("dependent").await.unwrap().is_none()).await;
    assert_eq!(mesh.installed().await, before, "an incomplete Istio is worse than none");

    mesh.replace_installation("installation.wasm").await;
    mesh.create_istio().await;
    mesh.reports("IstioInstalled", "IstioInstallSucceeded").await;
    mesh.reaches("Ready").await;
    mesh.settled().await;
    assert_eq!(mesh.installed().await, before, "the next subject takes over a complete Istio");
    mesh.stop().await;
}
