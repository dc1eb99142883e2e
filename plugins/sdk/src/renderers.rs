//! Renderers: pure functions from a document to Kubernetes objects, such as a vendor's own renderer
//! in one version. Each call runs in a sandbox of its own; equal documents are rendered once. When
//! a renderer is replaced, the reconcilers that called it are called again.

pub(crate) mod renderer;

use serde::Serialize;
use serde_json::Value;

use crate::access::AccessError;
use crate::backend;

pub use renderer::{RenderError, Renderer};

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
