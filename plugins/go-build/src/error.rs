//! Why a build has no result.

use std::io;
use std::path::PathBuf;

/// Why a build has no result.
#[derive(Debug, thiserror::Error)]
pub enum GoError {
    /// Something must be built, and there is no Go.
    #[error("{wanted} is not built yet and there is no `go` on the PATH: install Go 1.26 or later{instead}")]
    Missing {
        /// The result, e.g. `kube-apiserver 1.36.4`.
        wanted: String,
        /// An alternative, e.g. `, or set …`; may be empty.
        instead: String,
    },
    /// Go is installed, and older than a module requires.
    #[error("this `go` is too old to make {wanted} ({output}): install Go 1.26 or later{instead}")]
    TooOld {
        /// The result.
        wanted: String,
        /// The output of `go`.
        output: String,
        /// An alternative; may be empty.
        instead: String,
    },
    /// Go is installed, and failed.
    #[error("`go` can't make {wanted}:\n{output}")]
    Failed {
        /// The result.
        wanted: String,
        /// The output of `go`.
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
        /// The operation, e.g. `read`.
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

    /// Whether installing or upgrading Go would help.
    pub fn wants_go(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::TooOld { .. })
    }
}
