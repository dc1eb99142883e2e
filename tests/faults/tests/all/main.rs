//! Random plans, and faults that they found, each reduced to its steps.
#![allow(missing_docs, clippy::unwrap_used, reason = "the name of a test documents it, and tests fail by panicking")]

mod plans;
mod unknown;
