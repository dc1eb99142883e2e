//! Runs plugins as WebAssembly components. The only crate that knows wasmtime.
//!
//! ```text
//!   bytes ─► compile (cached on disk) ─► link ─► describe ─► Component ─► with_limits ─► Plugin: Invoke
//!                                                                                         │ one call:
//!                                          store dropped ◄─ outcome, parsed ◄─ instance ◄─ fresh store
//! ```
//! A guest has no authority: its host calls are in `capabilities`, one file each, and go to the
//! [`mizzen_model::Reads`] of its call. To those that import WASI it is virtual: see `wasi`. Renderers are guests of
//! another kind, with an engine of their own: see [`Renderers`].
//!
//! A sandbox loads what fits the world of plugins, and reports why anything else does not:
//!
//! ```
//! use mizzen_sandbox::{LoadError, Sandbox, SandboxOptions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), LoadError> {
//! let sandbox = Sandbox::new(SandboxOptions { cache: None, instances: 4 })?;
//! // An empty component: it would be `sandbox.load_file("teams.wasm".as_ref()).await?`, and then
//! // `component.with_limits(limits).invoke(Call::Reconcile, &request, reads).await?`.
//! let refused = sandbox.load(b"\0asm\x0d\0\x01\0".to_vec()).await.err();
//! let message = refused.map(|error| error.to_string()).unwrap_or_default();
//! assert!(message.contains("it does not export `mizzen:plugin/reconciler`"), "{message}");
//! # Ok(())
//! # }
//! ```

mod bindings;
mod cache;
mod call;
mod capabilities;
mod compile;
mod component;
mod convert;
mod cursor;
mod description;
mod engine;
mod error;
mod form;
mod guest;
mod limits;
mod lines;
mod metered;
mod no_reads;
mod outcome;
mod plugin;
mod render;
mod text;
mod ticker;
mod wasi;
mod world;

pub use cache::CacheError;
pub use compile::{Compilation, compile, confine};
pub use component::{Component, Plugin};
pub use description::DescriptionError;
pub use engine::{Sandbox, SandboxOptions};
pub use error::LoadError;
pub use render::error::{CompilerError, RendererError};
pub use render::{Compiler, Load, RenderOptions, Renderer, Renderers};
pub use world::WorldError;
