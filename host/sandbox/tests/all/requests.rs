//! Guests that misbehave over HTTPS: a real component, the engine, the client and real servers on loopback. A guest
//! puts everything it finds out into the object that it desires.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mizzen_cluster::memory::Memory;
use mizzen_config::Configuration;
use mizzen_engine::observe::Log;
use mizzen_engine::{Engine, NodeSpec, Settings};
use mizzen_http::{Client, Lookup};
use mizzen_model::{Invoke, Kind, ObjectRef, yaml};
use mizzen_sandbox::{Sandbox, SandboxOptions};
use mizzen_testhttps::{Response, Server};
use serde_json::{Value, json};

use crate::support::{guest, target};

const TOKEN: &str = "dt0c01.TOP-SECRET";

/// Finds every name at 127.0.0.1.
struct Loopback;

#[async_trait]
impl Lookup for Loopback {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![[127, 0, 0, 1].into()])
    }
}

/// A subject, and the Secret that its requests are sent with.
fn cluster() -> Memory {
    Memory::from_yaml(&format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a, namespace: ns}}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: a, namespace: ns}}, stringData: {{token: {TOKEN}}}}}
"
    ))
    .unwrap()
}

/// Runs a guest that is granted `api.example.com` at this server, and returns what it found out.
async fn found(name: &str, api: &Server, config: Value) -> (Memory, Vec<String>) {
    let grants = json!({
        "apply": [{"apiVersion": "v1", "kind": "Service"}],
        "http": [{"host": "api.example.com", "port": api.port(), "private": ["127.0.0.0/8"], "credentials": ["token"],
                  "trust": {"pem": api.authority()}}],
        "credentials": {"token": {"secret": {
            "namespace": "{subject.namespace}", "name": "{subject.name}", "key": "token",
        }}},
    });
    let spec = json!({
        "component": {"file": "x"}, "subject": {"apiVersion": "v1", "kind": "ConfigMap"},
        "config": config, "grants": grants, "limits": {"requests": 5},
    });
    let document =
        json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "Reconciler", "metadata": {"name": "thief"}, "spec": spec});
    let documents = yaml::parse(Path::new("r.yaml"), &document.to_string()).unwrap();
    let reconciler = Configuration::strict(&documents).unwrap().reconcilers.remove(0);
    let sandbox =
        Sandbox::new(SandboxOptions { cache: Some(target().join("test-cache")), ..SandboxOptions::default() }).unwrap();
    let plugin = sandbox.load_file(&guest(name)).await.unwrap().with_limits(reconciler.limits);
    let memory = cluster();
    let settings = Settings { fetch: Arc::new(Client::with_lookup(Arc::new(Loopback))), ..Settings::default() };
    let engine = Engine::start_with(Arc::new(memory.clone()), Arc::new(Log), settings);
    engine.configure(vec![NodeSpec { reconciler, invoke: Ok(Arc::new(plugin) as Arc<dyn Invoke>) }]);
    engine.settled().await;
    let loot = memory.find(&ObjectRef::new(Kind::new("v1", "Service"), Some("ns"), "loot"));
    let found = loot.map(|loot| loot["metadata"]["annotations"]["found"].as_str().unwrap().to_owned());
    engine.stop().await;
    (memory, found.map(|found| serde_json::from_str(&found).unwrap()).unwrap_or_default())
}

/// Returns what the guest found out by these requests.
async fn send(api: &Server, requests: Value) -> Vec<String> {
    found("sends-requests", api, json!({"requests": requests})).await.1
}

#[tokio::test]
async fn a_granted_request_is_sent_with_a_token_that_the_guest_never_sees() {
    let api = Server::start(&["api.example.com"], |_| Response::text("hello")).await;
    let url = format!("https://api.example.com:{}/", api.port());
    let (memory, found) =
        found("sends-requests", &api, json!({"requests": [{"url": url, "credential": "token"}]})).await;
    assert_eq!(found, ["200 5 bytes"]);
    assert_eq!(api.requests()[0].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    let seen: Vec<_> = memory.objects().into_iter().filter(|(object, _)| &*object.kind.name != "Secret").collect();
    assert!(!format!("{seen:?}").contains("TOP-SECRET"));
}

#[tokio::test]
async fn hosts_that_are_not_granted_and_cloud_metadata_get_no_request() {
    let api = Server::start(&["api.example.com"], |_| Response::text("hello")).await;
    let port = api.port();
    let urls = [
        "https://foreign.example.com/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".into(),
        "https://169.254.169.254/".into(),
        format!("https://127.0.0.1:{port}/"),
        format!("http://api.example.com:{port}/"),
    ];
    let requests: Vec<_> = urls.iter().map(|url| json!({"url": url})).collect();
    for found in send(&api, json!(requests)).await {
        assert!(found.contains("is not granted to `thief`"), "{found}");
    }
    assert!(api.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_to_a_host_that_is_not_granted_is_denied() {
    let api = Server::start(&["api.example.com"], |request| match &*request.path {
        "/metadata" => Response::redirect("http://169.254.169.254/latest/meta-data/"),
        "/loopback" => Response::redirect("https://localhost/"),
        _ => Response::redirect("https://foreign.example.com/"),
    })
    .await;
    let url =
        |path: &str| json!({"url": format!("https://api.example.com:{}{path}", api.port()), "credential": "token"});
    // Each takes two of the five requests that a call may make.
    for paths in [["/metadata", "/loopback"], ["/foreign", "/metadata"]] {
        for found in send(&api, json!(paths.map(url))).await {
            assert!(found.contains("redirects to") && found.contains("is not granted"), "{found}");
        }
    }
}

#[tokio::test]
async fn a_guest_cannot_set_headers_that_authenticate() {
    let api = Server::start(&["api.example.com"], |_| Response::text("hello")).await;
    let url = format!("https://api.example.com:{}/", api.port());
    let headers = [
        ("Authorization", "Bearer x"),
        ("Proxy-Authorization", "Basic x"),
        ("Cookie", "s=1"),
        ("X-Forwarded-For", "::1"),
    ];
    let requests: Vec<_> = headers.iter().map(|(name, value)| json!({"url": url, "headers": {*name: value}})).collect();
    for found in send(&api, json!(requests)).await {
        assert!(found.contains("header"), "{found}");
    }
    let broken = send(&api, json!([{"url": url, "headers": {"accept": "a\r\nAuthorization: Bearer x"}}])).await;
    assert!(broken[0].contains("no valid value"), "{broken:?}");
    assert!(api.requests().is_empty());
}

#[tokio::test]
async fn a_huge_response_and_one_that_repeats_the_credential_are_refused() {
    let api = Server::start(&["api.example.com"], |request| match &*request.path {
        "/giant" => Response::huge(1_000),
        _ => Response::text(request.header("authorization").unwrap_or("none")),
    })
    .await;
    let url =
        |path: &str| json!({"url": format!("https://api.example.com:{}{path}", api.port()), "credential": "token"});
    let found = send(&api, json!([url("/giant"), url("/echo")])).await;
    assert!(found[0].contains("larger than 4194304 bytes"), "{found:?}");
    assert!(found[1].contains("repeats the credential"), "{found:?}");
}

#[tokio::test]
async fn endless_requests_reach_a_server_as_often_as_granted() {
    let api = Server::start(&["api.example.com"], |_| Response::text("hello")).await;
    let url = format!("https://api.example.com:{}/", api.port());
    let ended = tokio::time::timeout(Duration::from_mins(2), found("endless-requests", &api, json!({"url": url})));
    ended.await.unwrap();
    // The limit of host calls ends it; it may have been called again since.
    assert!(api.requests().len() % 5 == 0 && !api.requests().is_empty(), "{}", api.requests().len());
}
