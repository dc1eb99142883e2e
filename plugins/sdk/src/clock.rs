//! Time. An answer that read it is not reused: prefer [`Outcome::requeue_after`](crate::Outcome::requeue_after) where that will do.

use std::time::Duration;

use crate::backend;

/// The time since the Unix epoch, in whole milliseconds. In a test it is what the test's `Cluster::at` says, and the epoch otherwise.
pub fn now() -> Duration {
    backend::now()
}
