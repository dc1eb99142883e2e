//! Runs plugins as WebAssembly components. The only crate that knows wasmtime.
//!
//! ```text
//!   bytes ─► compile (cached on disk) ─► link ─► describe ─► Component ─► with_limits ─► Plugin: Invoke
//!                                                                                         │ one call:
//!                                            store dropped ◄─ outcome, checked ◄─ instance ◄─ fresh store
//! ```
//! A guest has no WASI and no authority: what it can reach is in `capabilities`, one file each, and goes to the
//! [`mizzen_model::Reads`] of its call. Renderers are guests of another kind, with an engine of their own: see `render`.

mod bindings;
mod cache;
mod call;
mod capabilities;
mod compile;
mod component;
mod convert;
mod description;
mod engine;
mod error;
mod guest;
mod outcome;
mod render;
mod text;
mod ticker;
mod world;

pub use cache::CacheError;
pub use call::Plugin;
pub use compile::{Compilation, compile, confine};
pub use component::Component;
pub use engine::{Sandbox, SandboxOptions};
pub use error::LoadError;
pub use render::{Compiler, Load, RenderOptions, Renderer, Renderers};
