//! Renderers: pure functions from a document to Kubernetes objects, and the errors of a rendering.

use std::sync::Arc;

use async_trait::async_trait;

use crate::access::AccessError;
use crate::digest::Digest;
use crate::object::Labels;

/// A renderer that a plugin may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renderer {
    /// Its name, for [`Reads::render`](crate::Reads::render).
    pub name: Arc<str>,
    /// The labels by which plugins choose.
    pub labels: Labels,
}

/// The rendered objects: one JSON text for each, in the renderer's order. Equal renderings share
/// them.
pub type Rendered = Arc<[Box<str>]>;

/// Why a rendering failed. The Rust form of `renderers.render-error`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The renderer refuses the document, and says why.
    #[error("rejected: {0}")]
    Rejected(String),
    /// The renderer returned neither objects nor a refusal: it trapped, met a limit, exited with a
    /// code, or wrote something else.
    #[error("failed: {0}")]
    Failed(String),
    /// The renderer was not called: it is not granted, or not loaded yet.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// A renderer that can be called. Implemented by the sandbox, and by closures in the engine's
/// tests.
#[async_trait]
pub trait Render: Send + Sync {
    /// The digest of its component.
    fn digest(&self) -> Digest;

    /// Renders a JSON document. A pure function: equal documents are rendered once.
    ///
    /// # Errors
    /// When the renderer refuses the document, fails, or can not be called.
    async fn render(&self, function_config: &str) -> Result<Rendered, RenderError>;
}
