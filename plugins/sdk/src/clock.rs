//! The current time. An outcome that depends on it is not reused: prefer
//! [`Outcome::requeue_after`](crate::Outcome::requeue_after) where possible.

use std::time::Duration;

use crate::backend;

/// Returns the time since the Unix epoch, in whole milliseconds. In a test it is the time that
/// `Cluster::at` sets, by default the epoch.
pub fn now() -> Duration {
    backend::now()
}
