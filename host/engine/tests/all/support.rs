//! A test bench for the engine: a cluster in memory, plugins that are closures, and an engine.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mizzen_cluster::memory::{Memory, WriteRecord};
use mizzen_config::{Component, Grant, Grants, Limits, Mode, Origin, Reconciler, Subject};
use mizzen_engine::observe::Log;
use mizzen_engine::{Concurrency, Engine, NodeSpec};
use mizzen_model::{
    Access, AccessError, Call, CallError, Description, Digest, Failure, FieldSet, Fields, Invoke, Kind, Need,
    ObjectRef, Outcome, Query, Readiness, Reads, Request, Selector, Wanted,
};
use serde_json::{Value, json};

pub const CRDS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Shop, plural: shops}
  versions:
    - name: v1
      served: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          properties:
            status: {properties: {conditions: {x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [type]}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: malls.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Mall, plural: malls}
  versions:
    - name: v1
      served: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          properties:
            status: {properties: {conditions: {x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [type]}}}
";

/// What a plugin returns from a call.
pub type Returned = Result<Outcome, Failure>;
type Body =
    dyn Fn(Value, Arc<dyn Reads>) -> futures::future::BoxFuture<'static, Result<Returned, CallError>> + Send + Sync;

pub fn shop() -> Kind {
    Kind::new("example.com/v1", "Shop")
}

pub fn config_map() -> Kind {
    Kind::new("v1", "ConfigMap")
}

pub fn service() -> Kind {
    Kind::new("v1", "Service")
}

/// A plugin that is a closure.
pub struct Plugin {
    description: Description,
    digest: Digest,
    body: Box<Body>,
    pub calls: Arc<AtomicUsize>,
}

#[async_trait]
impl Invoke for Plugin {
    fn description(&self) -> &Description {
        &self.description
    }
    fn digest(&self) -> Digest {
        self.digest
    }
    async fn invoke(&self, call: Call, request: &Request, reads: Arc<dyn Reads>) -> Result<Returned, CallError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mut subject: Value = serde_json::from_str(&request.subject).unwrap();
        subject["finalizing"] = json!(call == Call::Finalize);
        (self.body)(subject, reads).await
    }
}

/// A plugin under construction: its subjects are Shops, it reads Services and applies ConfigMaps.
#[derive(Clone)]
pub struct PluginBuilder {
    name: &'static str,
    version: u32,
    description: Description,
    reconciler: Reconciler,
}

pub fn plugin(name: &'static str) -> PluginBuilder {
    let need = |kind, access| Need { kind, access, why: String::new() };
    let sets = BTreeMap::from([(
        "type".to_owned(),
        FieldSet { kind: service(), fields: Fields::parse(["spec.type"]).unwrap() },
    )]);
    let description = Description {
        name: name.into(),
        version: "1".into(),
        summary: String::new(),
        subject: shop(),
        config_schema: json!({}),
        needs: vec![need(service(), Access::Read), need(config_map(), Access::Apply)],
        field_sets: sets,
        credentials: Vec::new(),
        http: Vec::new(),
        renderers: Vec::new(),
        finalizes: false,
    };
    let grant = Grant::everywhere;
    let reconciler = Reconciler {
        name: name.into(),
        origin: Origin::Cluster,
        generation: 1,
        component: Component::File("x".into()),
        subject: Subject::every(shop()),
        after: Vec::new(),
        after_any: Vec::new(),
        config: json!({}),
        grants: Grants { read: vec![grant(service())], apply: vec![grant(config_map())], ..Grants::default() },
        limits: Limits::default(),
        pace: BTreeMap::new(),
        mode: Mode::Enforce,
    };
    PluginBuilder { name, version: 1, description, reconciler }
}

impl PluginBuilder {
    pub fn after(mut self, name: &str) -> Self {
        self.reconciler.after.push(name.into());
        self
    }
    pub fn after_any(mut self, name: &str) -> Self {
        self.reconciler.after_any.push(name.into());
        self
    }
    pub fn subject_kind(mut self, kind: Kind) -> Self {
        self.description.subject = kind.clone();
        self.reconciler.subject.kind = kind;
        self
    }
    pub fn finalizes(mut self) -> Self {
        self.description.finalizes = true;
        self
    }
    pub fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }
    /// May also read the kind that it applies.
    pub fn reads_maps(self) -> Self {
        self.with(|description, reconciler| {
            description.needs.push(Need { kind: config_map(), access: Access::Read, why: String::new() });
            reconciler.grants.read.push(reconciler.grants.apply[0].clone());
        })
    }

    pub fn with(mut self, change: impl FnOnce(&mut Description, &mut Reconciler)) -> Self {
        change(&mut self.description, &mut self.reconciler);
        self
    }

    /// A plugin that may read: `body` gets the subject, with the field `finalizing` added, and the reads.
    pub fn reconciles<F>(
        self,
        body: impl Fn(Value, Arc<dyn Reads>) -> F + Send + Sync + 'static,
    ) -> (NodeSpec, Arc<AtomicUsize>)
    where
        F: Future<Output = Result<Returned, CallError>> + Send + 'static,
    {
        let calls = Arc::new(AtomicUsize::new(0));
        let digest = Digest::of(format!("{} {}", self.name, self.version));
        let body: Box<Body> = Box::new(move |subject, reads| Box::pin(body(subject, reads)));
        let plugin = Plugin { description: self.description, digest, body, calls: Arc::clone(&calls) };
        (NodeSpec { reconciler: Arc::new(self.reconciler), invoke: Ok(Arc::new(plugin)) }, calls)
    }

    /// A plugin that reads nothing.
    pub fn returns(self, body: impl Fn(&Value) -> Returned + Send + Sync + 'static) -> (NodeSpec, Arc<AtomicUsize>) {
        self.reconciles(move |subject, _| std::future::ready(Ok(body(&subject))))
    }
}

/// A cluster with an engine on it.
pub struct Stage {
    pub memory: Memory,
    pub engine: Engine,
}

pub fn memory() -> Memory {
    Memory::from_yaml(CRDS).unwrap()
}

impl Stage {
    pub async fn on(memory: &Memory, nodes: Vec<NodeSpec>) -> Self {
        let stage = Self::starting_on(memory, nodes);
        stage.engine.settled().await;
        stage
    }

    /// Without waiting for the engine to settle.
    pub fn starting_on(memory: &Memory, nodes: Vec<NodeSpec>) -> Self {
        let engine = Engine::start(Arc::new(memory.clone()), Arc::new(Log), Concurrency::default());
        engine.configure(nodes);
        Self { memory: memory.clone(), engine }
    }

    /// With a clock that starts at `start` and advances with tokio's.
    pub async fn at(start: &str, memory: &Memory, nodes: Vec<NodeSpec>) -> Self {
        let (start, begun) = (start.parse::<jiff::Timestamp>().unwrap(), tokio::time::Instant::now());
        let clock: mizzen_engine::Clock = Arc::new(move || start + begun.elapsed());
        let settings = mizzen_engine::Settings { clock, ..mizzen_engine::Settings::default() };
        let engine = Engine::start_with(Arc::new(memory.clone()), Arc::new(Log), settings);
        engine.configure(nodes);
        engine.settled().await;
        Self { memory: memory.clone(), engine }
    }

    /// Waits for `time` on tokio's clock, then until the engine has settled.
    pub async fn after(&self, time: std::time::Duration) {
        tokio::time::sleep(time).await;
        self.engine.settled().await;
    }

    pub async fn put(&self, document: &Value) {
        put(&self.memory, document);
        self.engine.settled().await;
    }

    pub fn writes(&self) -> Vec<WriteRecord> {
        self.memory.take_writes()
    }

    pub fn data(&self, name: &str) -> Option<Value> {
        self.memory.find(&map_ref("a", name)).map(|map| map["data"].clone())
    }

    /// Status, reason and message of a condition of Shop a/x.
    pub fn condition(&self, kind: &str) -> (String, String, String) {
        self.condition_of("x", kind)
    }

    /// Status, reason and message of a condition of a Shop.
    pub fn condition_of(&self, name: &str, kind: &str) -> (String, String, String) {
        let shop = self.memory.find(&shop_ref(name)).unwrap();
        let conditions = shop["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let found = conditions.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default();
        let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
        (text("status"), text("reason"), text("message"))
    }
}

pub fn put(memory: &Memory, document: &Value) {
    memory.put("user", document).unwrap();
}

pub fn shop_ref(name: &str) -> ObjectRef {
    ObjectRef::new(shop(), Some("a"), name)
}

pub fn map_ref(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef::new(config_map(), Some(namespace), name)
}

pub fn a_shop(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Shop", "metadata": {"name": name, "namespace": "a"}, "spec": spec})
}

pub fn a_service(name: &str, shop: &str, kind: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": "a", "labels": {"shop": shop}}, "spec": {"type": kind},
    })
}

pub fn a_map(namespace: &str, name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data})
}

/// An outcome that is ready and desires these objects.
pub fn desires(objects: Vec<Value>) -> Outcome {
    Outcome { desired: Some(Wanted::All(objects)), ..Outcome::new(Readiness::Ready) }
}

/// Reads the Services of a shop by label, with the fields of field set `type`.
pub async fn services(reads: &Arc<dyn Reads>, shop: &Value) -> Result<Vec<Value>, AccessError> {
    let query = Query {
        kind: service(),
        namespace: Some("a".into()),
        labels: Selector::equal("shop", shop["metadata"]["name"].as_str().unwrap()),
        namespace_labels: Selector::everything(),
        values: None,
        fields: Some("type".into()),
    };
    Ok(reads.list(&query).await?.iter().map(|service| service.value()).collect())
}

/// A plugin that applies a ConfigMap with the types of its shop's Services.
pub fn lister(name: &'static str) -> (NodeSpec, Arc<AtomicUsize>) {
    plugin(name).reconciles(|shop, reads| async move {
        Ok(match services(&reads, &shop).await {
            Ok(services) => {
                let types: Vec<_> = services.iter().map(|service| service["spec"]["type"].clone()).collect();
                let name = shop["metadata"]["name"].as_str().unwrap();
                Ok(desires(vec![a_map("a", name, json!({"types": json!(types).to_string()}))]))
            }
            Err(_) => Ok(desires(Vec::new())),
        })
    })
}

pub fn count(calls: &Arc<AtomicUsize>) -> usize {
    calls.load(Ordering::SeqCst)
}

/// A value that a test sets and a plugin's closure reads.
pub type Switch<T> = Arc<Mutex<T>>;

pub fn switch<T>(value: T) -> Switch<T> {
    Arc::new(Mutex::new(value))
}
