//! The operator as in a pod: without a kubeconfig, with the files of a service account and the API server's
//! address in the environment.

use kube::config::Kubeconfig;
use mizzen_e2e::{
    INGRESS_GATEWAY, Objects, Operator, TestGroup, condition, definitions, eventually, plugins, repository,
};

#[tokio::test]
async fn in_a_pod_the_service_account_is_enough() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = definitions().controller_manager().start_for_test().await else { return };
    for path in ["samples/mesh", INGRESS_GATEWAY, "manifests", "reconcilers.yaml"] {
        cluster.apply_path(&repository("deploy").join(path)).await.unwrap();
    }
    let objects = Objects(cluster.client().unwrap());
    // The files that a kubelet mounts.
    let kubeconfig = cluster.service_account_kubeconfig("mizzen-system", "mizzen").await.unwrap();
    let kubeconfig = serde_json::to_value(Kubeconfig::read_from(kubeconfig).unwrap()).unwrap();
    let authority = kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"].as_str().unwrap();
    let authority = serde_json::from_value::<k8s_openapi::ByteString>(authority.into()).unwrap();
    let account = tempfile::tempdir().unwrap();
    std::fs::write(account.path().join("ca.crt"), authority.0).unwrap();
    std::fs::write(account.path().join("namespace"), "mizzen-system").unwrap();
    std::fs::write(
        account.path().join("token"),
        cluster.service_account_token("mizzen-system", "mizzen").await.unwrap(),
    )
    .unwrap();

    let plugins = plugins();
    let Some(operator) = Operator::in_pod(cluster.url(), account.path(), plugins.path()).await else {
        return eprintln!("SKIPPED: `unshare` can't create a mount namespace here");
    };
    eventually("the reconciler is ready", async || {
        let reconciler = objects.reconcilers().get("api-operator").await.unwrap();
        condition(&reconciler, "Ready").is_some_and(|found| found.status == "True")
    })
    .await;
    assert!(operator.log().iter().any(|line| line["message"] == "connected"));
    operator.stop().await;
}
