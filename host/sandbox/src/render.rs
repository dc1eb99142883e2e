//! Renderers: pure functions from a document to objects, as vendors write them: WASI commands that speak KRM.
//!
//! ```text
//!   file ─► digest ─► cache ── there ─► mapped ─► Renderer: Render ─► answers, kept by (component, document)
//!                      │                                  │ one rendering: a fresh store, a virtual WASI,
//!                      └─ not ─► child process, which     └ stdin: ResourceList in, stdout: ResourceList out
//!                                compiles into the cache
//! ```
//! They are a hundred times the size of a plugin, need a hundred times the memory, and are asked a hundredth as often: so they have an
//! engine of their own, which holds no memory between two renderings, and few run at once.

mod answers;
mod call;
mod clock;
mod compiler;
mod component;
mod ended;
mod engine;
mod pipe;
mod resource_list;
mod wasi;

pub use compiler::Compiler;
pub use component::Renderer;
pub use engine::{Load, RenderOptions, Renderers};

pub(crate) use engine::config;
