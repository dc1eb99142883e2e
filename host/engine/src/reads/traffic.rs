//! How much a call sends and receives over HTTPS.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::observe::Traffic;

/// Counts the traffic of a running call.
#[derive(Debug, Default)]
pub(super) struct TrafficMeter {
    requests: AtomicU64,
    received: AtomicU64,
}

// === impl TrafficMeter ===

impl TrafficMeter {
    /// Counts a request, unless `limit` have been counted already. Returns whether it did.
    pub(super) fn request(&self, limit: u64) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed) < limit
    }

    /// Counts bytes of a response body.
    pub(super) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn traffic(&self) -> Traffic {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Traffic { requests: load(&self.requests), received: load(&self.received) }
    }
}
