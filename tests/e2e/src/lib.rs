//! The operator on a real control plane: what its tests share.
//!
//! A test has a [`ControlPlane`](mizzen_testcluster::ControlPlane), an [`Operator`] as a process of its own, and looks at what is in
//! the API server, in its request metrics, and in the operator's. Waiting is always for a condition ([`eventually`]).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]
#![expect(clippy::missing_panics_doc, reason = "everything here panics when what it waits for does not come")]

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
pub use objects::{Objects, apply, condition, state};
pub use operator::{Operator, guests, plugins};

/// Longer than anything takes on a busy machine with two cores.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// Waits until something is so; gives how long that took.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) -> Duration {
    let since = Instant::now();
    while !is_so().await {
        assert!(since.elapsed() < PATIENCE, "not so after {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    since.elapsed()
}

/// A folder of the repository.
pub fn repository(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
