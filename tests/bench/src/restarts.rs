//! The cost of deciding which workloads of a large mesh must be restarted: one call of `sidecar-restart` with all
//! Pods.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use async_trait::async_trait;
use mizzen_config::Limits;
use mizzen_model::read::Level;
use mizzen_model::{AccessError, Call, Fields, Invoke, Kind, Object, ObjectRef, Query, Reads, Request};
use mizzen_sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};

use crate::operator::{cache, plugins};

/// Pods of each workload.
pub(crate) const REPLICAS: usize = 4;

/// Their namespace.
pub(crate) const NAMESPACE: &str = "shop";

/// The memory limit of the component: half of the default.
const MEMORY: u64 = 32 << 20;

/// The time limit, for a machine that may be busy.
const TIME: Duration = Duration::from_mins(1);

/// The conditions of a ready Pod.
const CONDITIONS: [&str; 5] = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

const SUBJECT: &str =
    r#"{"apiVersion":"mizzen.dev/v1alpha1","kind":"Istio","metadata":{"name":"default","namespace":"istio-system"}}"#;
pub(crate) const IMAGE: &str = "images.example.com/istio/proxyv2:1.31.0";

/// Measures the milliseconds of a call when every sidecar is up to date, and when none is, with the bytes that the
/// component read.
pub(crate) async fn restarts(count: usize) -> anyhow::Result<Value> {
    let sandbox = Sandbox::new(SandboxOptions { cache: Some(cache()?), ..SandboxOptions::default() })?;
    let component = sandbox.load_file(&plugins()?.join("sidecar-restart.wasm")).await?;
    let sets = component.description().field_sets.iter();
    let sets: HashMap<_, _> = sets.map(|(name, set)| (name.clone(), (set.kind.clone(), set.fields.clone()))).collect();
    let mesh = Arc::new(Mesh::new(count, sets)?);
    let plugin = component.with_limits(Limits { memory: MEMORY, time: TIME, ..Limits::default() });
    let mut figures = json!({"pods": count, "workloads": count / REPLICAS, "memoryLimitMiB": MEMORY >> 20});
    for (name, image, expected) in
        [("settled", IMAGE, 0), ("outdated", "images.example.com/istio/proxyv2:1.32.0", count / REPLICAS)]
    {
        let config = json!({"image": image}).to_string();
        let request = Request { subject: SUBJECT.into(), config, predecessors: Vec::new() };
        mesh.given.store(0, Ordering::Relaxed);
        let began = Instant::now();
        let outcome = plugin.invoke(Call::Reconcile, &request, Arc::clone(&mesh) as Arc<dyn Reads>).await??;
        let millis = began.elapsed().as_secs_f64() * 1e3;
        let restarting = outcome.status.as_ref().and_then(|status| status["sidecars"]["restarting"]["count"].as_u64());
        ensure!(restarting == Some(expected as u64), "{name}: {restarting:?} workloads are restarted, not {expected}");
        figures[name] = json!({"millis": millis, "readBytes": mesh.given.load(Ordering::Relaxed),
            "patches": outcome.patches.len()});
    }
    Ok(figures)
}

/// The objects of a mesh, by field set, each with its fields.
struct Mesh {
    sets: HashMap<String, (Kind, Fields)>,
    objects: HashMap<String, Vec<Arc<Object>>>,
    given: AtomicU64,
}

impl Mesh {
    fn new(count: usize, sets: HashMap<String, (Kind, Fields)>) -> anyhow::Result<Self> {
        let mut mesh = Self { sets, objects: HashMap::new(), given: AtomicU64::default() };
        mesh.put(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE,
            "labels": {"istio-injection": "enabled"}}}))?;
        for workload in 0..count / REPLICAS {
            mesh.put(&deployment(workload))?;
            mesh.put(&replica_set(workload))?;
            for replica in 0..REPLICAS {
                mesh.put(&pod(workload, replica))?;
            }
        }
        Ok(mesh)
    }

    fn put(&mut self, document: &Value) -> anyhow::Result<()> {
        let kind = |of: &Kind| document["apiVersion"] == *of.api_version && document["kind"] == *of.name;
        for (name, (_, fields)) in self.sets.iter().filter(|(_, (of, _))| kind(of)) {
            let object = Arc::new(Object::new(document.clone(), fields)?);
            self.objects.entry(name.clone()).or_default().push(object);
        }
        Ok(())
    }
}

#[async_trait]
impl Reads for Mesh {
    async fn get(&self, _: &ObjectRef, _: Option<&str>) -> Result<Option<Arc<Object>>, AccessError> {
        Ok(None)
    }
    async fn list(&self, query: &Query) -> Result<Vec<Arc<Object>>, AccessError> {
        let objects = query.fields.as_deref().and_then(|set| self.objects.get(set)).cloned().unwrap_or_default();
        self.given.fetch_add(objects.iter().map(|own| own.json().len() as u64).sum(), Ordering::Relaxed);
        Ok(objects)
    }
    async fn count(&self, _: &Query) -> Result<u64, AccessError> {
        Ok(0)
    }
    async fn serves(&self, _: &Kind) -> Result<bool, AccessError> {
        Ok(true)
    }
    fn now(&self) -> u64 {
        0
    }
    fn log(&self, _: Level, _: &str, _: &[(String, String)]) {}
}

pub(crate) fn deployment(workload: usize) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": format!("app-{workload}"),
        "namespace": NAMESPACE, "generation": 3},
           "spec": {"replicas": REPLICAS, "template": {"metadata": {"labels": {"app": format!("app-{workload}")}}}},
           "status": {"observedGeneration": 3, "replicas": REPLICAS, "updatedReplicas": REPLICAS,
               "readyReplicas": REPLICAS,
                      "availableReplicas": REPLICAS}})
}

pub(crate) fn replica_set(workload: usize) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": format!("app-{workload}-7d9c8b6f5d"),
        "namespace": NAMESPACE,
           "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("app-{workload}"),
               "controller": true}]}})
}

pub(crate) fn pod(workload: usize, replica: usize) -> Value {
    let status = concat!(
        r#"{"initContainers":["istio-validation","istio-proxy"],"containers":null,"#,
        r#""volumes":["workload-socket","credential-socket","workload-certs","istio-envoy","istio-data","#,
        r#""istio-podinfo","istio-token","istiod-ca-cert"],"imagePullSecrets":null,"revision":"default"}"#
    );
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("app-{workload}-7d9c8b6f5d-{replica:05}"), "namespace": NAMESPACE,
                "uid": format!("5b0f7c1e-6c0a-4b7b-9a55-{workload:08}{replica:04}"),
            "annotations": {"istio.io/rev": "default", "prometheus.io/path": "/stats/prometheus",
                "prometheus.io/port": "15020",
                            "prometheus.io/scrape": "true", "sidecar.istio.io/status": status},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet",
                "name": format!("app-{workload}-7d9c8b6f5d"), "controller": true}],
        },
        "spec": {"containers": [{"name": "app"}], "initContainers": [{"name": "istio-validation"},
            {"name": "istio-proxy", "image": IMAGE,
                 "env": [{"name": "TRUST_DOMAIN", "value": "cluster.local"}],
                 "resources": {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "100m",
                     "memory": "128Mi"}}}]},
        "status": {"phase": "Running", "conditions": CONDITIONS.map(|kind| json!({"type": kind, "status": "True"}))},
    })
}
