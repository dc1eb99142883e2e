//! Servers.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response as HttpResponse;
use http_body_util::BodyExt;
use parking_lot::{Mutex, RwLock};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::exchange::{Received, Response};
use crate::tls::{self, Tls};

type Handler = dyn Fn(&Received) -> Response + Send + Sync;

/// An HTTPS server on loopback. It ends when it is dropped.
pub struct Server {
    port: u16,
    authority: String,
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    handler: RwLock<Arc<Handler>>,
    requests: Mutex<Vec<Received>>,
}

impl Server {
    /// Starts a server at a free port of 127.0.0.1, with a certificate for these names and addresses.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(names: &[&str], handler: impl Fn(&Received) -> Response + Send + Sync + 'static) -> Self {
        let (config, authority) = tls::config(names);
        Self::serve(Some(config), authority, Arc::new(handler)).await
    }

    /// Starts a server without TLS.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn plain(handler: impl Fn(&Received) -> Response + Send + Sync + 'static) -> Self {
        Self::serve(None, String::new(), Arc::new(handler)).await
    }

    async fn serve(tls: Option<rustls::ServerConfig>, authority: String, handler: Arc<Handler>) -> Self {
        let shared = Arc::new(Shared { handler: RwLock::new(handler), requests: Mutex::default() });
        let app = Router::new().fallback(respond).with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = match tls {
            Some(config) => tokio::spawn(axum::serve(Tls::new(listener, config), app).into_future()),
            None => tokio::spawn(axum::serve(listener, app).into_future()),
        };
        Self { port, authority, shared, task: task.abort_handle() }
    }

    /// Responds with `handler` from now on.
    pub fn respond(&self, handler: impl Fn(&Received) -> Response + Send + Sync + 'static) {
        *self.shared.handler.write() = Arc::new(handler);
    }

    /// Returns all requests so far.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.requests.lock().clone()
    }

    /// Its port, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate authority of its certificate, in PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(State(shared): State<Arc<Shared>>, request: Request) -> HttpResponse {
    let (head, body) = request.into_parts();
    let received = Received {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default(),
    };
    shared.requests.lock().push(received.clone());
    let handler = Arc::clone(&shared.handler.read());
    handler(&received).send().await
}
