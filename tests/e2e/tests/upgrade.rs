//! An upgrade from one version of Istio to the next, with workloads of every kind that have the old one's sidecars.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use kube::ResourceExt;
use kube::api::{Api, DynamicObject, ListParams};
use mizzen_e2e::istio::Mesh;
use mizzen_e2e::sidecars::{BREAKS, inject};
use mizzen_e2e::workloads::{Owner, REPLACING, ROLLING, Rolling, STANDING, deploy, is_through, workload};
use mizzen_e2e::{apply, eventually};
use serde_json::json;

const BEFORE: &str = "docker.io/istio/proxyv2:1.31.0";
const AFTER: &str = "docker.io/istio/proxyv2:1.31.1";
const NAMESPACE: &str = "shop";

/// How many are restarted at once.
const AT_ONCE: usize = 20;

/// Generations, which a restart counts up, by name.
async fn generations_of(api: &Api<DynamicObject>) -> BTreeMap<String, i64> {
    let all = api.list(&ListParams::default()).await.unwrap();
    all.iter().map(|own| (own.name_any(), own.metadata.generation.unwrap_or_default())).collect()
}

/// Images of sidecars, by pod.
async fn sidecars(mesh: &Mesh) -> BTreeMap<String, String> {
    let pods = mesh.objects.within(NAMESPACE, "v1", "Pod", "pods").list(&ListParams::default()).await.unwrap();
    let image =
        |pod: &DynamicObject| pod.data["spec"]["initContainers"][0]["image"].as_str().unwrap_or_default().to_owned();
    pods.iter().map(|pod| (pod.name_any(), image(pod))).collect()
}

async fn all_through(mesh: &Mesh, (api_version, kind, plural): Owner) {
    let api = mesh.objects.within(NAMESPACE, api_version, kind, plural);
    eventually(&format!("every {kind} is up"), async || {
        let all = api.list(&ListParams::default()).await.unwrap();
        all.iter().all(|own| {
            let mut document = own.data.clone();
            document["kind"] = json!(kind);
            document["metadata"] = json!({"generation": own.metadata.generation});
            is_through(&document)
        })
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_restarts_every_workload_once_at_its_pace_and_names_what_it_leaves() {
    let Some(mesh) = Mesh::start("1.31.0").await else { return };
    let pace = json!({"pace": {"workloads": {"atOnce": AT_ONCE, "perMinute": null, "patience": "20s"}}});
    mesh.configure("sidecar-restart", &pace).await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    mesh.cluster.apply_yaml(&namespace.to_string()).await.unwrap();
    inject(&mesh.cluster, BEFORE, false).await;
    let plain = json!({});
    for (owner, count) in ROLLING.into_iter().zip([170, 60, 30]) {
        deploy(&mesh.objects, NAMESPACE, owner, count, &plain).await;
    }
    for owner in REPLACING {
        deploy(&mesh.objects, NAMESPACE, owner, 10, &plain).await;
    }
    for owner in STANDING {
        deploy(&mesh.objects, NAMESPACE, owner, 5, &plain).await;
    }
    // Three that never come through, and three that their owners want left alone.
    let deployments = mesh.objects.within(NAMESPACE, "apps/v1", "Deployment", "deployments");
    for at in 0..3 {
        let mut breaking = workload(ROLLING[0], &format!("breaking-{at}"), &json!({BREAKS: "true"}));
        breaking["spec"]["progressDeadlineSeconds"] = json!(20);
        apply(&deployments, &breaking).await;
        let mut excluded = workload(ROLLING[0], &format!("excluded-{at}"), &plain);
        excluded["spec"]["template"]["metadata"]["annotations"] = json!({"mizzen.dev/restart": "never"});
        apply(&deployments, &excluded).await;
    }
    for owner in ROLLING {
        all_through(&mesh, owner).await;
    }
    mesh.is("Ready").await;
    mesh.settled().await;
    let before: Vec<_> = ROLLING.map(|owner| mesh.objects.within(NAMESPACE, owner.0, owner.1, owner.2)).to_vec();
    let mut generations = Vec::new();
    for api in &before {
        generations.push(generations_of(api).await);
    }
    let pods = sidecars(&mesh).await;
    assert!(pods.values().all(|image| image == BEFORE), "{pods:?}");
    let rolling = Rolling::watch(&mesh.objects, NAMESPACE);

    inject(&mesh.cluster, AFTER, true).await;
    mesh.configure("installation", &json!({"config": {"version": "1.31.1"}})).await;
    let told = mesh.says("ProxySidecarRestartSucceeded", "ProxySidecarManualRestartRequired").await;
    let done = |istio: &DynamicObject| istio.data["status"]["sidecars"]["restarting"]["count"] == 0;
    let took = eventually("nothing is being restarted", async || done(&mesh.istio().await)).await;

    for (api, was) in before.iter().zip(&generations) {
        for (name, generation) in generations_of(api).await {
            let times = generation - was[&name];
            let expected = i64::from(!name.starts_with("excluded"));
            assert_eq!(times, expected, "{name} was restarted {times} times");
        }
    }
    let left = |name: &str| ["excluded", "job", "pod-", "breaking"].iter().any(|start| name.starts_with(start));
    eventually("every other pod has the new sidecar", async || {
        sidecars(&mesh).await.iter().all(|(name, image)| left(name) || image == AFTER)
    })
    .await;
    let after = sidecars(&mesh).await;
    for (name, image) in
        pods.iter().filter(|(name, _)| ["excluded", "job", "pod-"].iter().any(|start| name.starts_with(start)))
    {
        assert_eq!(after.get(name), Some(image), "{name} is left alone");
    }
    let status = &mesh.istio().await.data["status"]["sidecars"];
    let count = |of: &str| status[of]["count"].as_u64().unwrap_or_default();
    assert_eq!((count("manual"), count("excluded"), count("pending")), (10, 3, 3), "{told}: {status}");
    assert!(status["pending"].to_string().contains("Deployment shop/breaking-0"), "{status}");
    let most = rolling.most_at_once("breaking");
    println!("an upgrade of 293 workloads took {took:?}; at most {most} rolled at once");
    assert!(most <= AT_ONCE, "{most} rolled at once");
    assert!(most > AT_ONCE / 2, "only {most} rolled at once");
    mesh.writes_nothing().await;
    mesh.end().await;
}
