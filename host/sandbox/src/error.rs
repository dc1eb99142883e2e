//! Why a component can't be loaded.

use std::path::PathBuf;

use mizzen_model::CallError;

use crate::cache::CacheError;

/// Why a component can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("{}: {source}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not a WebAssembly component, or one that this host does not understand.
    #[error("not a component that this host understands: {0}")]
    Compile(String),
    /// It imports what this host does not offer, or does not export a reconciler.
    #[error("does not fit the world `mizzen:plugin/reconciler-plugin`: {0}")]
    World(String),
    /// It is no renderer.
    #[error("is no renderer: {0}")]
    Renderer(String),
    /// It is a policy.
    #[error("is a policy (`mizzen:plugin/policy-plugin`), which this host does not run yet: it runs reconcilers")]
    Policy,
    /// Its `describe` did not answer.
    #[error("its `describe` {0}")]
    Describe(CallError),
    /// Its description makes no sense.
    #[error("its description is invalid: `{field}`: {message}")]
    Description {
        /// Which field.
        field: String,
        /// Why.
        message: String,
    },
    /// The folder of compiled components can't be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The host itself failed.
    #[error("the sandbox failed: {0}")]
    Host(String),
}
