//! A stage for the plugin `egress`: its component in the sandbox, under the configuration that is
//! shipped with it, the engine on a cluster in memory, and a real HTTPS server on loopback in the
//! role of the Dynatrace API.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "what is missing for a test fails it")]

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use mizzen_cluster::memory::Memory;
use mizzen_config::Configuration;
use mizzen_engine::observe::Log;
use mizzen_engine::{Engine, NodeSpec, Settings};
use mizzen_http::{Client, Lookup};
use mizzen_model::{Kind, ObjectRef, yaml};
use mizzen_sandbox::{Sandbox, SandboxOptions};
use mizzen_testhttps::{Received, Response, Server};
use serde_json::{Value, json};

/// The host of the API, and of its server's certificate.
pub const API: &str = "abc.live.dynatrace.com";

const THERE: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: dynatrace}}
---
{apiVersion: v1, kind: Secret, metadata: {name: prod, namespace: dynatrace}, stringData: {apiToken: t0ken}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: serviceentries.networking.istio.io}
spec: {group: networking.istio.io, scope: Namespaced, names: {kind: ServiceEntry, plural: serviceentries},
  versions: [{name: v1, served: true, storage: true,
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: virtualservices.networking.istio.io}
spec: {group: networking.istio.io, scope: Namespaced, names: {kind: VirtualService, plural: virtualservices},
  versions: [{name: v1, served: true, storage: true,
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}
";

/// Everything of a test; dropped with it.
pub struct Stage {
    /// The cluster.
    pub memory: Memory,
    /// The Dynatrace API.
    pub api: Server,
    engine: Engine,
    /// Grants for the API in addition to the shipped ones.
    grant: Value,
}

/// Resolves every name to 127.0.0.1.
struct Loopback;

#[async_trait]
impl Lookup for Loopback {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![[127, 0, 0, 1].into()])
    }
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn dynakube() -> ObjectRef {
    ObjectRef::new(Kind::new("dynatrace.com/v1beta6", "DynaKube"), Some("dynatrace"), "prod")
}

/// A response with these hosts, for any request.
pub fn naming(
    activegate: &'static str,
    oneagent: &'static str,
) -> impl Fn(&Received) -> Response + Send + Sync + 'static {
    move |request| {
        let (gate, agents) =
            (json!(activegate), json!(oneagent.split(',').filter(|url| !url.is_empty()).collect::<Vec<_>>()));
        match &*request.path {
            "/api/v1/deployment/installer/gateway/connectioninfo" => {
                Response::json(&json!({"tenantUUID": "abc", "tenantToken": "x", "communicationEndpoints": gate}))
            }
            "/api/v1/deployment/installer/agent/connectioninfo" => {
                Response::json(&json!({"tenantUUID": "abc", "tenantToken": "x", "communicationEndpoints": agents}))
            }
            _ => Response::status(404),
        }
    }
}

// === impl Stage ===

impl Stage {
    /// A cluster with a DynaKube whose API responds like this, is trusted, and gets a request at
    /// once.
    pub async fn start(respond: impl Fn(&Received) -> Response + Send + Sync + 'static) -> Self {
        let api = Server::start(&[API], respond).await;
        let grant = json!({"private": ["127.0.0.0/8"], "trust": {"pem": api.authority()}});
        Self::with(api, json!({}), grant).await
    }

    /// A cluster with a DynaKube with these additional fields, and this additional grant.
    pub async fn with(api: Server, fields: Value, grant: Value) -> Self {
        let mut documents = yaml::load(&repository("deploy/samples/crds/dynakubes.dynatrace.com.yaml")).unwrap();
        documents.extend(yaml::parse(Path::new("there.yaml"), THERE).unwrap());
        let memory = Memory::from_documents(&documents).unwrap();
        let url = format!("https://{API}:{}/api", api.port());
        let mut spec = json!({"apiUrl": url, "enableIstio": true, "dynatraceApiRequestThreshold": 0});
        merge(&mut spec, &fields);
        let kube = json!({"apiVersion": "dynatrace.com/v1beta6", "kind": "DynaKube",
                          "metadata": {"name": "prod", "namespace": "dynatrace"}, "spec": spec});
        memory.put("user", &kube).unwrap();
        let engine = start_engine(&memory, &api, &grant).await;
        Self { memory, api, engine, grant }
    }

    /// Replaces the host by a new one without any state.
    pub async fn restart(self) -> Self {
        let Self { memory, api, engine, grant } = self;
        engine.stop().await;
        let engine = start_engine(&memory, &api, &grant).await;
        Self { memory, api, engine, grant }
    }

    /// Changes the API's responses, and waits for a request.
    pub async fn respond(&self, respond: impl Fn(&Received) -> Response + Send + Sync + 'static) {
        self.api.respond(respond);
        self.touch(json!(self.api.requests().len().to_string()), "/metadata/annotations/touched").await;
    }

    /// Sets a field of the DynaKube, and waits until the engine is settled.
    pub async fn touch(&self, value: Value, pointer: &str) {
        let set = |kube: &mut Value| {
            if kube["metadata"]["annotations"].is_null() {
                kube["metadata"]["annotations"] = json!({"touched": ""});
            }
            *kube.pointer_mut(pointer).unwrap() = value;
        };
        self.memory.edit("user", &dynakube(), set).unwrap();
        self.settled().await;
    }

    /// Waits until the engine is settled, without an explicit trigger.
    pub async fn settled(&self) {
        self.engine.settled().await;
    }

    /// The hosts and addresses of each entry, by its name.
    pub fn entries(&self) -> Vec<(String, Vec<String>)> {
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let objects = self.memory.objects().into_iter();
        let entries = objects.filter(|(object, _)| &*object.kind.name == "ServiceEntry");
        entries
            .map(|(object, entry)| {
                let addresses = texts(&entry["spec"]["addresses"]);
                let targets = if addresses.is_empty() { texts(&entry["spec"]["hosts"]) } else { addresses };
                (object.name.to_string(), targets)
            })
            .collect()
    }

    /// The names of the routes.
    pub fn routes(&self) -> Vec<String> {
        let objects = self.memory.objects().into_iter();
        objects
            .filter(|(object, _)| &*object.kind.name == "VirtualService")
            .map(|(object, _)| object.name.to_string())
            .collect()
    }

    /// A condition of the DynaKube: status, reason and message.
    pub fn condition(&self, kind: &str) -> Option<(String, String, String)> {
        let kube = self.memory.find(&dynakube())?;
        let found = kube["status"]["conditions"].as_array()?.iter().find(|own| own["type"] == kind)?.clone();
        let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
        Some((text("status"), text("reason"), text("message")))
    }

    /// The API's last response in the DynaKube's status.
    pub fn last_response(&self) -> Value {
        let kube = self.memory.find(&dynakube()).unwrap_or_default();
        json!([
            kube["status"]["activeGate"]["connectionInfoStatus"]["endpoints"],
            kube["status"]["oneAgent"]["connectionInfoStatus"]["endpoints"],
        ])
    }
}

/// The shipped configuration, except for the API's address, its timeout, and additional grants.
fn configuration(api: &Server, more: &Value) -> Configuration {
    let mut documents = yaml::load(&repository("plugins/egress/reconciler.yaml")).unwrap();
    let spec = &mut documents[0].value["spec"];
    spec["config"]["timeoutSeconds"] = json!(1);
    let grant = &mut spec["grants"]["http"][0];
    grant["port"] = json!(api.port());
    merge(grant, more);
    Configuration::strict(&documents).unwrap()
}

/// Replaces or adds fields.
fn merge(value: &mut Value, fields: &Value) {
    for (field, new) in fields.as_object().into_iter().flatten() {
        if new.is_object() && value[field].is_object() {
            merge(&mut value[field], new);
        } else {
            value[field] = new.clone();
        }
    }
}

async fn start_engine(memory: &Memory, api: &Server, grant: &Value) -> Engine {
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release")).unwrap();
    let file = built.parent().unwrap().join("plugins/egress.wasm");
    assert!(file.exists(), "{} is missing: run `make plugins` first", file.display());
    let cache = built.join("mizzen-cache");
    let sandbox = Sandbox::new(SandboxOptions { cache: Some(cache), ..SandboxOptions::default() }).unwrap();
    let component = sandbox.load_file(&file).await.unwrap();
    let reconciler = configuration(api, grant).reconcilers.remove(0);
    let plugin = component.with_limits(reconciler.limits);
    let settings = Settings { fetch: Arc::new(Client::with_lookup(Arc::new(Loopback))), ..Settings::default() };
    let engine = Engine::start_with(Arc::new(memory.clone()), Arc::new(Log), settings);
    engine.configure(vec![NodeSpec { reconciler, invoke: Ok(Arc::new(plugin)) }]);
    engine.settled().await;
    engine
}
