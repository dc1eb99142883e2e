//! Backoff: growing delays between retries.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// The delay before the first retry.
const FIRST: Duration = Duration::from_millis(200);

/// From this many failures in a row on, every delay is at its cap.
const MOST_DOUBLINGS: u32 = 30;

/// The delay before the next retry after `failures` in a row: doubling up to `cap`, and spread by a
/// quarter either way (by `spread`, e.g. a key's number), so that keys that failed together don't
/// return together.
pub(crate) fn delay(failures: u32, cap: Duration, spread: u32) -> Duration {
    let at = failures.saturating_sub(1).min(MOST_DOUBLINGS);
    let delay = doubling(FIRST, cap).nth(at as usize).unwrap_or(cap);
    delay.mul_f64(0.75 + f64::from(spread % 101) / 200.0)
}

/// Delays without end that begin with `first` and double up to `cap`.
pub(crate) fn doubling(first: Duration, cap: Duration) -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default().with_min_delay(first).with_max_delay(cap).with_factor(2.0).without_max_times().build()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Duration = Duration::from_mins(5);

    #[test]
    fn delays_grow_and_end_at_the_cap() {
        let millis = |failures| delay(failures, CAP, 50).as_millis();
        assert_eq!([1, 2, 3, 40, u32::MAX].map(millis), [200, 400, 800, 300_000, 300_000]);
    }

    #[test]
    fn keys_that_fail_together_are_retried_a_quarter_apart_at_most() {
        let delays: Vec<_> = (0..101).map(|spread| delay(40, CAP, spread)).collect();
        assert_eq!((delays[0], delays[100]), (CAP.mul_f64(0.75), CAP.mul_f64(1.25)));
    }
}
