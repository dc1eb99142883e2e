//! The command from end to end, one module for each behaviour.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod cases;
mod command;
mod manifest;
mod mesh;
mod output;
mod rendering;
mod requesting;
mod support;
