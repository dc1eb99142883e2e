//! A mesh whose Istio is installed by the operator, on a cluster with nodes, a scheduler and controllers.

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

/// Where Istio lives.
pub const NAMESPACE: &str = "istio-system";

/// The reconcilers whose subject is the mesh.
const EVERY: [&str; 8] =
    ["installation", "gateway-restart", "sidecar-restart", "gateway", "mtls", "monitoring", "injector", "status"];

/// Longer than any of them rests here, by what its calls cost.
const RESTED: Duration = Duration::from_secs(5);

/// A running operator, and the mesh it keeps.
pub struct Mesh {
    /// Its cluster.
    pub cluster: ControlPlane,
    /// The objects in there.
    pub objects: Objects,
    /// The operator.
    pub operator: Operator,
    /// Its status when it was last looked at.
    last: Last,
    plugins: TempDir,
}

/// The status of the mesh when it was last looked at.
#[derive(Default)]
struct Last(Mutex<Value>);

// === impl Mesh ===

impl Mesh {
    /// Starts a cluster without Istio, and the operator with `deploy/mesh.yaml`, which is to install a version of it. `None` where there is
    /// no Go to build either with.
    pub async fn start(version: &str) -> Option<Self> {
        let builder = ControlPlane::builder().controller_manager(true).scheduler(true).kwok(true).endless_jobs(true);
        let cluster = builder.service_monitors(true).crds(repository("deploy/crds")).start_for_test().await?;
        let objects = Objects(cluster.client().unwrap());
        cluster.apply_path(&repository("deploy/mesh.yaml")).await.unwrap();
        namespace(&cluster, NAMESPACE).await;
        configure(&objects, "installation", &json!({"config": {"version": version}})).await;
        wanted(&objects).await;
        let plugins = plugins();
        let operator = Operator::launch(&cluster.kubeconfig_path(), plugins.path()).await;
        let mesh = Self { cluster, objects, operator, last: Last::default(), plugins };
        mesh.loaded().await;
        Some(mesh)
    }

    /// Waits until every plugin and every renderer runs. One that can't says why in its operator's log.
    async fn loaded(&self) {
        eventually("every plugin runs", async || {
            let all = self.objects.reconcilers().list(&ListParams::default()).await.unwrap();
            let loaded = |own: &DynamicObject| condition(own, "Loaded").map(|(status, ..)| status);
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

    /// Has the mesh described by a custom resource, which says nothing of its own.
    pub async fn wanted(&self) {
        wanted(&self.objects).await;
    }

    /// Has another component stand where the installation does, with the configuration and the grants that are there.
    pub async fn installs_with(&self, component: &str) {
        self.configure("installation", &json!({"component": {"file": component}})).await;
    }

    /// The custom resources that describe the mesh.
    pub fn istios(&self) -> Api<DynamicObject> {
        istios(&self.objects)
    }

    /// The mesh's own.
    pub async fn istio(&self) -> DynamicObject {
        let istio = self.istios().get("default").await.unwrap();
        istio.data["status"].clone_into(&mut self.last.0.lock().unwrap());
        istio
    }

    /// Waits until the mesh says that it is so, in Kyma's words: `Ready`, `Warning`, `Error`, …
    pub async fn is(&self, state: &str) {
        eventually(&format!("the mesh is {state}"), async || self.istio().await.data["status"]["state"] == state).await;
    }

    /// Waits until a condition of the mesh has a reason; gives its message.
    pub async fn says(&self, kind: &str, reason: &str) -> String {
        let mut said = String::new();
        eventually(&format!("the mesh says {kind}: {reason}"), async || {
            let found = condition(&self.istio().await, kind);
            found.is_some_and(|(_, own, _)| own == reason)
        })
        .await;
        if let Some((_, _, message)) = condition(&self.istio().await, kind) {
            said = message;
        }
        said
    }

    /// Waits until the cluster has as many pods of Istio as its autoscalers want at least: they begin with one.
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

    /// Has the installation asked again, for no reason, until that costs nothing: once, unless something was still on its way.
    pub async fn writes_nothing(&self) {
        eventually("asking again writes nothing", async || self.asked_again().await == 0).await;
    }

    /// Has the installation asked again; gives how many applies that costs.
    async fn asked_again(&self) -> u64 {
        self.settled().await;
        let (calls, applies) = (self.operator.calls("installation").await, self.applies().await);
        let touch = json!({"metadata": {"annotations": {"touched": calls.to_string()}}});
        self.istios().patch("default", &PatchParams::default(), &Patch::Merge(touch)).await.unwrap();
        eventually("the installation is asked again", async || self.operator.calls("installation").await > calls).await;
        self.settled().await;
        self.applies().await - applies
    }

    /// Waits until the operator has nothing left to do.
    pub async fn settled(&self) {
        self.operator.settled().await;
    }

    /// Waits until nobody has applied anything for longer than any plugin here rests before it is asked about what changed.
    pub async fn quiet(&self) {
        let last = Cell::new((self.applies().await, Instant::now()));
        eventually("nobody writes any more", async || {
            let now = self.applies().await;
            if now != last.get().0 {
                last.set((now, Instant::now()));
            }
            last.get().1.elapsed() > RESTED
        })
        .await;
    }

    /// How often anybody applied anything: nobody in the cluster but the operator does.
    async fn applies(&self) -> u64 {
        self.cluster.writes().await.unwrap().of_verb(Verb::Apply).total()
    }

    /// Deletes an object, and gives how long it was away.
    pub async fn comes_back(&self, api: &Api<DynamicObject>, name: &str) -> Duration {
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

    /// A certificate authority, as it stands in a webhook: the cluster's own.
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

    /// Everything in the cluster, of whatever kind, that the operator calls its own: `kind namespace/name`, with its version.
    pub async fn ours(&self) -> BTreeMap<String, String> {
        self.objects.labelled("mizzen.dev/reconciler").await
    }

    /// What of it is Istio's installation: without what the cluster itself makes of a Service, with the Service's labels.
    pub async fn installed(&self) -> BTreeMap<String, String> {
        let mut all = self.objects.labelled("mizzen.dev/reconciler=installation").await;
        all.retain(|called, _| !called.starts_with("Endpoint"));
        all
    }

    /// Ends the operator and starts another; gives what anybody wrote until that had asked every plugin and had nothing left to do.
    pub async fn restart(self) -> (Self, WriteCounts) {
        self.quiet().await;
        let Self { cluster, objects, operator, last, plugins } = self;
        operator.stop().await;
        let before = cluster.writes().await.unwrap();
        let operator = Operator::launch(&cluster.kubeconfig_path(), plugins.path()).await;
        let mesh = Self { cluster, objects, operator, last, plugins };
        for reconciler in EVERY {
            eventually(&format!("{reconciler} is asked"), async || mesh.operator.calls(reconciler).await > 0).await;
        }
        mesh.settled().await;
        let written = mesh.cluster.writes().await.unwrap().since(&before).without_heartbeats();
        // Of what it has no metrics of, the cluster says so all the time.
        let autoscales = |write: &Write| write.resource == "horizontalpodautoscalers" && write.subresource == "status";
        (mesh, written.only(|write| !autoscales(write)))
    }

    /// Ends the operator, which must end well.
    pub async fn end(self) {
        self.operator.stop().await;
        drop(self.cluster);
    }
}

// === impl Last ===

impl Drop for Last {
    /// A test that failed says what the mesh said last.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:#}", self.0.lock().unwrap());
        }
    }
}

fn istios(objects: &Objects) -> Api<DynamicObject> {
    objects.within(NAMESPACE, "mizzen.dev/v1alpha1", "Istio", "istios")
}

async fn wanted(objects: &Objects) {
    let istio =
        json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "Istio", "metadata": {"name": "default"}, "spec": {}});
    apply(&istios(objects), &istio).await;
}

async fn configure(objects: &Objects, reconciler: &str, spec: &Value) {
    let patch = Patch::Merge(json!({"spec": spec}));
    objects.reconcilers().patch(reconciler, &PatchParams::default(), &patch).await.unwrap();
}
