//! Restarts the workloads whose pods are not as they should be, for reconcilers that judge pods.
//!
//! ```text
//!   pods ─(the reconciler judges each)─► Restarts::add ─► one entry per owner ─► decide ─► Decision ─► patches · deletions · events
//!                                                              ▲                   ▲
//!                                  ReplicaSet → Deployment ────┘                   └── rollout, readiness, budgets, exclusions
//! ```
//!
//! A restart is state: an annotation on the pod template, a [`Mark`] that says for which cause. The owner's controller does the rest. A
//! workload that bears the mark of a cause is not restarted for it again, whatever its pods look like: that it did not help is reported.
//! Each workload is judged by what is seen of it, so one that can't be restarted never restarts the others.
//!
//! Pods pass through one by one; what is kept is an entry per workload with a cause. Behaviour: Kyma's sidecar restart, with its faults
//! mended: pods that are not ready are kept in mind, owners that nobody can restart are named.

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
pub use owners::OwnerReference;
pub use pods::{Finding, Pod};
pub use read::{DEPLOYMENTS, declare, deployment};
pub use state::{Progress, State};
pub use workload::{Controller, Workload};

/// Keeps a workload from being restarted when it is `never`: on the workload, its pod template, its pods or its namespace.
pub const RESTART_ANNOTATION: &str = "mizzen.dev/restart";

/// The value of [`RESTART_ANNOTATION`] that means something.
pub const NEVER: &str = "never";
