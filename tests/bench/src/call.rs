//! The cost of one call in the sandbox, compared with the same code run natively.
//!
//! A call is measured from the subject and the configuration as text to the desired objects as documents, with
//! reads from the same objects in memory. Neither side has a cluster.

use std::cell::Cell;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use mizzen_bench::{Address, ExposedApi, Gateway, Implementation, Published, Settings, any_ready};
use mizzen_config::Limits;
use mizzen_model as model;
use mizzen_model::read::Level;
use mizzen_model::{AccessError, Call, Fields, Invoke, Object, ObjectRef, Query, Reads, yaml};
use mizzen_plugin_api_operator::{ApiOperator, Config, Spec};
use mizzen_sandbox::{Plugin, Sandbox, SandboxOptions};
use mizzen_sdk::{Description, Failure, Metadata, Outcome, Reconciler, Request, Subject, testing};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::converge::median;
use crate::operator::{cache, guests, plugins};

/// The calls per batch, and the number of batches. Batches alternate, so that other load affects all sides.
const CALLS: u32 = 500;
const BATCHES: usize = 21;

/// The subject of the guest that returns at once.
const NOTHING: &str = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#;
const SUBJECT: &str = concat!(
    r#"{"apiVersion":"oda.tmforum.org/v1","kind":"ExposedAPI","#,
    r#""metadata":{"name":"cart","namespace":"components","uid":"1"},"#,
    r#""spec":{"apiType":"openapi","developerUI":"/cart/v4/docs","implementation":"cart","#,
    r#""name":"cart","path":"/cart/v4","port":8080,"segment":"coreFunction"}}"#
);
const CONFIG: &str = r#"{"gateway":"canvas/component-gateway"}"#;

/// The objects that are read, with exactly the declared fields, as in the host's stores.
const OBJECTS: &str = r#"
{"apiVersion":"v1","kind":"Service",
 "metadata":{"name":"istio-ingressgateway","namespace":"istio-system","labels":{"istio":"ingressgateway"},"uid":"2"},
 "status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.7"}]}}}
---
{"apiVersion":"networking.istio.io/v1","kind":"Gateway",
 "metadata":{"name":"component-gateway","namespace":"canvas","uid":"3"},
 "spec":{"servers":[{"hosts":["*"],"port":{"name":"https","number":443,"protocol":"HTTPS"}}]}}
---
{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
 "metadata":{"name":"cart-1","namespace":"components","labels":{"kubernetes.io/service-name":"cart"},"uid":"4"},
 "endpoints":[{"addresses":["10.1.0.1"],"conditions":{"ready":true}}]}
"#;

thread_local! {
    /// The average time of a native call in a batch.
    static NATIVE: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Measures calls, and returns microseconds and ratios.
pub(crate) async fn call() -> anyhow::Result<Value> {
    let sandbox = Sandbox::new(SandboxOptions { cache: Some(cache()?), ..SandboxOptions::default() })?;
    let at_once = Component::load(&sandbox, &guests()?.join("at-once.wasm"), NOTHING, "{}").await?;
    let component = Component::load(&sandbox, &plugins()?.join("api-operator.wasm"), SUBJECT, CONFIG).await?;
    let cluster = testing::Cluster::new().with(OBJECTS);
    let typed = Typed::new()?;

    let wanted = component.call().await?.desired;
    let same = natively::<ApiOperator>(&cluster, &serde_json::from_str(CONFIG)?)?.desired;
    ensure!(wanted == same.map(model::Wanted::All), "the native plugin desires other objects than {wanted:?}");
    ensure!(wanted == Some(model::Wanted::All(vec![typed.call()?.route])), "the native operator desires other objects");

    let mut micros: [Vec<f64>; 4] = Default::default();
    for _ in 0..BATCHES {
        micros[0].push(at_once.batch().await?);
        micros[1].push(component.batch().await?);
        natively::<Batch>(&cluster, &json!({}))?;
        micros[2].push(each(NATIVE.get(), 1));
        micros[3].push(typed.batch()?);
    }
    let [at_once, component, native, typed] = micros.map(|batches| median(batches).unwrap_or(f64::NAN));
    Ok(json!({
        "instanceMicros": at_once,
        "apiOperator": {
            "componentMicros": component,
            "nativeMicros": native, "componentToNative": component / native,
            "nativeOperatorMicros": typed, "componentToNativeOperator": component / typed,
        },
    }))
}

/// A component with a request, and all objects that it can read.
struct Component {
    plugin: Plugin,
    request: model::Request,
    reads: Arc<Objects>,
}

impl Component {
    async fn load(sandbox: &Sandbox, file: &Path, subject: &str, config: &str) -> anyhow::Result<Self> {
        let component = sandbox.load_file(file).await.with_context(|| file.display().to_string())?;
        let documents = yaml::parse(Path::new("objects"), OBJECTS)?;
        let objects = documents.into_iter().map(|document| Object::new(document.value, &Fields::Whole).map(Arc::new));
        let sets = component.description().field_sets.iter();
        let reads = Objects {
            objects: objects.collect::<Result<_, _>>()?,
            fields: sets.map(|(name, set)| (name.clone(), set.fields.clone())).collect(),
        };
        let request = model::Request { subject: subject.into(), config: config.into(), predecessors: Vec::new() };
        Ok(Self { plugin: component.with_limits(Limits::default()), request, reads: Arc::new(reads) })
    }

    async fn call(&self) -> anyhow::Result<model::Outcome> {
        let reads = Arc::clone(&self.reads) as Arc<dyn Reads>;
        Ok(self.plugin.invoke(Call::Reconcile, &self.request, reads).await??)
    }

    async fn batch(&self) -> anyhow::Result<f64> {
        let started = Instant::now();
        for _ in 0..CALLS {
            black_box(self.call().await?);
        }
        Ok(each(started.elapsed(), CALLS))
    }
}

/// Reads from objects in memory, as in native tests of the SDK: finds objects, and returns the requested fields.
struct Objects {
    objects: Vec<Arc<Object>>,
    fields: Vec<(String, Fields)>,
}

impl Objects {
    fn project(&self, object: &Arc<Object>, set: Option<&str>) -> Arc<Object> {
        let fields = self.fields.iter().find(|(name, _)| Some(name.as_str()) == set);
        object.project(fields.map_or(&Fields::Whole, |(_, fields)| fields))
    }
}

#[async_trait]
impl Reads for Objects {
    async fn get(&self, object: &ObjectRef, fields: Option<&str>) -> Result<Option<Arc<Object>>, AccessError> {
        Ok(self.objects.iter().find(|own| own.reference == *object).map(|own| self.project(own, fields)))
    }
    async fn list(&self, query: &Query) -> Result<Vec<Arc<Object>>, AccessError> {
        let selected = self.objects.iter().filter(|own| {
            own.reference.kind == query.kind
                && (query.namespace.is_none() || own.reference.namespace == query.namespace)
                && query.labels.matches(&own.labels)
        });
        Ok(selected.map(|own| self.project(own, query.fields.as_deref())).collect())
    }
    async fn count(&self, _: &Query) -> Result<u64, AccessError> {
        Ok(0)
    }
    async fn serves(&self, _: &model::Kind) -> Result<bool, AccessError> {
        Ok(true)
    }
    fn now(&self) -> u64 {
        0
    }
    fn log(&self, _: Level, _: &str, _: &[(String, String)]) {}
}

/// `ApiOperator`, called many times with native reads of the SDK.
struct Batch;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiSubject {
    api_version: String,
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

impl Reconciler for Batch {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        ApiOperator::describe()
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let wrong = |error: serde_json::Error| Failure::invalid(error.to_string());
        let started = Instant::now();
        for _ in 0..CALLS {
            let ApiSubject { api_version, kind, metadata, spec } =
                serde_json::from_str(black_box(SUBJECT)).map_err(wrong)?;
            let config: Config = serde_json::from_str(black_box(CONFIG)).map_err(wrong)?;
            let subject = Subject { api_version, kind, metadata, spec };
            black_box(ApiOperator::reconcile(&Request { subject, config, predecessors: Vec::new() })?);
        }
        NATIVE.set(started.elapsed() / CALLS);
        Ok(Outcome::ready())
    }
}

fn natively<R: Reconciler>(cluster: &testing::Cluster, config: &Value) -> anyhow::Result<Outcome> {
    testing::reconcile::<R>(cluster, SUBJECT, config).map_err(|failure| anyhow::anyhow!("{failure:?}"))
}

/// What the native operator decides from: everything it reads is in memory, typed.
struct Typed {
    services: Vec<Service>,
    gateway: Gateway,
    slice: EndpointSlice,
    settings: Settings,
}

impl Typed {
    fn new() -> anyhow::Result<Self> {
        let mut documents = yaml::parse(Path::new("objects"), OBJECTS)?.into_iter().map(|document| document.value);
        let mut next = || documents.next().context("an object is missing");
        Ok(Self {
            services: vec![serde_json::from_value(next()?)?],
            gateway: serde_json::from_value(next()?)?,
            slice: serde_json::from_value(next()?)?,
            settings: serde_json::from_str(CONFIG)?,
        })
    }

    fn call(&self) -> anyhow::Result<Published> {
        let api: ExposedApi = serde_json::from_str(black_box(SUBJECT))?;
        let address = Address::of(self.services.iter(), Some(&self.gateway));
        let name = api.metadata.name.as_deref().unwrap_or_default();
        let namespace = api.metadata.namespace.as_deref().unwrap_or_default();
        let implementation = Implementation { ready: any_ready(&self.slice) };
        Ok(Published::decide((namespace, name), &api.spec, &self.settings, &address, &implementation)?)
    }

    fn batch(&self) -> anyhow::Result<f64> {
        let started = Instant::now();
        for _ in 0..CALLS {
            let published = self.call()?;
            black_box(serde_json::to_value(&published.status)?);
            black_box(published);
        }
        Ok(each(started.elapsed(), CALLS))
    }
}

/// Returns microseconds per call.
fn each(took: Duration, calls: u32) -> f64 {
    took.as_secs_f64() * 1e6 / f64::from(calls)
}
