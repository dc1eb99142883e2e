//! Requests: which ways they are sent, with whose credentials, and who is asked again when those change.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Stage, a_map, count, memory, plugin, put, wants};
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
      token: {secret: {namespace: '{subject.namespace}', name: '{subject.spec.tokens | subject.name}', key: token}, scheme: Api-Token}
";

/// A network on which every server answers alike; remembers by which ways it was asked.
#[derive(Default)]
struct Servers {
    ways: Mutex<Vec<Route>>,
    down: AtomicBool,
}

impl Servers {
    fn ways(&self) -> Vec<Route> {
        std::mem::take(&mut self.ways.lock().unwrap())
    }
    fn tokens(&self) -> Vec<String> {
        self.ways().iter().map(|way| way.credential.as_ref().unwrap().1.reveal().to_owned()).collect()
    }
}

#[async_trait]
impl Fetch for Servers {
    async fn fetch(&self, request: HttpRequest, routes: &dyn Routes) -> Result<HttpResponse, AccessError> {
        let host = request.url.trim_start_matches("https://").split('/').next().unwrap().to_owned();
        let target = Target { plain: false, host, port: 443 };
        routes.permit(&target, Hop::First)?;
        let way = routes.route(&target, Hop::First).await?;
        self.ways.lock().unwrap().push(way);
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
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "a"}, "stringData": {"token": token}})
}

/// A plugin that sends these requests one after the other, wants a map while all are answered and nothing while one is not.
fn sending(requests: Vec<HttpRequest>, mode: Mode) -> (NodeSpec, Arc<AtomicUsize>, Arc<Mutex<Vec<AccessError>>>) {
    let text = format!(
        "apiVersion: mizzen.dev/v1alpha1\nkind: Reconciler\nmetadata: {{name: p}}\nspec:\n  component: {{file: x}}\n  grants:{NETWORK}"
    );
    let configuration = Configuration::strict(&yaml::parse(Path::new("r.yaml"), &text).unwrap()).unwrap();
    let making = plugin("p").with(|description, reconciler| {
        description.http.push("which hosts there are".into());
        description.credentials.push("token".into());
        reconciler.grants.network = configuration.reconcilers[0].grants.network.clone();
        reconciler.limits.requests = 3;
        reconciler.mode = mode;
    });
    let errors = Arc::new(Mutex::new(Vec::new()));
    let said = Arc::clone(&errors);
    let (node, calls) = making.asks(move |shop, reads: Arc<dyn Reads>| {
        let (requests, said) = (requests.clone(), Arc::clone(&said));
        async move {
            let mut complete = true;
            for request in requests {
                if let Err(error) = reads.send(request).await {
                    said.lock().unwrap().push(error);
                    complete = false;
                }
            }
            let name = shop["metadata"]["name"].as_str().unwrap();
            Ok(Ok::<_, Failure>(wants(if complete { vec![a_map("a", name, json!({}))] } else { Vec::new() })))
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
async fn each_subject_is_sent_with_its_own_secret_and_its_own_proxy() {
    let mut other = a_shop("two");
    other["spec"] = json!({"tokens": "shared", "proxy": "http://proxy.example.com:3128", "careless": true});
    let memory = with(memory(), &[a_shop("one"), other, secret("one", "t1"), secret("shared", "t2")]);
    let servers = Arc::new(Servers::default());
    let (node, ..) = sending(vec![get("https://api.example.com/x")], Mode::Enforce);
    let _stage = on(&memory, &servers, node).await;
    let mut ways = servers.ways();
    ways.sort_by_key(|way| way.unverified);
    let token = |way: &Route| way.credential.as_ref().unwrap().1.reveal().to_owned();
    assert_eq!((token(&ways[0]), ways[0].proxy.is_none(), ways[0].unverified), ("Api-Token t1".into(), true, false));
    assert_eq!((token(&ways[1]), ways[1].proxy.is_some(), ways[1].unverified), ("Api-Token t2".into(), true, true));
    assert!(!format!("{ways:?}").contains("t1"), "what is hidden is not printed");
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_changes_has_its_senders_asked_again_and_nobody_else() {
    let memory = with(memory(), &[a_shop("one"), a_shop("two"), secret("one", "t1"), secret("two", "t2")]);
    let servers = Arc::new(Servers::default());
    let (node, calls, _) = sending(vec![get("https://api.example.com/x")], Mode::Enforce);
    let stage = on(&memory, &servers, node).await;
    let (before, _) = (count(&calls), servers.ways());
    stage.put(&secret("one", "t1b")).await;
    assert_eq!((count(&calls), servers.tokens()), (before + 1, vec!["Api-Token t1b".to_owned()]));
    stage.put(&secret("three", "t3")).await;
    assert_eq!(count(&calls), before + 1, "nobody sends with that one");
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_not_there_is_no_answer_until_it_comes() {
    let memory = with(memory(), &[a_shop("one")]);
    let servers = Arc::new(Servers::default());
    let (node, _, errors) = sending(vec![get("https://api.example.com/x")], Mode::Enforce);
    let stage = on(&memory, &servers, node).await;
    let said = errors.lock().unwrap()[0].clone();
    assert!(matches!(&said, AccessError::Unavailable(why) if why.contains("a/one does not exist")), "{said:?}");
    assert!(servers.ways().is_empty() && stage.data("one").is_none());
    stage.put(&secret("one", "t1")).await;
    assert_eq!(servers.tokens(), ["Api-Token t1"]);
    assert!(stage.data("one").is_some());
}

#[tokio::test(start_paused = true)]
async fn what_was_wanted_before_is_not_pruned_for_want_of_an_answer() {
    let memory = with(memory(), &[a_shop("one"), secret("one", "t1")]);
    let servers = Arc::new(Servers::default());
    let (node, _, errors) = sending(vec![get("https://api.example.com/x")], Mode::Enforce);
    let stage = on(&memory, &servers, node).await;
    assert!(stage.data("one").is_some());
    servers.down.store(true, Ordering::SeqCst);
    stage.put(&secret("one", "t2")).await;
    assert!(!errors.lock().unwrap().is_empty());
    assert!(stage.data("one").is_some(), "it wanted nothing, and did not know");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_granted_is_not_sent() {
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
        let said = errors.lock().unwrap()[0].clone();
        assert!(matches!(&said, AccessError::Denied(said) if said.contains(why)), "{why}: {said:?}");
        stage.engine.stop().await;
    }
    assert!(servers.ways().is_empty());
}

#[tokio::test(start_paused = true)]
async fn requests_without_end_are_refused_from_the_limit_on() {
    let memory = with(memory(), &[a_shop("one"), secret("one", "t1")]);
    let servers = Arc::new(Servers::default());
    let (node, _, errors) = sending(vec![get("https://api.example.com/x"); 50], Mode::Enforce);
    let _stage = on(&memory, &servers, node).await;
    assert_eq!(servers.ways().len(), 3);
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
    assert_eq!(servers.ways().len(), 1);
    assert!(errors.lock().unwrap()[0].to_string().contains("mode is Plan"));
}
