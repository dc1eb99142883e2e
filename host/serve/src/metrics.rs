//! The metrics of a host: its own, and those that dashboards for controller-runtime and client-go
//! know.

mod host;
mod labels;
mod requests;
mod standard;

use mizzen_engine::Snapshot;
use mizzen_engine::observe::{Called, Observer, Queued, Reconciled, Written};
use parking_lot::Mutex;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use self::host::HostMetrics;
use self::requests::RequestMetrics;
use self::standard::StandardMetrics;

pub use self::requests::{RequestCount, RequestSource};

/// Counts what the engine does, and encodes it for Prometheus.
pub struct Metrics {
    registry: Mutex<Registry>,
    host: HostMetrics,
    standard: StandardMetrics,
    requests: RequestMetrics,
}

// === impl Metrics ===

impl Metrics {
    /// Metrics that are all 0. `requests` returns the counts of requests to the API server.
    pub fn new(requests: RequestSource) -> Self {
        let mut registry = Registry::default();
        let host = HostMetrics::register(registry.sub_registry_with_prefix("mizzen"));
        let standard = StandardMetrics::register(&mut registry);
        let requests = RequestMetrics::register(&mut registry, requests);
        Self { registry: Mutex::new(registry), host, standard, requests }
    }

    /// Encodes all metrics in the OpenMetrics text format.
    pub fn encode(&self, snapshot: Option<&Snapshot>) -> String {
        if let Some(snapshot) = snapshot {
            self.host.update(snapshot);
            self.standard.update(snapshot);
        }
        self.requests.update();
        let mut text = String::new();
        // Writing to a String can't fail.
        let _ = encode(&mut text, &self.registry.lock());
        text
    }
}

impl Observer for Metrics {
    fn queued(&self, queued: &Queued<'_>) {
        self.standard.queued(queued);
    }

    fn called(&self, call: &Called<'_>) {
        self.host.called(call);
    }

    fn wrote(&self, write: &Written<'_>) {
        self.host.wrote(write);
    }

    fn reconciled(&self, done: &Reconciled<'_>) {
        self.host.reconciled(done);
        self.standard.reconciled(done);
    }
}

#[cfg(test)]
mod tests;
