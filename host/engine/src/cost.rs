//! The cost of calls, and how long it delays further ones.

use std::time::Duration;

/// Calls below this cost need no cooldown; a fresh instance answers in less than a tenth of it.
const CHEAP: Duration = Duration::from_millis(10);

/// The cooldown as a multiple of the call's cost: changes of what a plugin read take at most a
/// sixth of the time.
const COOLDOWN_FACTOR: u32 = 5;

/// The longest cooldown.
const LONGEST_COOLDOWN: Duration = Duration::from_secs(30);

/// From this cost on, a plugin is not called again within one reconcile because its own writes
/// changed what it reads.
const EXPENSIVE: Duration = Duration::from_millis(100);

/// How long a key cools down after a call of this cost.
pub(crate) fn cooldown(cost: Duration) -> Duration {
    if cost < CHEAP { Duration::ZERO } else { (cost * COOLDOWN_FACTOR).min(LONGEST_COOLDOWN) }
}

/// Whether a call costs so much that the reconciler's own writes are no reason to repeat it at
/// once.
pub(crate) fn is_expensive(cost: Duration) -> bool {
    cost >= EXPENSIVE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cheap_call_has_no_cooldown_and_the_most_expensive_one_half_a_minute() {
        let cooldowns = [9, 10, 1_000, 60_000].map(|millis| cooldown(Duration::from_millis(millis)).as_millis());
        assert_eq!(cooldowns, [0, 50, 5_000, 30_000]);
    }
}
