//! The operator on a real control plane, one module per behaviour.
//!
//! Each test starts a control plane of its own, unless documented otherwise, and enters the
//! [`TestGroup`](mizzen_e2e::TestGroup) of its module first.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, also in what its cases share"
)]

mod apis;
mod application;
mod dynakube;
mod egress;
mod faithful;
mod gateway;
mod hostile;
mod in_pod;
mod istio;
mod live;
mod mesh;
mod plan;
mod policies;
mod replicas;
mod secret_watch;
mod thousand;
mod traffic;
mod upgrade;
