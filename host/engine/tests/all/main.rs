//! The engine on a cluster in memory, with plugins that are closures.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "tests say what they show by their names, and fail by panicking"
)]

mod abandoned;
mod claims;
mod modes;
mod order;
mod overtaken;
mod ownership;
mod pacing;
mod rendering;
mod requesting;
mod resting;
mod steps;
mod support;
mod telling;
mod waking;
mod writing;
