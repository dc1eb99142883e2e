//! Runs plugins as WebAssembly components. The only crate that knows wasmtime.
//!
//! ```text
//!   bytes ─► compile (cached on disk) ─► link ─► describe ─► Component ─► with_limits ─► Plugin: Invoke
//!                                                                                         │ one call:
//!                                            store dropped ◄─ outcome, checked ◄─ instance ◄─ fresh store
//! ```
//! A guest has no WASI and no authority: what it can reach is in `capabilities`, one file each, and goes to the
//! [`mizzen_model::Reads`] of its call.

mod bindings;
mod cache;
mod call;
mod capabilities;
mod component;
mod convert;
mod description;
mod engine;
mod error;
mod guest;
mod outcome;
mod text;
mod ticker;
mod world;

pub use call::Plugin;
pub use component::Component;
pub use engine::{Sandbox, SandboxOptions};
pub use error::LoadError;
