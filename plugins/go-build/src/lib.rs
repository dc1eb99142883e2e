//! Builds programs from Go modules that this repository pins, once, and keeps them in the project's
//! cache, outside the work tree: a control plane for the tests, and plugins that are written in Go.
//! The only place that runs `go`.

mod build;
mod cache;
mod module;

use std::io;
use std::path::PathBuf;

pub use build::Build;
pub use cache::{Cache, folder_from_env};
pub use module::GoModule;

/// Why there is nothing to use.
#[derive(Debug, thiserror::Error)]
pub enum GoError {
    /// Something must be built, and there is no Go.
    #[error("{wanted} is not built yet and there is no `go` on the PATH: install Go 1.26 or later{instead}")]
    Missing {
        /// What was wanted, e.g. `kube-apiserver 1.36.4`.
        wanted: String,
        /// What else helps, e.g. `, or set …`; may be empty.
        instead: String,
    },
    /// Go is there, and older than a module asks for.
    #[error("this `go` is too old to make {wanted} ({said}): install Go 1.26 or later{instead}")]
    TooOld {
        /// What was wanted.
        wanted: String,
        /// What `go` said.
        said: String,
        /// What else helps; may be empty.
        instead: String,
    },
    /// Go is there, and failed.
    #[error("`go` can't make {wanted}:\n{output}")]
    Failed {
        /// What was wanted.
        wanted: String,
        /// What `go` said.
        output: String,
    },
    /// The module does not name the version of what it pins.
    #[error("{path} does not require {module}: add it with `go get`")]
    Unpinned {
        /// The go.mod.
        path: PathBuf,
        /// The Go module.
        module: String,
    },
    /// No folder to build into.
    #[error("no cache folder: set MIZZEN_CACHE, XDG_CACHE_HOME or HOME")]
    NoCache,
    /// A file or folder can't be read or written.
    #[error("can't {action} {path}")]
    Io {
        /// What was tried, e.g. `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

// === impl GoError ===

impl GoError {
    /// A file or folder that can't be read or written.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// Whether nothing but a newer Go, or any Go at all, is missing.
    pub fn wants_go(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::TooOld { .. })
    }
}
