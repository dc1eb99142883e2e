//! Why a component can't be loaded.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use mizzen_model::CallError;

use crate::cache::CacheError;
use crate::description::DescriptionError;
use crate::render::error::{CompilerError, RendererError};
use crate::world::WorldError;

/// Why a component can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("{} cannot be read: {source}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than any component that the host compiles.
    #[error("not a component that this host compiles: it has {bytes} bytes, and at most {most} are allowed")]
    TooLarge {
        /// Its bytes.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// It does not begin as WebAssembly does.
    #[error("not a component: it is not WebAssembly")]
    NotWasm,
    /// It is a core module.
    #[error(
        "not a component but a core module of WebAssembly: make a component of it with \
         `wasm-tools component new FILE -o COMPONENT`"
    )]
    CoreModule,
    /// It is a core module that was built for WASI preview 1.
    #[error(
        "not a component but a core module for WASI preview 1: make a component of it with `wasm-tools component new \
         FILE --adapt wasi_snapshot_preview1.reactor.wasm -o COMPONENT`"
    )]
    Preview1,
    /// It is damaged, or uses features of WebAssembly that the host does not enable.
    #[error("not a component that this host can compile")]
    Compile(#[source] wasmtime::Error),
    /// It imports or exports something else than a reconciler plugin does.
    #[error(transparent)]
    World(#[from] WorldError),
    /// Its imports or exports have other types than the world's.
    #[error("does not fit the world `mizzen:plugin/reconciler-plugin`: build it with this host's `wit/`: {0}")]
    Link(#[source] wasmtime::Error),
    /// It is not a renderer.
    #[error("not a renderer: {0}")]
    Renderer(#[from] RendererError),
    /// Its `describe` did not return.
    #[error("its `describe` failed: {0}")]
    Describe(#[source] CallError),
    /// A field of its description is invalid.
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// The folder of compiled components can't be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// There is no folder of compiled components, which renderers are mapped from.
    #[error("renderers are mapped from the cache, and there is none: give a folder with `--cache`")]
    NoCache,
    /// It was not compiled ahead, and this host does not compile renderers.
    #[error(
        "is not in the cache {}: `mizzen plugin compile --cache {} {}`",
        .cache.display(), .cache.display(), .file.display()
    )]
    NotCompiled {
        /// The cache.
        cache: PathBuf,
        /// The renderer.
        file: PathBuf,
    },
    /// The process that compiled it failed.
    #[error(transparent)]
    Compiler(Arc<CompilerError>),
    /// The engine can't be set up.
    #[error("the WebAssembly engine cannot be set up: {0}")]
    Engine(#[source] wasmtime::Error),
    /// A thread or a task of the sandbox can't be started, or ended early.
    #[error("the sandbox failed: {0}")]
    Task(#[source] io::Error),
    /// The limit of memory can't be set.
    #[error("a limit of {memory} bytes of memory cannot be set: {source}")]
    Confine {
        /// Bytes.
        memory: u64,
        /// Why.
        source: io::Error,
    },
}

impl From<tokio::task::JoinError> for LoadError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Task(error.into())
    }
}
