//! The shipped configuration on the sample mesh: order, drift repair, triggers, rights.

use std::time::{Duration, Instant};

use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use mizzen_e2e::{
    INGRESS_GATEWAY, Objects, Operator, TestGroup, apply, condition, definitions, eventually, plugins, repository,
};
use mizzen_testcluster::ControlPlane;
use serde_json::json;

/// The definitions, the sample mesh and the shipped configuration.
async fn mesh() -> Option<(ControlPlane, Objects)> {
    let cluster = definitions().controller_manager().start_for_test().await?;
    for path in ["samples/mesh", INGRESS_GATEWAY, "reconcilers.yaml"] {
        cluster.apply_path(&repository("deploy").join(path)).await.unwrap();
    }
    let objects = Objects(cluster.client().unwrap());
    Some((cluster, objects))
}

async fn converged(objects: &Objects) {
    eventually("eleven of twelve APIs are ready, as their endpoints are", async || {
        objects.ready_apis("components").await == 11
    })
    .await;
    eventually("every API has its route", async || objects.count_routes("components").await == 12).await;
}

#[tokio::test]
async fn the_sample_mesh_converges_and_its_statuses_report_it() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = mesh().await else { return };
    let plugins = plugins();
    let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    converged(&objects).await;
    let istios = objects.within("istio-system", "mizzen.dev/v1alpha1", "Istio", "istios");
    let is_ready = async |kind: &str| {
        let istio = istios.get("default").await.unwrap();
        condition(&istio, kind).is_some_and(|found| found.status == "True" && found.reason == "Ready")
    };
    eventually("mtls is ready", async || is_ready("mizzen.dev/mtls").await).await;
    eventually("monitoring is ready", async || is_ready("mizzen.dev/monitoring").await).await;
    let authentication =
        objects.within("istio-system", "security.istio.io/v1", "PeerAuthentication", "peerauthentications");
    assert_eq!(authentication.get("default").await.unwrap().data["spec"]["mtls"]["mode"], "STRICT");
    let monitors = objects.within("istio-system", "monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors");
    monitors.get("istio-component-monitor").await.unwrap();
    objects.routes("istio-system").get("istio-healthz").await.unwrap();
    for name in ["mtls", "monitoring", "api-operator", "component-status"] {
        eventually("the reconciler is ready", async || {
            let reconciler = objects.reconcilers().get(name).await.unwrap();
            let is = |kind| condition(&reconciler, kind).is_some_and(|found| found.status == "True");
            is("Loaded") && is("Ordered") && is("Ready") && reconciler.data["status"]["digest"].is_string()
        })
        .await;
    }
    operator.stop().await;
}

#[tokio::test]
async fn api_operator_is_gated_until_mtls_is_ready() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = mesh().await else { return };
    // Another field manager owns the mode: mtls reports the conflict.
    let authentications =
        objects.within("istio-system", "security.istio.io/v1", "PeerAuthentication", "peerauthentications");
    let foreign = json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
                        "metadata": {"name": "default"}, "spec": {"mtls": {"mode": "PERMISSIVE"}}});
    authentications.patch("default", &PatchParams::apply("gitops"), &Patch::Apply(&foreign)).await.unwrap();
    let plugins = plugins();
    let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    eventually("an API's status names the predecessor that gates it", async || {
        let api = objects.apis("components").get("billing").await.unwrap();
        condition(&api, "mizzen.dev/api-operator").is_some_and(|found| {
            found.status == "Unknown" && found.reason == "WaitingForPredecessor" && found.message.contains("`mtls`")
        })
    })
    .await;
    let istio = objects.within("istio-system", "mizzen.dev/v1alpha1", "Istio", "istios").get("default").await.unwrap();
    let found = condition(&istio, "mizzen.dev/mtls").unwrap();
    assert_eq!(found.reason, "Conflict");
    assert!(found.message.contains("`gitops`") && found.message.contains("adopt"), "{found:?}");
    assert_eq!((objects.count_routes("components").await, operator.calls("api-operator").await), (0, 0));
    authentications.delete("default", &DeleteParams::default()).await.unwrap();
    converged(&objects).await;
    operator.stop().await;
}

#[tokio::test]
async fn drift_is_repaired_within_a_second() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = mesh().await else { return };
    let plugins = plugins();
    let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    converged(&objects).await;
    let routes = objects.routes("components");
    let wanted = routes.get("billing").await.unwrap();

    routes.delete("billing", &DeleteParams::default()).await.unwrap();
    let deleted = eventually("a deleted route exists again", async || {
        routes.get_opt("billing").await.unwrap().is_some_and(|route| route.uid() != wanted.uid())
    })
    .await;
    assert_eq!(routes.get("billing").await.unwrap().data["spec"], wanted.data["spec"]);

    let edit = json!({"spec": {"hosts": ["elsewhere.example.com"]}});
    routes
        .patch(
            "billing",
            &PatchParams { field_manager: Some("kubectl-edit".into()), ..PatchParams::default() },
            &Patch::Merge(&edit),
        )
        .await
        .unwrap();
    let edited = eventually("an edited route is repaired", async || {
        routes.get("billing").await.unwrap().data["spec"] == wanted.data["spec"]
    })
    .await;
    assert!(
        deleted < Duration::from_secs(1) && edited < Duration::from_secs(1),
        "deleted: {deleted:?}, edited: {edited:?}"
    );

    // The plugin reads routes, so it was called for that one. It reads no ServiceMonitors.
    operator.settled().await;
    let calls = operator.calls("api-operator").await;
    let monitors = objects.within("components", "monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors");
    let wanted = monitors.get("billing-metrics").await.unwrap();
    monitors.delete("billing-metrics", &DeleteParams::default()).await.unwrap();
    let deleted = eventually("a deleted monitor exists again", async || {
        monitors.get_opt("billing-metrics").await.unwrap().is_some_and(|monitor| monitor.uid() != wanted.uid())
    })
    .await;
    assert!(deleted < Duration::from_secs(1), "{deleted:?}");
    assert_eq!(operator.calls("api-operator").await, calls, "the repair needs no call");
    operator.stop().await;
}

#[tokio::test]
async fn an_endpoint_that_becomes_unready_costs_one_call_of_its_api() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = mesh().await else { return };
    let plugins = plugins();
    let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    converged(&objects).await;
    operator.settled().await;
    let (all, own) = (operator.calls("").await, operator.calls("api-operator").await);
    let slices = objects.slices("components");
    let mut slice = serde_json::to_value(slices.get("billing-1").await.unwrap()).unwrap();
    slice["endpoints"][0]["conditions"]["ready"] = json!(false);
    slice["metadata"].as_object_mut().unwrap().retain(|key, _| key == "name" || key == "labels");
    apply(&slices, &slice).await;
    eventually("its API is not ready", async || objects.ready_apis("components").await == 10).await;
    let api = objects.apis("components").get("billing").await.unwrap();
    assert_eq!(api.data["status"]["implementation"]["ready"], false);
    assert_eq!((operator.calls("").await - all, operator.calls("api-operator").await - own), (1, 1));
    operator.stop().await;
}

#[tokio::test]
async fn the_manifests_are_accepted_and_their_rights_are_enough() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = mesh().await else { return };
    cluster.apply_path(&repository("deploy/manifests")).await.unwrap();
    let kubeconfig = cluster.service_account_kubeconfig("mizzen-system", "mizzen").await.unwrap();
    let plugins = plugins();
    let operator = Operator::start(&kubeconfig, plugins.path()).await;
    converged(&objects).await;
    eventually("the reconciler's status is written", async || {
        let reconciler = objects.reconcilers().get("api-operator").await.unwrap();
        condition(&reconciler, "Ready").is_some_and(|found| found.status == "True")
    })
    .await;
    let routes = objects.routes("components");
    routes.delete("usage", &DeleteParams::default()).await.unwrap();
    eventually("drift can be repaired with these rights", async || routes.get_opt("usage").await.unwrap().is_some())
        .await;
    let apis = objects.apis("components");
    apis.delete("usage", &DeleteParams::default()).await.unwrap();
    eventually("the route of a deleted API is deleted", async || routes.get_opt("usage").await.unwrap().is_none())
        .await;
    assert_eq!(operator.get("/livez").await.as_deref(), Some("ok\n"));
    let forbidden: Vec<_> =
        operator.log().into_iter().filter(|line| line.to_string().to_lowercase().contains("forbid")).collect();
    assert_eq!(forbidden, Vec::<serde_json::Value>::new());
    operator.stop().await;
}

#[tokio::test]
async fn an_operator_shuts_down_within_seconds() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = mesh().await else { return };
    let plugins = plugins();
    let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    converged(&objects).await;
    let since = Instant::now();
    operator.stop().await;
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    assert_eq!(objects.reconcilers().list(&ListParams::default()).await.unwrap().items.len(), 4);
}
