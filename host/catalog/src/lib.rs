//! Loads components, checks them against their configuration, and swaps revisions.
//!
//! ```text
//!   Configuration ─► Catalog::refresh: load what changed ─► check config and grants ─► Entry: the last good revision,
//!   file changed ──────────┘                                                                  problems of the newest
//! ```
//!
//! ```
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use mizzen_catalog::{Catalog, Loader, Loading};
//! use mizzen_config::{Configuration, Limits, Renderer};
//! use mizzen_model::{Invoke, LoadError, yaml};
//!
//! /// A loader in place of the sandbox, which refuses every component.
//! struct Strict;
//!
//! #[async_trait]
//! impl Loader for Strict {
//!     async fn load(&self, _: &Path, _: Vec<u8>, _: Limits) -> Result<Arc<dyn Invoke>, LoadError> {
//!         Err(LoadError::new(std::io::Error::other("not a component")))
//!     }
//!     async fn load_renderer(&self, _: &Renderer, _: &Path) -> Result<Loading, LoadError> {
//!         Ok(Loading::Compiling)
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! std::fs::write(folder.join("teams.wasm"), "garbage")?;
//! let text = "
//! apiVersion: mizzen.dev/v1alpha1
//! kind: Reconciler
//! metadata: {name: teams}
//! spec: {component: {file: teams.wasm}, subject: {apiVersion: example.com/v1, kind: Team}}
//! ";
//! let configuration = Configuration::strict(&yaml::parse(Path::new("teams.yaml"), text)?).unwrap();
//!
//! let entries = Catalog::new(Arc::new(Strict), Some(folder.into())).refresh(&configuration).await;
//! assert!(entries[0].invoke.is_none());
//! assert!(entries[0].problems[0].message.ends_with("teams.wasm: not a component"));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod catalog;
mod check;
mod loader;
mod renderers;
mod watch;

pub use catalog::{Catalog, Entry};
pub use loader::{Loader, Loading};
pub use renderers::{NotLoaded, RendererEntry};
pub use watch::{Depth, FileWatch};
