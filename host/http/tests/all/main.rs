//! The client's tests against real servers on loopback, in one binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod loopback;
mod support;
