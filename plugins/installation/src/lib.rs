//! Installs Istio, upgrades it, keeps it, and takes it away.
#![cfg_attr(not(test), expect(dead_code, reason = "the reconciler comes next"))]

mod config;
mod merge;
mod nodes;

pub use config::Config;
pub use merge::{Provider, Size};
