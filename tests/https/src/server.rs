//! A server.

use std::sync::{Arc, Mutex, RwLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::answer::{Answer, Asked};
use crate::tls::{self, Tls};

type Answers = dyn Fn(&Asked) -> Answer + Send + Sync;

/// An HTTPS server on loopback. It ends when it is dropped.
pub struct Server {
    port: u16,
    authority: String,
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    answers: RwLock<Arc<Answers>>,
    asked: Mutex<Vec<Asked>>,
}

// === impl Server ===

impl Server {
    /// A server at a free port of 127.0.0.1, with a certificate for these names and addresses.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start(names: &[&str], answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let (config, authority) = tls::config(names);
        Self::serve(Some(config), authority, Arc::new(answers)).await
    }

    /// A server without TLS.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn plain(answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::serve(None, String::new(), Arc::new(answers)).await
    }

    async fn serve(tls: Option<rustls::ServerConfig>, authority: String, answers: Arc<Answers>) -> Self {
        let shared = Arc::new(Shared { answers: RwLock::new(answers), asked: Mutex::default() });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = match tls {
            Some(config) => tokio::spawn(axum::serve(Tls::new(listener, config), app).into_future()),
            None => tokio::spawn(axum::serve(listener, app).into_future()),
        };
        Self { port, authority, shared, task: task.abort_handle() }
    }

    /// From now on this is what is answered.
    ///
    /// # Panics
    /// When an answer panicked before.
    pub fn answers(&self, answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) {
        *self.shared.answers.write().unwrap() = Arc::new(answers);
    }

    /// Everything that was asked so far.
    ///
    /// # Panics
    /// When an answer panicked before.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Its port, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Who vouches for it, in PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default(),
    };
    shared.asked.lock().unwrap().push(asked.clone());
    let answers = Arc::clone(&shared.answers.read().unwrap());
    answers(&asked).send().await
}
