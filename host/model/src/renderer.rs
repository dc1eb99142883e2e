//! Renderers: pure functions from a document to Kubernetes objects, and why one gives no answer.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{AccessError, Digest, Labels};

/// A renderer that a plugin may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renderer {
    /// What [`Reads::render`](crate::Reads::render) calls it.
    pub name: Arc<str>,
    /// What plugins choose by.
    pub labels: Labels,
}

/// What a renderer made of a document: one JSON text an object, in the order it gave them. Everybody who asked the same shares it.
pub type Rendered = Arc<[Box<str>]>;

/// Why nothing was rendered. The Rust shape of `renderers.render-error`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The renderer says that the document is wrong, and why.
    #[error("rejected: {0}")]
    Rejected(String),
    /// It gave no answer, neither objects nor what is wrong: it trapped, met a limit, ended with an exit code or wrote something else.
    #[error("failed: {0}")]
    Failed(String),
    /// It was not asked: not granted, or not there yet.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// A renderer that can be asked. Implemented by the sandbox, and by closures in the engine's tests.
#[async_trait]
pub trait Render: Send + Sync {
    /// Digest of its component.
    fn digest(&self) -> Digest;

    /// What it makes of a JSON document. A pure function: equal documents are rendered once, however often it is asked.
    async fn render(&self, function_config: &str) -> Result<Rendered, RenderError>;
}
