//! Why a renderer can't be loaded or compiled.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a module is not a renderer.
#[derive(Debug, thiserror::Error)]
pub enum RendererError {
    /// It is a component of the component model.
    #[error(
        "it is of the component model: a renderer is a WASI preview 1 command, as e.g. `GOOS=wasip1 go build` makes one"
    )]
    Component,
    /// It is a library.
    #[error("it exports no `_start`: build it as a command, not as a library")]
    NoStart,
    /// It imports from a module that the host does not offer.
    #[error("it imports from `{0}`, which this host does not offer: build it for WASI preview 1")]
    Import(String),
    /// It imports a function that WASI preview 1 does not have, or with another type.
    #[error("its imports are not those of WASI preview 1: {0}")]
    Link(#[source] wasmtime::Error),
}

/// Why a component was not compiled by another process.
#[derive(Debug, thiserror::Error)]
pub enum CompilerError {
    /// The process can't be started.
    #[error("the compiler {} cannot be started: {source}", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It needs more memory than the process may have.
    #[error("compiling it takes more than {mebibytes} MiB of memory: allow more with `--compile-memory`")]
    Memory {
        /// The limit.
        mebibytes: u64,
    },
    /// The process ended without a message.
    #[error("its compiler ended with {0}: compile it ahead with `mizzen plugin compile`")]
    Ended(ExitStatus),
    /// The process reported an error, in these words.
    #[error("{0}")]
    Reported(String),
    /// The process reported success, but the compiled form is not in the cache.
    #[error("was compiled, but was not found in the cache {}", .0.display())]
    NotCached(PathBuf),
}
