//! Renderers: pure functions from a document to Kubernetes objects, such as a vendor's own renderer
//! in one version. Each call runs in a sandbox of its own; equal documents are rendered once. When
//! a renderer is replaced, the reconcilers that called it are called again.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::{AccessError, Failure, backend};

/// A renderer that this reconciler may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renderer {
    /// Its name in [`render`].
    pub name: String,
    /// Labels to choose it by.
    pub labels: BTreeMap<String, String>,
}

/// Why nothing was rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenderError {
    /// The renderer reports that the document is wrong; with its message.
    Rejected(String),
    /// The renderer returned neither objects nor a message: it trapped, met a limit, ended with an
    /// exit code or wrote something else.
    Failed(String),
    /// The renderer was not called: it is not granted, or not loaded yet.
    Access(AccessError),
}

/// Returns the renderers that the operator granted, by name. Empty unless `describe` declares
/// [`Description::renderer`](crate::Description::renderer).
pub fn available() -> Vec<Renderer> {
    backend::renderers()
}

/// Returns the objects that a renderer makes of a document, in the renderer's order.
///
/// The first rendering can take a second or more, which counts towards the time of the call: set
/// `limits.time` accordingly. A rendering continues after the call's deadline, so that the next
/// call finds its result.
///
/// # Errors
/// See [`RenderError`].
pub fn render(renderer: &str, document: &impl Serialize) -> Result<Vec<Value>, RenderError> {
    let invalid = |why: String| RenderError::Access(AccessError::Invalid(why));
    let document = serde_json::to_value(document).map_err(|error| invalid(format!("the document: {error}")))?;
    let objects = backend::render(renderer, &document.to_string())?;
    let parse = |object: &String| {
        serde_json::from_str(object).map_err(|error| invalid(format!("renderer `{renderer}`: an object: {error}")))
    };
    objects.iter().map(parse).collect()
}

impl From<AccessError> for RenderError {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

impl From<RenderError> for Failure {
    /// A document that a renderer rejects is rejected again until it changes; a failure of the
    /// renderer is retried.
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Rejected(why) => Self::Invalid(why),
            RenderError::Failed(why) => Self::Retry(why),
            RenderError::Access(error) => error.into(),
        }
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(why) | Self::Failed(why) => f.write_str(why),
            Self::Access(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RenderError {}
