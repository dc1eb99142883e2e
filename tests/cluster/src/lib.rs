//! A real Kubernetes control plane on loopback, for tests and for trying things out: etcd, kube-apiserver
//! and, on request, kube-controller-manager, kube-scheduler and kwok.
//!
//! The programs are built once from Go modules pinned in `tests/controlplane/`, or taken from the folder in
//! `KUBEBUILDER_ASSETS`. A control plane listens on 127.0.0.1 only, on ports of its own. It ends when its
//! [`ControlPlane`] is dropped, or when the process that started it ends.
//!
//! ```no_run
//! # async fn example() {
//! use mizzen_testcluster::ControlPlane;
//!
//! let Some(cluster) = ControlPlane::builder().mesh_crds().controller_manager().start_for_test().await else { return };
//! println!("KUBECONFIG={}", cluster.kubeconfig_path().display());
//! # }
//! ```

mod apply;
mod assets;
mod builder;
mod child;
mod control_plane;
mod credentials;
mod flags;
mod folder;
mod kwok;
mod ports;
mod program;
mod readiness;
mod writes;

pub use apply::{ApplyError, FIELD_MANAGER};
pub use assets::{Assets, AssetsError, Manifests};
pub use builder::{Builder, StartError};
pub use child::{Launch, Running};
pub use control_plane::{AccessError, ControlPlane};
pub use credentials::CredentialsError;
pub use ports::{Port, PortError};
pub use program::Program;
pub use readiness::ReadyError;
pub use writes::{Verb, Write, WriteCounts, WritesError};
