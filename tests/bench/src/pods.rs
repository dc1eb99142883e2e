//! The memory of the host for many Pods of which a plugin reads five fields.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::mesh_cluster::{NAMESPACE, start};
use crate::operator::{Operator, Setup, cache, guests};

/// How many requests create Pods at once.
const AT_ONCE: usize = 64;

/// How long the host may take to have read all Pods.
const LONGEST: Duration = Duration::from_mins(5);

const CONFIGURATION: &str = "
apiVersion: mizzen.dev/v1alpha1
kind: Reconciler
metadata: {name: pods}
spec:
  component: {file: pods.wasm}
  subject: {apiVersion: mizzen.dev/v1alpha1, kind: Istio}
  grants: {read: [{apiVersion: v1, kind: Pod}]}
";

/// Measures the memory of the host without Pods and with `count` of them, and the time from the change of one Pod
/// to the new outcome.
pub(crate) async fn pods(count: usize) -> anyhow::Result<Value> {
    let cluster = start().await?;
    let client = cluster.client()?;
    let setup = Setup { plugins: guests()?, components: &["pods.wasm"], configuration: CONFIGURATION };
    let (kubeconfig, cache) = (cluster.kubeconfig_path(), cache()?);

    setup.compile(&cache).await?;
    let mut idle = Operator::mizzen(&setup, &kubeconfig, &cache)?;
    reported(&client, &mut idle, Counted { pods: 0, sidecars: 0 }).await?;
    let (idle_rss, idle_peak) = (idle.rss_mib()?, idle.peak_rss_mib()?);
    drop(idle);

    let begun = Instant::now();
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let create = |at: usize| create(&pods, at);
    let bytes: Vec<usize> = futures::stream::iter(0..count).map(create).buffer_unordered(AT_ONCE).try_collect().await?;
    eprintln!("{count} Pods created in {:.0} s", begun.elapsed().as_secs_f64());
    let smallest = bytes.iter().min().copied().unwrap_or_default();
    ensure!(smallest >= 6 << 10, "a Pod has only {smallest} bytes");

    let begun = Instant::now();
    let mut operator = Operator::mizzen(&setup, &kubeconfig, &cache)?;
    reported(&client, &mut operator, Counted { pods: count, sidecars: count }).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = operator.cpu_seconds()?;
    // One sidecar less: the plugin reads every Pod again.
    let changed = Instant::now();
    let other = json!({"spec": {"containers": [{"name": "istio-proxy", "image": "images.example.com/other:1"}]}});
    pods.patch("pod-0", &PatchParams::default(), &Patch::Strategic(&other)).await?;
    reported(&client, &mut operator, Counted { pods: count, sidecars: count - 1 }).await?;
    let decision = changed.elapsed().as_secs_f64() * 1000.0;
    Ok(json!({
        "count": count, "podBytes": smallest, "idleRssMiB": idle_rss, "idlePeakRssMiB": idle_peak,
        "rssMiB": operator.rss_mib()?, "peakRssMiB": operator.peak_rss_mib()?,
        "overIdleMiB": operator.rss_mib()? - idle_rss, "peakOverIdleMiB": operator.peak_rss_mib()? - idle_peak,
        "startToAnswerSeconds": seconds, "cpuSeconds": cpu, "changeToAnswerMillis": decision,
    }))
}

/// The counts that the plugin reports.
struct Counted {
    pods: usize,
    sidecars: usize,
}

/// Waits until the subject's condition reports this many Pods, and this many with a sidecar.
async fn reported(client: &Client, operator: &mut Operator, expected: Counted) -> anyhow::Result<()> {
    let kind = GroupVersionKind::gvk("mizzen.dev", "v1alpha1", "Istio");
    let subjects: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), "istio-system", &ApiResource::from_gvk_with_plural(&kind, "istios"));
    let expected = format!("{} Pods, {} with a sidecar", expected.pods, expected.sidecars);
    let deadline = Instant::now() + LONGEST;
    loop {
        operator.runs()?;
        let subject = subjects.get("default").await?;
        let conditions = subject.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
        if conditions.iter().any(|condition| condition["message"] == expected) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "no `{expected}` in {conditions:?}; its log:\n{}", operator.logged());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Creates a Pod, and returns its size as JSON without `managedFields`.
async fn create(pods: &Api<Pod>, at: usize) -> anyhow::Result<usize> {
    let pod: Pod = serde_json::from_value(pod(at)).context("the Pod is invalid")?;
    let mut pod = pods.create(&PostParams::default(), &pod).await.context("creating a Pod")?;
    pod.managed_fields_mut().clear();
    Ok(serde_json::to_vec(&pod)?.len())
}

/// The annotation that injection leaves on a Pod.
const SIDECAR_STATUS: &str = concat!(
    r#"{"initContainers":["istio-init"],"containers":["istio-proxy"],"#,
    r#""volumes":["workload-socket","credential-socket","workload-certs","istio-envoy","istio-data","#,
    r#""istio-podinfo","istio-token","istiod-ca-cert"],"imagePullSecrets":null,"revision":"default"}"#
);

/// Returns a Pod of a mesh after injection: an application, a sidecar, an init container, their volumes and
/// environment.
fn pod(at: usize) -> Value {
    let mount = |name: &str, path: &str| json!({"name": name, "mountPath": path});
    let variable =
        |at: usize| json!({"name": format!("SETTING_{at}"), "value": format!("value-of-{at}-for-the-application")});
    let field = |name: &str, path: &str| {
        json!({"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1",
        "fieldPath": path}}})
    };
    let resources = json!({"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "128Mi"}});
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("pod-{at}"),
            "labels": {"app": format!("app-{}", at / 4), "pod-template-hash": "7d9c8b6f5d",
                "security.istio.io/tlsMode": "istio",
                       "service.istio.io/canonical-name": format!("app-{}", at / 4),
                           "service.istio.io/canonical-revision": "latest"},
            "annotations": {"istio.io/rev": "default", "prometheus.io/path": "/stats/prometheus",
                "prometheus.io/port": "15020",
                            "kubectl.kubernetes.io/default-container": "application",
                            "sidecar.istio.io/status": SIDECAR_STATUS},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("app-{}-7d9c8b6f5d",
                at / 4),
                                 "uid": "0b7f7a0e-2f5e-4c3c-9d0c-1c6f6f1f3a11", "controller": true,
                                     "blockOwnerDeletion": true}],
        },
        "spec": {
            "nodeName": format!("node-{}", at % 50),
            "containers": [
                {"name": "application", "image": format!("images.example.com/shop/app-{}:1.4.2", at / 4),
                 "env": (0..32).map(variable).collect::<Vec<_>>(), "ports": [{"name": "http", "containerPort": 8080}],
                 "resources": resources, "volumeMounts": [mount("settings", "/etc/settings"), mount("scratch", "/tmp")],
                 "readinessProbe": {"httpGet": {"path": "/app-health/application/readyz", "port": 15020},
                     "periodSeconds": 10}},
                {"name": "istio-proxy", "image": "images.example.com/istio/proxyv2:1.31.0-distroless",
                 "args": ["proxy", "sidecar", "--domain", "$(POD_NAMESPACE).svc.cluster.local",
                     "--proxyLogLevel=warning",
                          "--proxyComponentLogLevel=misc:error", "--log_output_level=default:info"],
                 "env": [field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace"),
                         field("INSTANCE_IP", "status.podIP"), field("SERVICE_ACCOUNT", "spec.serviceAccountName"),
                         field("HOST_IP", "status.hostIP"), variable(20), variable(21), variable(22)],
                 "ports": [{"name": "http-envoy-prom", "containerPort": 15090}], "resources": resources,
                 "volumeMounts": [mount("istio-envoy", "/etc/istio/proxy"), mount("istio-data", "/var/lib/istio/data"),
                                  mount("workload-socket", "/var/run/secrets/workload-spiffe-uds")]},
            ],
            "initContainers": [{"name": "istio-init", "image": "images.example.com/istio/proxyv2:1.31.0-distroless",
                                "args": ["istio-iptables", "-p", "15001", "-z", "15006", "-u", "1337", "-m",
                                    "REDIRECT"],
                                "resources": resources}],
            "volumes": [{"name": "settings", "configMap": {"name": "settings"}}, {"name": "scratch", "emptyDir": {}},
                        {"name": "istio-envoy", "emptyDir": {"medium": "Memory"}}, {"name": "istio-data",
                            "emptyDir": {}},
                        {"name": "workload-socket", "emptyDir": {}}],
        },
    })
}
