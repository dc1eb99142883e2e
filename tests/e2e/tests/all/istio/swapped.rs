//! Swapped for an installation that is somebody else's, and back, by one edit of the configuration. Whoever stands in for the installation
//! knows nothing of what that did, so nothing of it may go: not even with its subject.

use kube::api::DeleteParams;
use mizzen_e2e::istio::{Mesh, NAMESPACE};
use mizzen_e2e::{TestGroup, apply, eventually};
use serde_json::json;

#[tokio::test]
async fn swapped_for_somebody_elses_istio_stays_as_it_is_and_swapped_back_it_is_kept_again() {
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Mesh::start("1.31.0").await else { return };
    mesh.is("Ready").await;
    mesh.scaled().await;
    mesh.writes_nothing().await;
    let before = mesh.installed().await;

    mesh.installs_with("installation-external.wasm").await;
    let message = mesh.says("IstioInstalled", "UserIstioSupported").await;
    assert_eq!(message, "Deployment istio-system/istiod is 1.31.0, installed by Mizzen before, and left unchanged");
    mesh.is("Ready").await;
    mesh.settled().await;
    assert_eq!(mesh.installed().await, before, "nothing of it was touched");

    // Nobody's while it is swapped, and there again once it is swapped back; the rest of it needed no write.
    let maps = mesh.objects.within(NAMESPACE, "v1", "ConfigMap", "configmaps");
    maps.delete("istio", &DeleteParams::default()).await.unwrap();
    mesh.installs_with("installation.wasm").await;
    let lost = "ConfigMap istio-system/istio";
    eventually("what was lost is there again", async || mesh.installed().await.contains_key(lost)).await;
    mesh.says("IstioInstalled", "IstioInstallSucceeded").await;
    mesh.is("Ready").await;
    mesh.settled().await;
    let mut now = mesh.installed().await;
    now.insert(lost.to_owned(), before[lost].clone());
    assert_eq!(now, before);
    mesh.end().await;
}

#[tokio::test]
async fn a_subject_that_goes_while_it_is_swapped_leaves_istio_whole_for_the_next() {
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Mesh::start("1.31.0").await else { return };
    mesh.is("Ready").await;
    mesh.installs_with("installation-external.wasm").await;
    mesh.says("IstioInstalled", "UserIstioSupported").await;
    mesh.scaled().await;
    mesh.settled().await;
    let before = mesh.installed().await;

    // Goes by the garbage collector, as everything does that has the subject for its owner.
    let maps = mesh.objects.within(NAMESPACE, "v1", "ConfigMap", "configmaps");
    let owner = json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "Istio", "name": "default",
                       "uid": mesh.istio().await.metadata.uid});
    let dependent = json!({"apiVersion": "v1", "kind": "ConfigMap",
                       "metadata": {"name": "dependent", "ownerReferences": [owner]}});
    apply(&maps, &dependent).await;
    mesh.istios().delete("default", &DeleteParams::default()).await.unwrap();
    eventually("the mesh is gone", async || mesh.istios().get_opt("default").await.unwrap().is_none()).await;
    eventually("what it owns is gone", async || maps.get_opt("dependent").await.unwrap().is_none()).await;
    assert_eq!(mesh.installed().await, before, "half an Istio is worse than none");

    mesh.installs_with("installation.wasm").await;
    mesh.wanted().await;
    mesh.says("IstioInstalled", "IstioInstallSucceeded").await;
    mesh.is("Ready").await;
    mesh.settled().await;
    assert_eq!(mesh.installed().await, before, "the next subject finds what the one before left");
    mesh.end().await;
}
