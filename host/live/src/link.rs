//! The connection to the API server: sends requests, limits their time, and tells a refusal from a
//! missing response.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use http::Request;
use kube::Client;
use kube::api::{PostParams, WatchEvent, WatchParams};
use kube::core::{Status, request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::document::Document;
use crate::fence::Fence;
use crate::requests::RequestCounts;

/// How long a request may take, a page of a list included. The API server itself gives up after 60
/// s; a proxy may not.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a watch may take to start.
const WATCH_START_TIMEOUT: Duration = Duration::from_secs(30);

/// Any error, kept as the source of another one.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The API server refused it.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// There was no response, or only a part of one.
    #[error("{server}: {}", root(&**source))]
    NoResponse {
        /// The API server's address.
        server: Arc<str>,
        /// What failed.
        source: Cause,
    },
}

/// A response that did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("no response within {} s", .0.as_secs())]
pub(crate) struct Timeout(pub(crate) Duration);

/// The events of a watch.
pub(crate) type Events = BoxStream<'static, Result<WatchEvent<Document>, Fault>>;

/// A client, and the address of its API server for messages.
#[derive(Clone)]
pub(crate) struct Link {
    client: Client,
    server: Arc<str>,
    counts: RequestCounts,
    fence: Fence,
    /// Whether the last request got no response: an outage is logged once, and not by each request.
    unavailable: Arc<AtomicBool>,
}

// === impl Fault ===

impl Fault {
    /// The HTTP code; 0 without a response.
    pub(crate) fn code(&self) -> u16 {
        match self {
            Self::Refused(status) => status.code,
            Self::NoResponse { .. } => 0,
        }
    }
}

/// The innermost cause: the outer ones only name the layers that it passed.
pub(crate) fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root
}

// === impl Link ===

impl Link {
    pub(crate) fn new(client: Client, server: Arc<str>, counts: RequestCounts) -> Self {
        Self { client, server, counts, fence: Fence::default(), unavailable: Arc::default() }
    }

    /// The fence before all writes of this link and its clones.
    pub(crate) fn fence(&self) -> &Fence {
        &self.fence
    }

    /// The same connection without a fence.
    pub(crate) fn unfenced(&self) -> Self {
        Self { fence: Fence::default(), ..self.clone() }
    }

    /// Returns how long a write may take that is sent now.
    ///
    /// # Errors
    /// It may not be sent, as another host may hold the Lease.
    pub(crate) fn admit_write(&self) -> Result<Duration, Fault> {
        let left = self.fence.admit(Instant::now()).map_err(|error| self.no_response(error))?;
        Ok(left.map_or(REQUEST_TIMEOUT, |left| left.min(REQUEST_TIMEOUT)))
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn server(&self) -> &Arc<str> {
        &self.server
    }

    pub(crate) fn counts(&self) -> &RequestCounts {
        &self.counts
    }

    /// Gets a JSON document.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        let request = Request::get(path).body(Vec::new()).map_err(request::Error::BuildRequest);
        self.send(request).await
    }

    /// Gets plain text.
    pub(crate) async fn get_text(&self, path: &str) -> Result<String, Fault> {
        let request = Request::get(path).body(Vec::new()).map_err(|error| self.no_response(error))?;
        self.within(REQUEST_TIMEOUT, self.client.request_text(request)).await
    }

    /// Sends a request and reads the whole response.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        request: Result<Request<Vec<u8>>, request::Error>,
    ) -> Result<T, Fault> {
        let request = request.map_err(|error| self.no_response(error))?;
        let limit = if request.method().is_safe() { REQUEST_TIMEOUT } else { self.admit_write()? };
        self.within(limit, self.client.request(request)).await
    }

    /// Creates an object in a collection.
    pub(crate) async fn create<T: DeserializeOwned + Serialize>(&self, path: &str, object: &T) -> Result<T, Fault> {
        let body = self.body(object)?;
        self.send(kube::core::Request::new(path).create(&PostParams::default(), body)).await
    }

    /// Replaces an object of a collection, unless it has changed since the version that `object` has.
    pub(crate) async fn replace<T: DeserializeOwned + Serialize>(
        &self,
        path: &str,
        name: &str,
        object: &T,
    ) -> Result<T, Fault> {
        let body = self.body(object)?;
        self.send(kube::core::Request::new(path).replace(name, &PostParams::default(), body)).await
    }

    fn body(&self, object: &impl Serialize) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(object).map_err(|error| self.no_response(error))
    }

    /// A namespace, or by default that of the pod or the kubeconfig.
    pub(crate) fn namespace_or_default(&self, namespace: Option<String>) -> String {
        namespace.unwrap_or_else(|| self.client.default_namespace().to_owned())
    }

    /// Starts a watch of one object of a collection, which ends after some seconds.
    pub(crate) async fn watch_named(
        &self,
        path: &str,
        name: &str,
        seconds: u32,
        version: &str,
    ) -> Result<Events, Fault> {
        let field_selector = Some(format!("metadata.name={name}"));
        let params = WatchParams { field_selector, timeout: Some(seconds), ..WatchParams::default() };
        self.watch(path, &params, version).await
    }

    /// Starts a watch.
    pub(crate) async fn watch(&self, path: &str, params: &WatchParams, version: &str) -> Result<Events, Fault> {
        let request = kube::core::Request::new(path).watch(params, version).map_err(|error| self.no_response(error))?;
        let events = self.within(WATCH_START_TIMEOUT, self.client.request_events::<Document>(request)).await?;
        let link = self.clone();
        Ok(events.map(move |event| event.map_err(|error| link.fault(error))).boxed())
    }

    async fn within<T>(&self, limit: Duration, response: impl Future<Output = kube::Result<T>>) -> Result<T, Fault> {
        let response = match tokio::time::timeout(limit, response).await {
            Ok(response) => response.map_err(|error| self.fault(error)),
            Err(_) => Err(self.no_response(Timeout(limit))),
        };
        match &response {
            Err(error @ Fault::NoResponse { .. }) => {
                if !self.unavailable.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the API server is unavailable");
                }
            }
            _ => {
                if self.unavailable.swap(false, Ordering::Relaxed) {
                    tracing::info!(server = %self.server, "the API server is available again");
                }
            }
        }
        response
    }

    /// Classifies an error of the client.
    pub(crate) fn fault(&self, error: kube::Error) -> Fault {
        match error {
            kube::Error::Api(status) => Fault::Refused(status),
            error => self.no_response(error),
        }
    }

    /// A request that got no response.
    pub(crate) fn no_response(&self, source: impl Into<Cause>) -> Fault {
        Fault::NoResponse { server: Arc::clone(&self.server), source: source.into() }
    }
}
