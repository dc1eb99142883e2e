//! How long to wait before the next try.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Growing, jittered waits, so that a server that comes back is found at once and not by everybody at once.
#[derive(Debug)]
pub(crate) struct Pause {
    builder: ExponentialBuilder,
    waits: ExponentialBackoff,
}

impl Pause {
    /// For a server that is silent: at most 1.5 s, so that an outage costs little more than itself.
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
        Self { builder, waits: builder.build() }
    }

    /// The next wait. Jitter adds up to as much again.
    pub(crate) fn next(&mut self) -> Duration {
        self.waits.next().unwrap_or(Duration::from_secs(1))
    }

    /// Begins again with short waits.
    pub(crate) fn reset(&mut self) {
        self.waits = self.builder.build();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_begin_again_short() {
        let mut pause = Pause::short();
        let first = pause.next();
        assert!(first <= Duration::from_millis(200));
        let later = (0..20).map(|_| pause.next()).collect::<Vec<_>>();
        assert!(later.iter().all(|wait| *wait <= Duration::from_millis(1500)));
        assert!(later[19] >= Duration::from_millis(750));
        pause.reset();
        assert!(pause.next() <= Duration::from_millis(200));
    }
}
