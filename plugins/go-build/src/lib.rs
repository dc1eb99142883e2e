//! Builds programs from Go modules that this repository pins, once, and keeps them in the project's
//! cache, outside the work tree: a control plane for the tests, and plugins that are written in Go.
//! The only place that runs `go`.

mod build;
mod cache;
mod error;
mod module;

pub use build::Build;
pub use cache::{Cache, folder_from_env};
pub use error::GoError;
pub use module::GoModule;
