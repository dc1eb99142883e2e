//! The cost of one changed object among many subjects: the engine on a cluster in memory, with real plugins in
//! the sandbox. One plugin reads by label, the other by a value.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use mizzen_cluster::memory::Memory;
use mizzen_config::Configuration;
use mizzen_engine::observe::{Called, Observer};
use mizzen_engine::{Concurrency, Engine, NodeSpec};
use mizzen_model::yaml;
use mizzen_sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};

use crate::converge::median;
use crate::operator::{Setup, cache, guests};

/// How many changes are measured.
const CHANGES: usize = 500;

const NAMESPACE: &str = "components";

/// The kinds that are read and written, without their schemas.
const KINDS: [(&str, &str, &str); 4] = [
    ("oda.tmforum.org", "ExposedAPI", "exposedapis"),
    ("networking.istio.io", "VirtualService", "virtualservices"),
    ("networking.istio.io", "Gateway", "gateways"),
    ("monitoring.coreos.com", "ServiceMonitor", "servicemonitors"),
];

/// Counts calls of plugins.
#[derive(Default)]
struct Calls(AtomicU64);

impl Observer for Calls {
    fn called(&self, _: &Called<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Measures one change with `few` and with `many` subjects, alternately.
pub(crate) async fn index(few: usize, many: usize) -> anyhow::Result<Value> {
    let (small, large) =
        (Stage::with(few, api_operator().await?).await?, Stage::with(many, api_operator().await?).await?);
    let mut micros: [Vec<f64>; 4] = Default::default();
    for round in 0..CHANGES {
        micros[0].push(small.change_one(round).await?);
        micros[1].push(large.change_one(round).await?);
        micros[2].push(small.change_unread(round).await?);
        micros[3].push(large.change_unread(round).await?);
    }
    let calls = [small.calls_per_change(1.0)?, large.calls_per_change(1.0)?];
    let [one_few, one_many, unread_few, unread_many] = micros.map(|times| median(times).unwrap_or(f64::NAN));
    drop((small, large));
    let by_value = by_value(few, many).await?;
    Ok(json!({
        "subjects": [few, many], "changes": CHANGES, "callsPerChange": calls,
        "changeMicros": [one_few, one_many], "ratio": one_many / one_few,
        "unreadChangeMicros": [unread_few, unread_many], "byValue": by_value,
    }))
}

/// The same with a plugin whose subjects read routes by path: all of them read the kind, and each change concerns
/// one of them.
async fn by_value(few: usize, many: usize) -> anyhow::Result<Value> {
    let (small, large) = (Stage::with(few, overlaps().await?).await?, Stage::with(many, overlaps().await?).await?);
    let mut micros: [Vec<f64>; 2] = Default::default();
    for round in 0..CHANGES {
        micros[0].push(small.change_route(round).await?);
        micros[1].push(large.change_route(round).await?);
    }
    // Each change except the first moves the route from one subject to the next.
    let calls = [small.calls_per_change(2.0)?, large.calls_per_change(2.0)?];
    let [one_few, one_many] = micros.map(|times| median(times).unwrap_or(f64::NAN));
    Ok(json!({"callsPerChange": calls, "changeMicros": [one_few, one_many], "ratio": one_many / one_few}))
}

/// A cluster with converged subjects.
struct Stage {
    memory: Memory,
    engine: Engine,
    calls: Arc<Calls>,
    before: u64,
    subjects: usize,
}

impl Stage {
    async fn with(subjects: usize, plugin: NodeSpec) -> anyhow::Result<Self> {
        let memory = Memory::new();
        let put = |document: Value| memory.put("bench", &document).context("the cluster in memory refuses an object");
        for (group, kind, plural) in KINDS {
            put(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": format!("{plural}.{group}")},
                "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
                    "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                        "type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}}))?;
        }
        for at in 0..subjects {
            put(slice(at, true))?;
            put(json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI",
                "metadata": {"name": format!("api-{at}"), "namespace": NAMESPACE},
                "spec": {"name": format!("api-{at}"), "apiType": "openapi", "implementation": format!("api-{at}"),
                         "path": format!("/{at}/api"), "port": 8080}}))?;
        }
        let calls = Arc::<Calls>::default();
        let engine = Engine::start(Arc::new(memory.clone()), Arc::clone(&calls) as _, Concurrency::default());
        engine.configure(vec![plugin]);
        engine.settled().await;
        let before = calls.0.load(Ordering::Relaxed);
        ensure!(before >= subjects as u64, "only {before} of {subjects} subjects had a call");
        Ok(Self { memory, engine, calls, before, subjects })
    }

    /// Makes one Service's endpoints ready or unready: only its API has read them.
    async fn change_one(&self, round: usize) -> anyhow::Result<f64> {
        let at = round % self.subjects;
        self.put(&slice(at, (round / self.subjects) % 2 == 1)).await
    }

    /// Moves a route from one API's path to another's.
    async fn change_route(&self, round: usize) -> anyhow::Result<f64> {
        let prefix = format!("/{}/api/v1", round % self.subjects);
        self.put(&json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "other", "namespace": "elsewhere"},
            "spec": {"http": [{"match": [{"uri": {"prefix": prefix}}]}]}}))
            .await
    }

    /// Changes a Gateway that no key has read.
    async fn change_unread(&self, round: usize) -> anyhow::Result<f64> {
        let gateway = json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway",
            "metadata": {"name": "other", "namespace": "elsewhere"},
                "spec": {"servers": [{"port": {"number": round}}]}});
        self.put(&gateway).await
    }

    /// Returns the microseconds from a change until the engine has settled.
    async fn put(&self, document: &Value) -> anyhow::Result<f64> {
        let started = Instant::now();
        self.memory.put("bench", document)?;
        self.engine.settled().await;
        Ok(started.elapsed().as_secs_f64() * 1e6)
    }

    /// Returns the average number of calls per change, each of which has this many readers. A few more are allowed:
    /// on a busy machine, a slow first call gives its key a cooldown and another call after it.
    #[expect(clippy::cast_precision_loss, reason = "some hundreds of calls")]
    fn calls_per_change(&self, readers: f64) -> anyhow::Result<f64> {
        let calls = (self.calls.0.load(Ordering::Relaxed) - self.before) as f64 / CHANGES as f64;
        ensure!((calls / readers - 1.0).abs() < 0.05, "a change with {readers} readers led to {calls} calls");
        Ok(calls)
    }
}

async fn api_operator() -> anyhow::Result<NodeSpec> {
    load(Setup::api_operator()?, "api-operator.wasm").await
}

async fn overlaps() -> anyhow::Result<NodeSpec> {
    let configuration = "
apiVersion: mizzen.dev/v1alpha1
kind: Reconciler
metadata: {name: overlaps}
spec:
  component: {file: overlaps.wasm}
  subject: {apiVersion: oda.tmforum.org/v1, kind: ExposedAPI}
  grants: {read: [{apiVersion: networking.istio.io/v1, kind: VirtualService}]}
";
    load(Setup { plugins: guests()?, components: &["overlaps.wasm"], configuration }, "overlaps.wasm").await
}

async fn load(Setup { plugins, configuration, .. }: Setup<'_>, component: &str) -> anyhow::Result<NodeSpec> {
    let documents = yaml::parse(Path::new("reconcilers.yaml"), configuration)?;
    let configuration = Configuration::strict(&documents).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    let reconciler = configuration.reconcilers.first().cloned().context("there is no reconciler")?;
    let sandbox = Sandbox::new(SandboxOptions { cache: Some(cache()?), ..SandboxOptions::default() })?;
    let component = sandbox.load_file(&plugins.join(component)).await?;
    let limits = reconciler.limits;
    Ok(NodeSpec { reconciler, invoke: Ok(Arc::new(component.with_limits(limits))) })
}

fn slice(at: usize, ready: bool) -> Value {
    json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": format!("api-{at}-1"), "namespace": NAMESPACE,
            "labels": {"kubernetes.io/service-name": format!("api-{at}")}},
        "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": ready}}]})
}
