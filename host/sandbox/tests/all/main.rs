//! The sandbox's tests on real components, in one binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod cache;
mod compiler;
mod fair;
mod hostile;
mod renderers;
mod requests;
mod support;
mod world;
