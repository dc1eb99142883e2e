//! Requests that need a consent: of every reconciler before a deletion begins, and of a Secret that a subject names in
//! a namespace of its own.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mizzen_cluster::memory::Memory;
use mizzen_config::Configuration;
use mizzen_engine::observe::Log;
use mizzen_engine::{Engine, NodeSpec, Settings};
use mizzen_model::http::{Fetch, Hop, Routes, Target};
use mizzen_model::{AccessError, Failure, HttpRequest, HttpResponse, Outcome, Readiness, yaml};
use serde_json::{Value, json};

use crate::support::{Stage, a_map, a_shop, desires, memory, plugin, put, shop_ref, switch};

/// A network on which every request succeeds; it records the methods.
#[derive(Default)]
struct Server(Mutex<Vec<String>>);

#[async_trait]
impl Fetch for Server {
    async fn fetch(&self, request: HttpRequest, routes: &dyn Routes) -> Result<HttpResponse, AccessError> {
        let target = Target { plain: false, host: "api.example.com".into(), port: 443 };
        routes.permit(&target, Hop::First)?;
        routes.route(&target, Hop::First).await?;
        self.0.lock().unwrap().push(request.method);
        Ok(HttpResponse { status: 200, headers: Vec::new(), body: b"ok"[..].into(), age: Duration::ZERO })
    }
}

fn request(method: &str, credential: Option<&str>) -> HttpRequest {
    HttpRequest {
        method: method.into(),
        url: "https://api.example.com/account".into(),
        headers: Vec::new(),
        body: None,
        credential: credential.map(Into::into),
        max_age: Duration::ZERO,
        timeout: Duration::ZERO,
    }
}

/// A plugin with an account elsewhere: it sends a request when it reconciles, and another one when it finalizes.
fn account(secret_name: &str, [reconcile, finalize]: [HttpRequest; 2]) -> NodeSpec {
    let text = format!(
        "apiVersion: mizzen.dev/v1alpha1\nkind: Reconciler\nmetadata: {{name: account}}\n\
         spec:\n  component: {{file: x}}\n  subject: {{apiVersion: example.com/v1, kind: Shop}}\n  grants:\n    \
         http: [{{host: api.example.com, methods: [GET, DELETE], credentials: [token]}}]\n    \
         credentials: {{token: {{secret: {{namespace: tokens, name: '{secret_name}', key: token}}}}}}\n"
    );
    let configuration = Configuration::strict(&yaml::parse(Path::new("r.yaml"), &text).unwrap()).unwrap();
    let builder = plugin("account").finalizes().with(|description, reconciler| {
        description.http.push("the account".into());
        description.credentials.push("token".into());
        reconciler.grants.network = configuration.reconcilers[0].grants.network.clone();
    });
    let node = builder.reconciles(move |shop, reads| {
        let request = if shop["finalizing"] == true { finalize.clone() } else { reconcile.clone() };
        async move {
            let sent = reads.send(request).await;
            Ok(sent.map(|_| desires(Vec::new())).map_err(|error| Failure::Retry(error.to_string())))
        }
    });
    node.0
}

async fn on(memory: &Memory, server: &Arc<Server>, nodes: Vec<NodeSpec>) -> Stage {
    let settings = Settings { fetch: Arc::clone(server) as _, ..Settings::default() };
    let engine = Engine::start_with(Arc::new(memory.clone()), Arc::new(Log), settings);
    engine.configure(nodes);
    engine.settled().await;
    Stage { memory: memory.clone(), engine }
}

#[tokio::test(start_paused = true)]
async fn no_request_that_could_change_something_is_sent_before_every_reconciler_approves_a_deletion() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let needed = switch(true);
    let answer = Arc::clone(&needed);
    let (refusing, _) = plugin("other").finalizes().returns(move |shop| {
        let refuses = shop["finalizing"] == true && *answer.lock().unwrap();
        let readiness = if refuses { Readiness::Failed("in use".into()) } else { Readiness::Ready };
        Ok(Outcome { readiness, ..desires(vec![a_map("b", "far", json!({}))]) })
    });
    let server = Arc::new(Server::default());
    let requests = [request("GET", None), request("DELETE", None)];
    let stage = on(&memory, &server, vec![account("token", requests), refusing]).await;
    stage.memory.remove(&shop_ref("x"));
    stage.after(Duration::from_mins(10)).await;
    assert!(memory.find(&shop_ref("x")).is_some());
    assert!(!server.0.lock().unwrap().contains(&"DELETE".to_owned()));
    // The withheld request refuses nothing: once the other reconciler approves, the deletion goes on.
    *needed.lock().unwrap() = false;
    let mut shop = memory.find(&shop_ref("x")).unwrap();
    shop["spec"] = json!({"changed": true});
    stage.put(&shop).await;
    stage.after(Duration::from_mins(10)).await;
    assert!(memory.find(&shop_ref("x")).is_none());
    assert!(server.0.lock().unwrap().contains(&"DELETE".to_owned()));
}

fn secret(labels: &Value) -> Value {
    let metadata = json!({"name": "theirs", "namespace": "tokens", "labels": labels});
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"token": "t"}})
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_a_subject_names_in_a_fixed_namespace_is_sent_only_if_it_consents() {
    let requests = || [request("GET", Some("token")), request("GET", None)];
    for (name, labels, is_sent) in [
        ("{subject.spec.token}", json!({}), false),
        ("{subject.spec.token}", json!({"mizzen.dev/credential-for": "other"}), false),
        ("{subject.spec.token}", json!({"mizzen.dev/credential-for": "account"}), true),
        // The configuration names this one.
        ("theirs", json!({}), true),
    ] {
        let memory = memory();
        put(&memory, &secret(&labels));
        put(&memory, &a_shop("x", json!({"token": "theirs"})));
        let server = Arc::new(Server::default());
        let stage = on(&memory, &server, vec![account(name, requests())]).await;
        assert_eq!(!server.0.lock().unwrap().is_empty(), is_sent, "{name} {labels}");
        let message = stage.condition("mizzen.dev/account").2;
        assert_eq!(message.contains("label `mizzen.dev/credential-for: account`"), !is_sent, "{message}");
    }
}
