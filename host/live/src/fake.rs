//! An API server for unit tests: a function from requests to replies.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body as ReplyBody;
use futures::StreamExt;
use futures::channel::mpsc;
use http::{Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use mizzen_cluster::{Change, Changes};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::service_fn;

use crate::link::Link;
use crate::requests::RequestCounts;

/// A request that was received.
#[derive(Clone, Debug)]
pub(crate) struct FakeRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Value,
}

/// What to reply.
pub(crate) enum Reply {
    /// A code and a document.
    Json(u16, Value),
    /// Lines of a watch; it ends when the sender is dropped.
    Lines(mpsc::UnboundedReceiver<Value>),
    /// The connection breaks.
    Broken,
}

impl FakeRequest {
    pub(crate) fn is_watch(&self) -> bool {
        self.query.contains("watch=true")
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

/// A link to an API server that replies like this.
pub(crate) fn link(reply: impl Fn(FakeRequest) -> Reply + Send + Sync + 'static) -> Link {
    let reply = Arc::new(reply);
    let service = service_fn(move |request: Request<Body>| {
        let reply = reply.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect_bytes().await.unwrap();
            let received = FakeRequest {
                method: head.method.to_string(),
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                body: serde_json::from_slice(&body).unwrap_or_default(),
            };
            let (code, body) = match reply(received) {
                Reply::Json(code, document) => (code, ReplyBody::from(document.to_string())),
                Reply::Lines(lines) => {
                    let lines = lines.map(|line| Ok::<_, Infallible>(format!("{line}\n")));
                    (200, ReplyBody::from_stream(lines))
                }
                Reply::Broken => return Err(std::io::Error::other("connection refused")),
            };
            let mut response = Response::new(body);
            *response.status_mut() = StatusCode::from_u16(code).unwrap();
            Ok(response)
        }
    });
    Link::new(Client::new(service, "default"), "https://fake".into(), RequestCounts::default())
}

/// A refusal.
pub(crate) fn refusal(code: u16, message: &str) -> Reply {
    Reply::Json(
        code,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}),
    )
}

/// Discovery's reply for one kind of `mizzen.dev/v1`, `Thing`, with a status subresource.
pub(crate) fn things() -> Reply {
    let resources = json!([
        {"name": "things", "kind": "Thing", "namespaced": true},
        {"name": "things/status", "kind": "Thing", "namespaced": true},
    ]);
    Reply::Json(200, json!({"kind": "APIResourceList", "resources": resources}))
}

/// A `Thing` in namespace `a`, owned by a reconciler.
pub(crate) fn thing(name: &str, version: u64, size: u64) -> Value {
    json!({"apiVersion": "mizzen.dev/v1", "kind": "Thing", "spec": {"size": size, "colour": "red"},
           "metadata": {"name": name, "namespace": "a", "uid": format!("uid-{name}"),
                        "resourceVersion": version.to_string(),
                        "labels": {"mizzen.dev/reconciler": "r"}, "managedFields": [{"manager": "x"}]}})
}

/// The end of a streaming list.
pub(crate) fn list_end(version: u64) -> Value {
    json!({"type": "BOOKMARK", "object": {"apiVersion": "mizzen.dev/v1", "kind": "Thing",
        "metadata": {"resourceVersion": version.to_string(), "annotations": {"k8s.io/initial-events-end": "true"}}}})
}

/// An event of a watch.
pub(crate) fn event(kind: &str, object: impl Into<Value>) -> Value {
    json!({"type": kind, "object": object.into()})
}

/// A record of the requests, to be filled by a replying function.
pub(crate) type Log = Arc<Mutex<Vec<FakeRequest>>>;

/// Waits for the next change, in short: `+name`, `~name`, `-name`, `!name` (a watched object),
/// `served`.
pub(crate) async fn next_change(changes: &mut Changes) -> String {
    let change = changes.recv().await.unwrap();
    in_short(&change)
}

/// All changes so far, in short.
pub(crate) fn changes_so_far(changes: &mut Changes) -> Vec<String> {
    std::iter::from_fn(|| changes.try_recv().ok()).map(|change| in_short(&change)).collect()
}

fn in_short(change: &Change) -> String {
    match change {
        Change::Served(_) => "served".into(),
        Change::Watched(object) => format!("!{}", object.name),
        Change::Object { before: None, after: Some(object), .. } => format!("+{}", object.reference.name),
        Change::Object { before: Some(_), after: Some(object), .. } => format!("~{}", object.reference.name),
        Change::Object { before, .. } => format!("-{}", before.as_ref().unwrap().reference.name),
    }
}
