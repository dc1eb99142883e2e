//! What the tests of the operator on a real control plane share.
//!
//! A test starts a [`ControlPlane`](mizzen_testcluster::ControlPlane) and an [`Operator`] as a process of
//! its own. It checks the objects in the API server, the API server's request metrics, and the
//! operator's metrics. It waits for conditions only ([`eventually`]).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]
#![expect(clippy::missing_panics_doc, reason = "everything here panics when an awaited condition does not come")]

mod clusters;
mod group;
pub mod ingress;
pub mod istio;
mod objects;
mod operator;
pub mod sidecars;
pub mod watched;
pub mod workloads;

use std::time::{Duration, Instant};

pub use clusters::{INGRESS_GATEWAY, definitions, namespace, shipped, shipped_cluster};
pub use group::TestGroup;
pub use objects::{Condition, Objects, apply, condition, state};
pub use operator::{Operator, guests, plan, plugins};

/// How long to wait for a condition: longer than any takes on a busy machine with two cores.
pub const TIMEOUT: Duration = Duration::from_mins(3);

/// Waits until a condition holds, and returns how long that took. `what` describes it.
///
/// Panics when it does not hold after [`TIMEOUT`].
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) -> Duration {
    let since = Instant::now();
    while !holds().await {
        assert!(since.elapsed() < TIMEOUT, "not after {TIMEOUT:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    since.elapsed()
}

/// The path of a file or folder of the repository.
pub fn repository(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
