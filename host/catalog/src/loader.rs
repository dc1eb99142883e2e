//! The loader of components, which the catalog is given.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use mizzen_config::{Limits, Renderer};
use mizzen_model::{Invoke, LoadError, Render};

/// Loads components: the sandbox, or a simple replacement in tests.
#[async_trait]
pub trait Loader: Send + Sync {
    /// Loads the component in the bytes of a file, with limits for each call.
    ///
    /// # Errors
    /// What is wrong with the component.
    async fn load(&self, file: &Path, bytes: Vec<u8>, limits: Limits) -> Result<Arc<dyn Invoke>, LoadError>;

    /// Loads the renderer in a file, which is too large to be kept in memory. Called at each
    /// refresh, so it must return quickly, and do nothing if the file has not changed.
    ///
    /// # Errors
    /// What is wrong with the renderer.
    async fn load_renderer(&self, renderer: &Renderer, file: &Path) -> Result<Loading, LoadError>;
}

/// The result of loading a renderer.
#[derive(Clone)]
pub enum Loading {
    /// It can be called.
    Ready(Arc<dyn Render>),
    /// It is being compiled in the background; a later refresh finds it ready.
    Compiling,
}
