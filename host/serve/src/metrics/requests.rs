//! Requests to the API server, under client-go's name.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::labels::{ByCode, Word};

/// How many requests had a method and a status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestCount {
    /// The HTTP method, e.g. `GET`.
    pub method: &'static str,
    /// The HTTP status code; 0: there was no response.
    pub code: u16,
    /// How many requests since the host started.
    pub count: u64,
}

/// Returns the counts of requests so far, at most one for each method and code.
pub type RequestSource = Arc<dyn Fn() -> Vec<RequestCount> + Send + Sync>;

pub(super) struct RequestMetrics {
    source: RequestSource,
    requests: Family<ByCode, Counter>,
}

// === impl RequestMetrics ===

impl RequestMetrics {
    pub(super) fn register(registry: &mut Registry, source: RequestSource) -> Self {
        let requests = Family::default();
        let help = "Requests to the API server by method and status code";
        registry.register("rest_client_requests", help, Family::clone(&requests));
        Self { source, requests }
    }

    pub(super) fn update(&self) {
        for RequestCount { method, code, count } in (self.source)() {
            // client-go's word for a request without a response.
            let code = if code == 0 { "<error>".to_owned() } else { code.to_string() };
            let counter = self.requests.get_or_create(&ByCode { code, method: Word(method) });
            counter.inner().store(count, Ordering::Relaxed);
        }
    }
}
