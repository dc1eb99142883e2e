//! The engine on a cluster in memory, with plugins that are closures.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "the name of a test documents it, and tests fail by panicking"
)]

mod adoption;
mod claims;
mod concurrent_changes;
mod consent;
mod cooldown;
mod edge;
mod events;
mod follower;
mod marks;
mod modes;
mod order;
mod orphans;
mod ownership;
mod pace_marks;
mod paces;
mod patches;
mod random_faults;
mod renderers;
mod requests;
mod selection;
mod status;
mod steps;
mod support;
mod triggers;
mod writes;
