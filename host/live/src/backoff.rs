//! The delay before a retry.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// A watch that lives this long was healthy: its backoff starts again.
pub(crate) const HEALTHY: Duration = Duration::from_secs(5);

/// Growing delays with jitter: a server that returns is found at once, but not by all clients at
/// the same time.
#[derive(Debug)]
pub(crate) struct Backoff {
    builder: ExponentialBuilder,
    delays: ExponentialBackoff,
}

impl Backoff {
    /// For a server that does not respond: at most 1.5 s, so that an outage lasts little longer
    /// than the server's own.
    pub(crate) fn short() -> Self {
        Self::up_to(Duration::from_millis(750))
    }

    /// For what only an administrator changes (a permission, a CRD): at most 10 s.
    pub(crate) fn long() -> Self {
        Self::up_to(Duration::from_secs(5))
    }

    fn up_to(longest: Duration) -> Self {
        let builder = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(longest)
            .with_factor(2.0)
            .with_jitter()
            .without_max_times();
        Self { builder, delays: builder.build() }
    }

    /// The next delay. Jitter adds up to as much again.
    pub(crate) fn next(&mut self) -> Duration {
        self.delays.next().unwrap_or(Duration::from_secs(1))
    }

    /// Starts again with the shortest delay.
    pub(crate) fn reset(&mut self) {
        self.delays = self.builder.build();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_their_limit_and_start_again_short_after_a_reset() {
        let mut backoff = Backoff::short();
        let first = backoff.next();
        assert!(first <= Duration::from_millis(200));
        let later = (0..20).map(|_| backoff.next()).collect::<Vec<_>>();
        assert!(later.iter().all(|delay| *delay <= Duration::from_millis(1500)));
        assert!(later[19] >= Duration::from_millis(750));
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(200));
    }
}
