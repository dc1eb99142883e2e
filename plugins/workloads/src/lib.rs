//! Restarts workloads with outdated pods, for reconcilers that judge pods.
//!
//! ```text
//!   pods ─(the reconciler judges each)─► Restarts::add ─► one entry per owner ─► decide ─► Decision
//!                                                              ▲                   ▲         │
//!                                  ReplicaSet → Deployment ────┘                   │         ▼
//!                               rollout, readiness, budgets, exclusions ───────────┘   patches · deletions
//! ```
//!
//! A restart is state: an annotation on the pod template, a [`Mark`] with its cause. The owner's
//! controller does the rest. A workload with the mark of a cause is not restarted for it again,
//! whatever its pods look like: that the restart had no effect is reported. Each workload is
//! decided separately, so one that can't be restarted does not block the others.
//!
//! Pods are read one by one; only one entry per workload is kept. Behaviour: Kyma's sidecar
//! restart, with its faults fixed: pods that are not ready are not forgotten, and owners that can't
//! be restarted are named.

mod budgets;
mod decide;
mod decision;
mod mark;
mod owners;
mod pods;
mod read;
mod state;
mod workload;

pub use decide::Restarts;
pub use decision::{Decision, Named};
pub use mark::{Mark, digest};
pub use pods::{Finding, OwnerReference, Pod};
pub use read::{DEPLOYMENTS, declare, deployment};
pub use state::{Progress, State};
pub use workload::{Controller, Workload};

/// Excludes a workload from restarts if it is `never`: on the workload, its pod template, its pods
/// or its namespace.
pub const RESTART_ANNOTATION: &str = "mizzen.dev/restart";

/// The only value of [`RESTART_ANNOTATION`] with a meaning.
pub const NEVER: &str = "never";
