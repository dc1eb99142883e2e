//! An upgrade from one version of Istio to the next, with workloads of every kind that have old sidecars.

use std::collections::BTreeMap;

use kube::ResourceExt;
use kube::api::{Api, DynamicObject, ListParams};
use mizzen_e2e::istio::{self, Mesh};
use mizzen_e2e::sidecars::{BREAKS, Breakage, inject};
use mizzen_e2e::watched::{Pod, Pods, Rolling};
use mizzen_e2e::workloads::{Owner, REPLACING, ROLLING, STANDING, deploy, is_rolled_out, workload};
use mizzen_e2e::{TestGroup, apply, eventually, namespace};
use serde_json::json;

const BEFORE: &str = "docker.io/istio/proxyv2:1.31.0";
const AFTER: &str = "docker.io/istio/proxyv2:1.31.1";
const NAMESPACE: &str = "shop";

/// The number of workloads that may restart at once.
const AT_ONCE: usize = 20;

/// Returns the generations of objects by name; a restart increments its workload's.
async fn generations_of(api: &Api<DynamicObject>) -> BTreeMap<String, i64> {
    let all = api.list(&ListParams::default()).await.unwrap();
    all.iter().map(|own| (own.name_any(), own.metadata.generation.unwrap_or_default())).collect()
}

/// Checks the order in `deploy/mesh.yaml`: the control plane rolls out before gateways, and those before
/// workloads.
fn assert_ordered(plane: &Rolling, workloads: &Rolling, pods: &Pods) {
    let rollout = |name: &str, image: &str| {
        let rollout = plane.rollout(name, &format!("docker.io/istio/{image}:1.31.1"));
        rollout.unwrap_or_else(|| panic!("{name} has not rolled out")).into_inner()
    };
    let (_, control) = rollout("Deployment/istiod", "pilot");
    let (_, network) = rollout("DaemonSet/istio-cni-node", "install-cni");
    let (began, gateway) = rollout("Deployment/istio-ingressgateway", "proxyv2");
    let first = pods.seen().iter().filter_map(|pod| pod.ended).chain(workloads.first()).min().unwrap();
    println!("istiod {control}, cni {network}, gateway {began} to {gateway}, the first workload {first}");
    assert!(control < began && network < began, "the gateway waits for the control plane");
    assert!(gateway < first, "workloads wait for the gateway");
}

/// Checks that each pod of a kind's workloads was replaced exactly once.
fn assert_replaced_once(pods: &[Pod], kind: &str) {
    let mut by_owner = BTreeMap::<_, Vec<_>>::new();
    for pod in pods.iter().filter(|pod| pod.owner.starts_with(&format!("{kind}/{}-", kind.to_lowercase()))) {
        by_owner.entry(&pod.owner).or_default().push((&*pod.sidecar, pod.ended.is_some()));
    }
    assert_eq!(by_owner.len(), 10, "{by_owner:?}");
    for (owner, mut pods) in by_owner {
        pods.sort_unstable();
        assert_eq!(pods, [(BEFORE, true), (BEFORE, true), (AFTER, false), (AFTER, false)], "{owner}");
    }
}

/// Returns the images of sidecars by pod.
async fn sidecars(mesh: &Mesh) -> BTreeMap<String, String> {
    let pods = mesh.objects.within(NAMESPACE, "v1", "Pod", "pods").list(&ListParams::default()).await.unwrap();
    let image =
        |pod: &DynamicObject| pod.data["spec"]["initContainers"][0]["image"].as_str().unwrap_or_default().to_owned();
    pods.iter().map(|pod| (pod.name_any(), image(pod))).collect()
}

async fn all_rolled_out(mesh: &Mesh, owner: Owner) {
    let (api, kind) = (owner.within(&mesh.objects, NAMESPACE), owner.kind);
    eventually(&format!("every {kind} is rolled out"), async || {
        let all = api.list(&ListParams::default()).await.unwrap();
        all.iter().all(|own| {
            let mut document = own.data.clone();
            document["kind"] = json!(kind);
            document["metadata"] = json!({"generation": own.metadata.generation});
            is_rolled_out(&document)
        })
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_restarts_every_workload_once_at_its_pace_and_names_what_it_leaves() {
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Mesh::start("1.31.0").await else { return };
    let pace = json!({"pace": {"workloads": {"atOnce": AT_ONCE, "perMinute": null, "progressDeadline": "20s"}}});
    mesh.configure("sidecar-restart", &pace).await;
    namespace(&mesh.cluster, NAMESPACE).await;
    inject(&mesh.cluster, BEFORE, Breakage::None).await;
    for (owner, count) in ROLLING.into_iter().zip([170, 60, 30]) {
        deploy(&mesh.objects, NAMESPACE, owner, count).await;
    }
    for owner in REPLACING {
        deploy(&mesh.objects, NAMESPACE, owner, 10).await;
    }
    for owner in STANDING {
        deploy(&mesh.objects, NAMESPACE, owner, 5).await;
    }
    // Three that never roll out, and three whose owners exclude them from restarts.
    let deployments = mesh.objects.within(NAMESPACE, "apps/v1", "Deployment", "deployments");
    for at in 0..3 {
        let mut breaking = workload(ROLLING[0], &format!("breaking-{at}"), &json!({BREAKS: "true"}));
        breaking["spec"]["progressDeadlineSeconds"] = json!(20);
        apply(&deployments, &breaking).await;
        let mut excluded = workload(ROLLING[0], &format!("excluded-{at}"), &json!({}));
        excluded["spec"]["template"]["metadata"]["annotations"] = json!({"mizzen.dev/restart": "never"});
        apply(&deployments, &excluded).await;
    }
    for owner in ROLLING {
        all_rolled_out(&mesh, owner).await;
    }
    mesh.reaches("Ready").await;
    mesh.settled().await;
    let before: Vec<_> = ROLLING.map(|owner| owner.within(&mesh.objects, NAMESPACE)).to_vec();
    let mut generations = Vec::new();
    for api in &before {
        generations.push(generations_of(api).await);
    }
    let pods = sidecars(&mesh).await;
    assert!(pods.values().all(|image| image == BEFORE), "{pods:?}");
    let (plane, rolling) = (Rolling::watch(&mesh.objects, istio::NAMESPACE), Rolling::watch(&mesh.objects, NAMESPACE));
    let watched = Pods::watch(&mesh.objects, NAMESPACE);
    eventually("every pod is watched", async || watched.seen().len() == pods.len()).await;

    inject(&mesh.cluster, AFTER, Breakage::LabelledPods).await;
    mesh.configure("installation", &json!({"config": {"version": "1.31.1"}})).await;
    let message = mesh.reports("ProxySidecarRestartSucceeded", "ProxySidecarManualRestartRequired").await;
    let done = |istio: &DynamicObject| {
        let count = |of: &str| istio.data["status"]["sidecars"][of]["count"].as_u64();
        (count("restarting"), count("pending")) == (Some(0), Some(3))
    };
    let took = eventually("no restart is in progress, and three are pending", async || done(&mesh.istio().await)).await;

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
        assert_eq!(after.get(name), Some(image), "{name} is not restarted");
    }
    let status = &mesh.istio().await.data["status"]["sidecars"];
    let count = |of: &str| status[of]["count"].as_u64().unwrap_or_default();
    assert_eq!((count("manual"), count("excluded"), count("pending")), (10, 3, 3), "{message}: {status}");
    assert!(status["pending"].to_string().contains("Deployment shop/breaking-0"), "{status}");
    assert_ordered(&plane, &rolling, &watched);
    for owner in REPLACING {
        assert_replaced_once(&watched.seen(), owner.kind);
    }
    let most = rolling.most_at_once("breaking");
    println!("an upgrade of 293 workloads took {took:?}; at most {most} rolled out at once");
    assert!(most <= AT_ONCE, "{most} rolled out at once");
    assert!(most > AT_ONCE / 2, "only {most} rolled out at once");
    mesh.another_call_writes_nothing().await;
    mesh.stop().await;
}
