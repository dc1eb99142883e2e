//! The line to the API server: sends a request, bounds its time, and tells a refusal from silence.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use http::Request;
use kube::Client;
use kube::api::{WatchEvent, WatchParams};
use kube::core::{Status, request};
use serde::de::DeserializeOwned;

use crate::document::Document;
use crate::requests::RequestCounts;

/// How long one request may take, a page of a list included. The API server gives up after 60 s itself; a proxy between may not.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a watch may take to begin.
const WATCH_START_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a request had no success.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The API server answered that it won't.
    Refused(Box<Status>),
    /// There was no answer, or half of one.
    Silent(String),
}

/// What a watch tells.
pub(crate) type Events = BoxStream<'static, Result<WatchEvent<Document>, Fault>>;

/// A client, and the address for messages.
#[derive(Clone)]
pub(crate) struct Link {
    client: Client,
    server: Arc<str>,
    counts: RequestCounts,
    /// Whether the last request had no answer: an outage is told once, not by everybody who notices.
    silent: Arc<AtomicBool>,
}

impl Fault {
    /// The HTTP code; 0 without an answer.
    pub(crate) fn code(&self) -> u16 {
        match self {
            Self::Refused(status) => status.code,
            Self::Silent(_) => 0,
        }
    }

    /// The API server's words, or what went wrong.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Refused(status) => &status.message,
            Self::Silent(message) => message,
        }
    }
}

impl Link {
    pub(crate) fn new(client: Client, server: Arc<str>, counts: RequestCounts) -> Self {
        Self { client, server, counts, silent: Arc::default() }
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

    /// Reads `path`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        let request = Request::get(path).body(Vec::new()).map_err(request::Error::BuildRequest);
        self.send(request).await
    }

    /// Reads `path`, which is answered with plain text.
    pub(crate) async fn get_text(&self, path: &str) -> Result<String, Fault> {
        let request = Request::get(path).body(Vec::new()).map_err(|error| self.silent(&error))?;
        self.within(REQUEST_TIMEOUT, self.client.request_text(request)).await
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        request: Result<Request<Vec<u8>>, request::Error>,
    ) -> Result<T, Fault> {
        let request = request.map_err(|error| self.silent(&error))?;
        self.within(REQUEST_TIMEOUT, self.client.request(request)).await
    }

    /// Begins a watch.
    pub(crate) async fn watch(&self, path: &str, params: &WatchParams, version: &str) -> Result<Events, Fault> {
        let request = kube::core::Request::new(path).watch(params, version).map_err(|error| self.silent(&error))?;
        let events = self.within(WATCH_START_TIMEOUT, self.client.request_events::<Document>(request)).await?;
        let link = self.clone();
        Ok(events.map(move |event| event.map_err(|error| link.fault(error))).boxed())
    }

    async fn within<T>(&self, limit: Duration, answer: impl Future<Output = kube::Result<T>>) -> Result<T, Fault> {
        let answer = match tokio::time::timeout(limit, answer).await {
            Ok(answer) => answer.map_err(|error| self.fault(error)),
            Err(_) => Err(Fault::Silent(format!("{}: no answer within {} s", self.server, limit.as_secs()))),
        };
        match &answer {
            Err(Fault::Silent(message)) => {
                if !self.silent.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%message, "the API server does not answer");
                }
            }
            _ => {
                if self.silent.swap(false, Ordering::Relaxed) {
                    tracing::info!(server = %self.server, "the API server answers again");
                }
            }
        }
        answer
    }

    /// Sorts an error of the client.
    pub(crate) fn fault(&self, error: kube::Error) -> Fault {
        match error {
            kube::Error::Api(status) => Fault::Refused(status),
            error => self.silent(&error),
        }
    }

    fn silent(&self, error: &dyn Error) -> Fault {
        // The outermost words only say which layer noticed; the reason is at the bottom.
        let mut cause = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Fault::Silent(format!("{}: {cause}", self.server))
    }
}
