//! HTTP requests: their routes and credentials, and which keys are requeued when a credential changes.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Stage, a_map, count, desires, memory, plugin, put};
use async_trait::async_trait;
use mizzen_cluster::memory::Memory;
use mizzen_config::{Configuration, Mode};
use mizzen_engine::observe::Log;
use mizzen_engine::{Engine, NodeSpec, Settings};
use mizzen_model::http::{Fetch, Hop, Route, Routes, Target};
use mizzen_model::{AccessError, Failure, HttpRequest, HttpResponse, Reads, yaml};
use serde_json::json;

const NETWORK: &str = "
    http:
      - host: api.example.com
        credentials: [token]
        proxy: {url: '{subject.spec.proxy}'}
        skipVerifyIf: '{subject.spec.careless}'
      - host: other.example.com
    credentials:
      token:
        secret: {namespace: '{subject.namespace}', name: '{subject.spec.tokens | subject.name}', key: token}
        scheme: Api-Token
";

/// A network on which every server sends the same response; it records the route of each request.
#[derive(Default)]
struct Servers {
    routes: Mutex<Vec<Route>>,
    down: AtomicBool,
}

impl Servers {
    fn routes(&self) -> Vec<Route> {
        std::mem::take(&mut self.routes.lock().unwrap())
    }
    fn tokens(&self) -> Vec<String> {
        self.routes().iter().map(|route| route.credential.as_ref().unwrap().1.reveal().to_owned()).collect()
    }
}

#[async_trait]
impl Fetch for Servers {
    async fn fetch(&self, request: HttpRequest, routes: &dyn Routes) -> Result<HttpResponse, AccessError> {
        let host = request.url.trim_start_matches("https://").split('/').next().unwrap().to_owned();
        let target = Target { plain: false, host, port: 443 };
        routes.permit(&target, Hop::First)?;
        let route = routes.route(&target, Hop::First).await?;
        self.routes.lock().unwrap().push(route);
        if self.down.load(Ordering::SeqCst) {
            return Err(AccessError::Unavailable("no connection".into()));
        }
        Ok(HttpResponse { status: 200, headers: Vec::new(), body: b"hosts"[..].into(), age: Duration::ZERO })
    }
}

fn get(url: &str) -> HttpRequest {
    HttpRequest {
        method: "GET".into(),
        url: url.into(),
        headers: Vec::new(),
        body: None,
        credential: Some("token".into()),
        max_age: Duration::ZERO,
        timeout: Duration::ZERO,
    }
}

fn a_shop(name: &str) -> serde_json::Value {
    crate::support::a_shop(name, json!({}))
}

fn secret(name: &str, token: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "namespace": "a"}, "stringData": {"token": token},
    })
}

/// A plugin that sends these requests one after the other, and desires a map if all succeed, else nothing.
fn sending(requests: Vec<HttpRequest>, mode: Mode) -> (NodeSpec, Arc<AtomicUsize>, Arc<Mutex<Vec<AccessError>>>) {
    let text = format!(
        "apiVersion: mizzen.dev/v1alpha1\nkind: Reconciler\nmetadata: {{name: p}}\n\
         spec:\n  component: {{file: x}}\n  subject: {{apiVersion: example.com/v1, kind: Shop}}\n  grants:{NETWORK}"
    );
    let configuration = Configuration::strict(&yaml::parse(Path::new("r.yaml"), &text).unwrap()).unwrap();
    let builder = plugin("p").with(|description, reconciler| {
        description.http.push("which hosts there are".into());
        description.credentials.push("token".into());
        reconciler.grants.network = configuration.reconcilers[0].grants.network.clone();
        reconciler.limits.requests = 3;
        reconciler.mode = mode;
    });
    let errors = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&errors);
    let (node, calls) = builder.reconciles(move |shop, reads: Arc<dyn Reads>| {
        let (requests, recorded) = (requests.clone(), Arc::clone(&recorded));
        async move {
            let mut complete = true;
            for request in requests {
                if let Err(error) = reads.send(request).await {
                    recorded.lock().unwrap().push(error);
                    complete = false;
                }
            }
            let name = shop["metadata"]["name"].as_str().unwrap();
            Ok(Ok::<_, Failure>(desires(if complete { vec![a_map("a", name, json!({}))] } else { Vec::new() })))
        }
    });
    (node, calls, errors)
}

async fn on(memory: &Memory, servers: &Arc<Servers>, node: NodeSpec) -> Stage {
    let settings = Settings { fetch: Arc::clone(servers) as _, ..Settings::default() };
    let engine = Engine::start_with(Arc::new(memory.clone()), Arc::new(Log), settings);
    engine.configure(vec![node]);
    engine.settled().await;
    Stage { memory: memory.clone(), engine }
}

fn with(memory: Memory, documents: &[serde_json::Value]) -> Memory {
    for document in documents {
        put(&memory, document);
    }
    memory
}

#[tokio::test(start_paused = true)]
async fn requests_for_each_subject_use_its_own_secret_and_proxy() {
    let mut other = a_shop("two");
    other["spec"] = json!({"tokens": "shared", "proxy": "http://proxy.example.com:3128", "careless": true});
    let memory = with(memory(), &[a_shop("one"), other, secret("one", "t1"), secret("shared", "t2")]);
    let servers = Arc::new(Servers::default());
    let (node, ..) = sending(vec![get("https://api.example.com/x")], Mode::Enforce);
    let _stage = on(&memory, &servers, node).await;
    let mut routes = servers.routes();
    routes.sort_by_key(|route| route.unverified);
    let token = |route: &Route| route.credential.as_ref().unwrap().1.reveal().to_owned();
    assert_eq!(
        (token(&routes[0]), routes[0].proxy.is_none(), routes[0].unverified),
        ("Api-Token t1".into(), true, false)
    );
    assert_eq!(
        (token(&routes[1]), routes[1].proxy.is_some(), routes[1].unverified),
        ("Api-Token t2".into(), true, true)
    );
    assert!(!format!("{routes:?}").contains("t1"), "a secret is not printed");
}

#[tokio::test(start_paused = true)]
async fn a_changed_secret_requeues_only_the_keys_that_sent_it() {
    let memory = with(memory(), &[a_shop("one"), a_shop("two"), secret("one", "t1"), secret("two", "t2")]);
    let servers = Arc::new(Servers::default());
    let (node, calls, _) = sending(vec![get("https://api.example.com/x")], Mode::Enforce);
    let stage = on(&memory, &servers, node).await;
    let (before, _) = (count(&calls), servers.routes());
    stage.put(&secret("one", "t1b")).await;
    assert_eq!((count(&calls), servers.tokens()), (before + 1, vec!["Api-Token t1b".to_owned()]));
    stage.put(&secret("three", "t3")).await;
    assert_eq!(count(&calls), before + 1, "no key sends that one");
}

#[tokio::test(start_paused = true)]
async fn a_request_with_a_missing_secret_fails_until_the_secret_is_created() {
    let memory = with(memory(), &[a_shop("one")]);
    let servers = Arc::new(Servers::default());
    let (node, _, errors) = sending(vec![get("https://api.example.com/x")], Mode::Enforce);
    let stage = on(&memory, &servers, node).await;
    let error = errors.lock().unwrap()[0].clone();
    assert!(matches!(&error, AccessError::Unavailable(why) if why.contains("a/one does not exist")), "{error:?}");
    assert!(servers.routes().is_empty() && stage.data("one").is_none());
    stage.put(&secret("one", "t1")).await;
    assert_eq!(servers.tokens(), ["Api-Token t1"]);
    assert!(stage.data("one").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_failed_request_prunes_nothing() {
    let memory = with(memory(), &[a_shop("one"), secret("one", "t1")]);
    let servers = Arc::new(Servers::default());
    let (node, _, errors) = sending(vec![get("https://api.example.com/x")], Mode::Enforce);
    let stage = on(&memory, &servers, node).await;
    assert!(stage.data("one").is_some());
    servers.down.store(true, Ordering::SeqCst);
    stage.put(&secret("one", "t2")).await;
    assert!(!errors.lock().unwrap().is_empty());
    assert!(stage.data("one").is_some(), "the outcome was empty because a request failed");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_granted_is_not_sent() {
    let memory = with(memory(), &[a_shop("one"), secret("one", "t1")]);
    let servers = Arc::new(Servers::default());
    let with_header =
        |name: &str| HttpRequest { headers: vec![(name.into(), "x".into())], ..get("https://api.example.com/") };
    let cases = [
        (get("https://foreign.example.com/"), "is not granted to `p`"),
        (get("https://other.example.com/"), "credential `token` is not granted for other.example.com"),
        (
            HttpRequest { credential: Some("other".into()), ..get("https://api.example.com/") },
            "did not declare credential",
        ),
        (HttpRequest { method: "POST".into(), ..get("https://api.example.com/") }, "`POST` is not granted"),
        (with_header("X-Tenant"), "header `x-tenant` is not granted"),
        (with_header("authorization"), "header `authorization` is not granted"),
    ];
    for (request, why) in cases {
        let (node, _, errors) = sending(vec![request], Mode::Enforce);
        let stage = on(&memory, &servers, node).await;
        let error = errors.lock().unwrap()[0].clone();
        assert!(matches!(&error, AccessError::Denied(reason) if reason.contains(why)), "{why}: {error:?}");
        stage.engine.stop().await;
    }
    assert!(servers.routes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_limit_are_refused() {
    let memory = with(memory(), &[a_shop("one"), secret("one", "t1")]);
    let servers = Arc::new(Servers::default());
    let (node, _, errors) = sending(vec![get("https://api.example.com/x"); 50], Mode::Enforce);
    let _stage = on(&memory, &servers, node).await;
    assert_eq!(servers.routes().len(), 3);
    assert!(errors.lock().unwrap()[0].to_string().contains("its limit `requests`"));
}

#[tokio::test(start_paused = true)]
async fn in_mode_plan_nothing_is_sent_that_could_change_something() {
    let memory = with(memory(), &[a_shop("one"), secret("one", "t1")]);
    let servers = Arc::new(Servers::default());
    let post = HttpRequest { method: "POST".into(), ..get("https://api.example.com/") };
    let (mut node, _, errors) = sending(vec![get("https://api.example.com/"), post], Mode::Plan);
    let mut reconciler = (*node.reconciler).clone();
    reconciler.grants.network.hosts[0].methods.push("POST".into());
    node.reconciler = Arc::new(reconciler);
    let _stage = on(&memory, &servers, node).await;
    assert_eq!(servers.routes().len(), 1);
    assert!(errors.lock().unwrap()[0].to_string().contains("mode is Plan"));
}
