//! Renderers: pure functions from a document to objects, as vendors write them: WASI commands that speak KRM.
//!
//! ```text
//!   file ─► digest ─► cache ── found ─► mapped ─► Renderer: Render ─► results, kept by component and document
//!                      │                                 │ one rendering: a fresh store, a virtual WASI,
//!                      └─ missing ─► child process,      └ stdin: ResourceList in, stdout: ResourceList out
//!                                    compiles into the cache
//! ```
//! A renderer is a hundred times the size of a plugin, needs a hundred times the memory, and runs a hundredth as often.
//! So renderers have an engine of their own, which holds no memory between two renderings, and few run at once.

mod call;
mod clock;
mod compiler;
mod compiling;
mod component;
mod engine;
pub(crate) mod error;
mod failure;
mod files;
mod limits;
mod memo;
mod pipe;
mod renderer;
mod resource_list;
mod store;
mod wasi;

pub use compiler::Compiler;
pub use engine::{RenderOptions, Renderers};
pub use renderer::{Load, Renderer};

pub(crate) use engine::config;
