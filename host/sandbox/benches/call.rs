//! What one call costs: a fresh instance, the request in, the guest's own work, the outcome out.
//!
//! `mtls` answers in a few lines: it is nearly all instance. `api-operator` builds three objects.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that can't run ends")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use criterion::{Criterion, criterion_group, criterion_main};
use mizzen_config::Limits;
use mizzen_model::read::Level;
use mizzen_model::{AccessError, Call, Invoke, Kind, Object, ObjectRef, Query, Reads, Request};
use mizzen_sandbox::{Sandbox, SandboxOptions};

/// A cluster with nothing in it, so that what is measured is the sandbox.
struct Empty;

#[async_trait]
impl Reads for Empty {
    async fn get(&self, _: &ObjectRef, _: Option<&str>) -> Result<Option<Arc<Object>>, AccessError> {
        Ok(None)
    }
    async fn list(&self, _: &Query) -> Result<Vec<Arc<Object>>, AccessError> {
        Ok(Vec::new())
    }
    async fn count(&self, _: &Query) -> Result<u64, AccessError> {
        Ok(0)
    }
    async fn serves(&self, _: &Kind) -> bool {
        true
    }
    fn now(&self) -> u64 {
        0
    }
    fn log(&self, _: Level, _: &str, _: &[(String, String)]) {}
}

fn plugin(name: &str) -> PathBuf {
    let bench = std::env::current_exe().unwrap();
    let built = bench.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release")).unwrap();
    let file = built.parent().unwrap().join(format!("plugins/{name}.wasm"));
    assert!(file.exists(), "{} is missing: run `make plugins` first", file.display());
    file
}

fn calls(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sandbox = Sandbox::new(SandboxOptions::default()).unwrap();
    let load = |file: &Path| runtime.block_on(sandbox.load_file(file)).unwrap().with_limits(Limits::default());
    let cases = [
        (
            "mtls",
            r#"{"apiVersion":"mizzen.dev/v1alpha1","kind":"Istio","metadata":{"name":"default","namespace":"istio-system"},"spec":{}}"#,
            r#"{"mode":"STRICT"}"#,
        ),
        (
            "api-operator",
            r#"{"apiVersion":"oda.tmforum.org/v1","kind":"ExposedAPI","metadata":{"name":"cart","namespace":"components","uid":"1","generation":1},
                "spec":{"name":"cart","apiType":"openapi","implementation":"cart","path":"/cart/v4","port":8080,"segment":"coreFunction"}}"#,
            r#"{"gateway":"canvas/component-gateway","publicHostname":"apis.mesh.example.com"}"#,
        ),
    ];
    for (name, subject, config) in cases {
        let plugin = load(&plugin(name));
        let request = Request { subject: subject.into(), config: config.into(), predecessors: Vec::new() };
        let empty: Arc<dyn Reads> = Arc::new(Empty);
        criterion.bench_function(&format!("a call of {name}"), |bench| {
            bench.iter(|| {
                let answer = runtime.block_on(plugin.invoke(Call::Reconcile, &request, Arc::clone(&empty)));
                answer.unwrap().unwrap_or_else(|failure| panic!("{name}: {failure}"))
            });
        });
    }
}

criterion_group!(benches, calls);
criterion_main!(benches);
