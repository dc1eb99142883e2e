//! Istio is deleted.

use kube::api::DeleteParams;
use mizzen_e2e::istio::{Mesh, NAMESPACE};
use mizzen_e2e::{TestGroup, apply, eventually};
use serde_json::json;

#[tokio::test]
async fn istio_stays_while_users_need_it_and_is_removed_completely_then() {
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Mesh::start("1.31.0").await else { return };
    mesh.reaches("Ready").await;
    let rules = mesh.objects.within("default", "networking.istio.io/v1", "DestinationRule", "destinationrules");
    let rule = json!({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
        "metadata": {"name": "reviews"},
                      "spec": {"host": "reviews"}});
    apply(&rules, &rule).await;
    mesh.istios().delete("default", &DeleteParams::default()).await.unwrap();
    let message = mesh.reports("IstioInstalled", "IstioCustomResourcesDangling").await;
    assert!(message.contains("DestinationRule default/reviews"), "{message}");
    let deployments = mesh.objects.within(NAMESPACE, "apps/v1", "Deployment", "deployments");
    assert!(deployments.get_opt("istiod").await.unwrap().is_some());

    rules.delete("reviews", &DeleteParams::default()).await.unwrap();
    eventually("the mesh is deleted", async || mesh.istios().get_opt("default").await.unwrap().is_none()).await;
    eventually("every owned object is deleted", async || mesh.owned().await.is_empty()).await;
    let definitions =
        mesh.objects.of("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions");
    assert!(
        definitions.get_opt("virtualservices.networking.istio.io").await.unwrap().is_some(),
        "users may have objects of this kind"
    );
    mesh.stop().await;
}
