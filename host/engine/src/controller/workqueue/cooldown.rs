//! Cooldown: an expensive plugin is not called for every single change of what it reads.
//!
//! While three hundred workloads roll, objects change many times per second, and a call that reads
//! ten thousand Pods takes half a second. So a key cools down after a call, for a multiple of the
//! call's cost. Changes in that time are handled by one call when it is over; a change of the
//! subject or of the configuration does not wait.

use std::time::Duration;

use tokio::time::Instant;

use crate::cost::cooldown;

/// What a key's calls cost, and until when it cools down.
#[derive(Debug, Default)]
pub(super) struct Cooldown {
    /// The cost of the last call.
    cost: Option<Duration>,
    until: Option<Instant>,
}

// === impl Cooldown ===

impl Cooldown {
    /// Starts the cooldown after a call that ended at `now`.
    pub(super) fn start(&mut self, cost: Duration, now: Instant) {
        // One slow call among fast ones is due to the machine rather than to the plugin.
        let usual = self.cost.map_or(cost, |last| last.min(cost));
        self.cost = Some(cost);
        self.until = Some(now + cooldown(usual));
    }

    /// When the cooldown ends; `None`: it is over.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}
