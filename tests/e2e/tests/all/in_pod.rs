//! The operator as a pod has it: no kubeconfig, but a service account's files and the API server's address in the environment.

use kube::config::Kubeconfig;
use mizzen_e2e::{
    INGRESS_GATEWAY, Objects, Operator, TestGroup, condition, definitions, eventually, plugins, repository,
};

#[tokio::test]
async fn in_a_pod_the_service_account_is_enough() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = definitions().controller_manager(true).start_for_test().await else { return };
    for path in ["samples/mesh", INGRESS_GATEWAY, "manifests", "reconcilers.yaml"] {
        cluster.apply_path(&repository("deploy").join(path)).await.unwrap();
    }
    let objects = Objects(cluster.client().unwrap());
    // What a kubelet would mount.
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

    let (host, port) = (cluster.url().host().unwrap(), cluster.url().port().unwrap().to_string());
    let plugins = plugins();
    let Some(operator) = Operator::in_pod((host, &port), account.path(), plugins.path()).await else {
        return eprintln!("SKIPPED: `unshare` gives no file system of one's own here");
    };
    eventually("the reconciler's status says that it runs", async || {
        let reconciler = objects.reconcilers().get("api-operator").await.unwrap();
        condition(&reconciler, "Ready").is_some_and(|(status, ..)| status == "True")
    })
    .await;
    assert!(operator.log().iter().any(|line| line["message"] == "connected"));
    operator.stop().await;
}
