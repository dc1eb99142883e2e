//! A mesh whose Istio the operator installs, on a cluster with nodes, a scheduler and controllers.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use kube::ResourceExt;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use mizzen_testcluster::{ControlPlane, Verb, Write, WriteCounts};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::objects::{Objects, apply, condition};
use crate::operator::{Operator, plugins};
use crate::{eventually, namespace, repository};

/// The namespace of Istio.
pub const NAMESPACE: &str = "istio-system";

/// The reconcilers whose subject is the mesh.
const RECONCILERS: [&str; 8] =
    ["installation", "gateway-restart", "sidecar-restart", "gateway", "mtls", "monitoring", "injector", "status"];

/// Longer than the cooldown of any plugin here.
const LONGEST_COOLDOWN: Duration = Duration::from_secs(5);

/// A running operator, and its mesh.
pub struct Mesh {
    /// Its cluster.
    pub cluster: ControlPlane,
    /// Its objects.
    pub objects: Objects,
    /// The operator.
    pub operator: Operator,
    /// The status of the mesh when it was read last.
    last: Last,
    plugins: TempDir,
}

/// The status of the mesh when it was read last.
#[derive(Default)]
struct Last(Mutex<Value>);

// === impl Mesh ===

impl Mesh {
    /// Starts a cluster without Istio, and the operator with `deploy/mesh.yaml`, which installs a version
    /// of Istio. `None` where Go, which builds both, is not installed.
    pub async fn start(version: &str) -> Option<Self> {
        let builder = ControlPlane::builder().controller_manager().scheduler().kwok().endless_jobs();
        let cluster = builder.service_monitors().crds(repository("deploy/crds")).start_for_test().await?;
        let objects = Objects(cluster.client().unwrap());
        cluster.apply_path(&repository("deploy/mesh.yaml")).await.unwrap();
        namespace(&cluster, NAMESPACE).await;
        configure(&objects, "installation", &json!({"config": {"version": version}})).await;
        create_istio(&objects).await;
        let plugins = plugins();
        let operator = Operator::launch(&cluster.kubeconfig_path(), plugins.path()).await;
        let mesh = Self { cluster, objects, operator, last: Last::default(), plugins };
        mesh.loaded().await;
        Some(mesh)
    }

    /// Waits until every plugin is loaded; panics when one can't be.
    async fn loaded(&self) {
        eventually("every plugin is loaded", async || {
            let all = self.objects.reconcilers().list(&ListParams::default()).await.unwrap();
            let loaded = |own: &DynamicObject| condition(own, "Loaded").map(|found| found.status);
            let failed = all.iter().find(|own| loaded(own).is_some_and(|status| status == "False"));
            assert!(
                failed.is_none(),
                "{:?}: run `make plugins` first",
                failed.map(|own| (own.name_any(), condition(own, "Loaded")))
            );
            all.iter().all(|own| loaded(own).is_some())
        })
        .await;
    }

    /// Changes the spec of a reconciler.
    pub async fn configure(&self, reconciler: &str, spec: &Value) {
        configure(&self.objects, reconciler, spec).await;
    }

    /// Creates the `Istio` resource of the mesh, with an empty spec.
    pub async fn create_istio(&self) {
        create_istio(&self.objects).await;
    }

    /// Replaces the component of `installation`; configuration and grants stay.
    pub async fn replace_installation(&self, component: &str) {
        self.configure("installation", &json!({"component": {"file": component}})).await;
    }

    /// The `Istio` resources.
    pub fn istios(&self) -> Api<DynamicObject> {
        istios(&self.objects)
    }

    /// Reads the `Istio` resource of the mesh.
    pub async fn istio(&self) -> DynamicObject {
        let istio = self.istios().get("default").await.unwrap();
        istio.data["status"].clone_into(&mut self.last.0.lock().unwrap());
        istio
    }

    /// Waits until the mesh has a state in Kyma's words: `Ready`, `Warning`, `Error`, …
    pub async fn reaches(&self, state: &str) {
        eventually(&format!("the mesh is {state}"), async || self.istio().await.data["status"]["state"] == state).await;
    }

    /// Waits until a condition of the mesh has a reason, and returns its message.
    pub async fn reports(&self, kind: &str, reason: &str) -> String {
        eventually(&format!("the mesh reports {kind}: {reason}"), async || {
            condition(&self.istio().await, kind).is_some_and(|found| found.reason == reason)
        })
        .await;
        condition(&self.istio().await, kind).unwrap_or_default().message
    }

    /// Waits until Istio has the minimum number of pods of its autoscalers; Deployments start with one.
    pub async fn scaled(&self) {
        let scalers =
            self.objects.within(NAMESPACE, "autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers");
        let deployments = self.objects.within(NAMESPACE, "apps/v1", "Deployment", "deployments");
        eventually("Istio is scaled", async || {
            let there = deployments.list(&ListParams::default()).await.unwrap().items;
            scalers.list(&ListParams::default()).await.unwrap().iter().all(|own| {
                let scaled = |to: &&DynamicObject| own.data["spec"]["scaleTargetRef"]["name"] == to.name_any();
                let least = own.data["spec"]["minReplicas"].as_i64().unwrap_or(1);
                let available = |of: &DynamicObject| of.data["status"]["availableReplicas"].as_i64();
                there.iter().find(scaled).and_then(available).is_some_and(|available| available >= least)
            })
        })
        .await;
    }

    /// Causes calls of the installation, without a change that matters, until one leads to no write: the
    /// first, unless a change was still in progress.
    pub async fn another_call_writes_nothing(&self) {
        eventually("another call writes nothing", async || self.writes_of_another_call().await == 0).await;
    }

    /// Causes a call of the installation, and returns how many applies follow from it.
    async fn writes_of_another_call(&self) -> u64 {
        self.settled().await;
        let (calls, applies) = (self.operator.calls("installation").await, self.applies().await);
        let touch = json!({"metadata": {"annotations": {"touched": calls.to_string()}}});
        self.istios().patch("default", &PatchParams::default(), &Patch::Merge(touch)).await.unwrap();
        eventually("the installation is called again", async || self.operator.calls("installation").await > calls)
            .await;
        self.settled().await;
        self.applies().await - applies
    }

    /// Waits until the operator has nothing left to do.
    pub async fn settled(&self) {
        self.operator.settled().await;
    }

    /// Waits until nothing was applied for longer than any cooldown here.
    pub async fn quiet(&self) {
        let last = Cell::new((self.applies().await, Instant::now()));
        eventually("no object is written", async || {
            let now = self.applies().await;
            if now != last.get().0 {
                last.set((now, Instant::now()));
            }
            last.get().1.elapsed() > LONGEST_COOLDOWN
        })
        .await;
    }

    /// Returns the number of applies by all clients; the operator is the only one that applies.
    async fn applies(&self) -> u64 {
        self.cluster.writes().await.unwrap().of_verb(Verb::Apply).total()
    }

    /// Deletes an object, and returns how long it takes until it exists again.
    pub async fn repair_time(&self, api: &Api<DynamicObject>, name: &str) -> Duration {
        let before = api.get(name).await.unwrap();
        api.delete(name, &DeleteParams::background()).await.unwrap();
        eventually(&format!("{name} is back"), async || {
            api.get_opt(name).await.unwrap().is_some_and(|now| now.uid() != before.uid())
        })
        .await
    }

    /// The webhooks that inject sidecars.
    pub fn injectors(&self) -> Api<DynamicObject> {
        let kind = ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations");
        self.objects.of(kind.0, kind.1, kind.2)
    }

    /// The cluster's certificate authority, encoded as in a webhook.
    pub fn authority(&self) -> String {
        let kubeconfig = kube::config::Kubeconfig::read_from(self.cluster.kubeconfig_path()).unwrap();
        let cluster = kubeconfig.clusters.into_iter().find_map(|named| named.cluster).unwrap();
        cluster.certificate_authority_data.unwrap()
    }

    /// The webhooks that validate Istio's own kinds.
    pub fn validators(&self) -> Api<DynamicObject> {
        let kind =
            ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations");
        self.objects.of(kind.0, kind.1, kind.2)
    }

    /// Returns all objects that the operator owns: by `kind namespace/name`, the version of each.
    pub async fn owned(&self) -> BTreeMap<String, String> {
        self.objects.labelled("mizzen.dev/reconciler").await
    }

    /// Returns those of the installation, without the endpoints that the cluster creates for a Service and
    /// that have the Service's labels.
    pub async fn installed(&self) -> BTreeMap<String, String> {
        let mut all = self.objects.labelled("mizzen.dev/reconciler=installation").await;
        all.retain(|name, _| !name.starts_with("Endpoint"));
        all
    }

    /// Stops the operator and starts another. Returns what was written until that one had called every
    /// plugin and had nothing left to do.
    pub async fn restart(self) -> (Self, WriteCounts) {
        self.quiet().await;
        let Self { cluster, objects, operator, last, plugins } = self;
        operator.stop().await;
        let before = cluster.writes().await.unwrap();
        let operator = Operator::launch(&cluster.kubeconfig_path(), plugins.path()).await;
        let mesh = Self { cluster, objects, operator, last, plugins };
        for reconciler in RECONCILERS {
            eventually(&format!("{reconciler} is called"), async || mesh.operator.calls(reconciler).await > 0).await;
        }
        mesh.settled().await;
        let written = mesh.cluster.writes().await.unwrap().since(&before).without_heartbeats();
        // Without metrics of Pods, the autoscaler reports that in its status all the time.
        let autoscales = |write: &Write| write.resource == "horizontalpodautoscalers" && write.subresource == "status";
        (mesh, written.only(|write| !autoscales(write)))
    }

    /// Shuts the operator down, which must end with success.
    pub async fn stop(self) {
        self.operator.stop().await;
        drop(self.cluster);
    }
}

// === impl Last ===

impl Drop for Last {
    /// Prints the last status of the mesh when the test has failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:#}", self.0.lock().unwrap());
        }
    }
}

fn istios(objects: &Objects) -> Api<DynamicObject> {
    objects.within(NAMESPACE, "mizzen.dev/v1alpha1", "Istio", "istios")
}

async fn create_istio(objects: &Objects) {
    let istio =
        json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "Istio", "metadata": {"name": "default"}, "spec": {}});
    apply(&istios(objects), &istio).await;
}

async fn configure(objects: &Objects, reconciler: &str, spec: &Value) {
    let patch = Patch::Merge(json!({"spec": spec}));
    objects.reconcilers().patch(reconciler, &PatchParams::default(), &patch).await.unwrap();
}
