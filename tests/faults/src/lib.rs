//! The engine under random faults: 429, 500, lost responses, writes that take effect late, watches that lag, kinds
//! that are not served for a while, restarts, other revisions, clocks that jump. Whatever happens, nothing outside of a
//! grant is written, nothing is pruned that a complete outcome wants, every finalizer ends, writes stop, and the end is
//! that of an undisturbed run.
//!
//! ```text
//!   seed ─► plan (steps of users, faults, restarts) ─► run on Faulty(Memory) ─► judge
//! ```
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    reason = "a test program: it fails by panicking, and its parts are documented by their names"
)]

pub mod cluster;
pub mod judge;
pub mod plan;
pub mod random;
pub mod run;
pub mod world;
